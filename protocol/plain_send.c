/* SPDX-License-Identifier: Apache-2.0 */
/* The frame that most clients send most of the time, read without building a JSON tree
 *
 * A general parser allocates each value and hashes each key; for a `send` that was the largest part
 * of the gateway's own work. The plain shape is one flat object of exactly t, id, room, cid and
 * text, in any order, with any white space between, an id of digits and strings without escapes.
 *
 * This reader never refuses. Whatever is not plain, or not good, is left to the general parser,
 * which knows what is wrong with it. So all that has to hold is that a frame taken here would have
 * been taken there with the same meaning.
 */
#include "protocol/plain_send.h"

#include <stdint.h>
#include <string.h>

#include "protocol/command.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum { ID_DIGITS_MAX = 18 }; /* what always fits int64_t */

enum member { MEMBER_T, MEMBER_ID, MEMBER_ROOM, MEMBER_CID, MEMBER_TEXT, MEMBER_COUNT };

/* A value as it stands in the frame, without quotes. */
struct value {
    const char *start; /* NULL: not seen */
    size_t length;
};

struct reader {
    const char *at, *end;
    struct value values[MEMBER_COUNT];
};

static bool value_is(const struct value *value, const char *text)
{
    return value->length == strlen(text) && memcmp(value->start, text, value->length) == 0;
}

/* --- grammar --- */

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

/* The character, with space around it. */
static bool take(struct reader *reader, char wanted)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    skip_space(reader);
    return true;
}

static bool take_string(struct reader *reader, struct value *out)
{
    if (reader->at == reader->end || *reader->at != '"')
        return false;
    out->start = ++reader->at;
    while (reader->at < reader->end && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20 || *reader->at == '\\')
            return false;
        reader->at++;
    }
    if (reader->at == reader->end)
        return false;
    out->length = (size_t)(reader->at++ - out->start);
    return true;
}

static bool take_digits(struct reader *reader, struct value *out)
{
    out->start = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    out->length = (size_t)(reader->at - out->start);
    return out->length >= 1 && out->length <= ID_DIGITS_MAX && *out->start != '0';
}

static enum member member_of(const struct value *key)
{
    static const char *const names[] = {"t", "id", "room", "cid", "text"};
    int i = 0;

    while (i < MEMBER_COUNT && !value_is(key, names[i]))
        i++;
    return (enum member)i;
}

static bool take_member(struct reader *reader)
{
    struct value key;

    if (!take_string(reader, &key) || !take(reader, ':'))
        return false;
    enum member member = member_of(&key);
    if (member == MEMBER_COUNT || reader->values[member].start)
        return false;
    if (member == MEMBER_ID)
        return take_digits(reader, &reader->values[member]);
    return take_string(reader, &reader->values[member]);
}

/* Each of the members once: as many as there are, and none twice. */
static bool take_object(struct reader *reader)
{
    if (!take(reader, '{'))
        return false;
    for (int i = 0; i < MEMBER_COUNT; i++) {
        if ((i > 0 && !take(reader, ',')) || !take_member(reader))
            return false;
    }
    return take(reader, '}') && reader->at == reader->end;
}

/* --- meaning --- */

static int64_t number_of(const struct value *digits)
{
    int64_t number = 0;

    for (size_t i = 0; i < digits->length; i++)
        number = number * 10 + (digits->start[i] - '0');
    return number;
}

static bool text_good(const struct value *text, const struct command_limits *limits)
{
    return utf8_valid(text->start, text->length) && !utf8_blank(text->start, text->length) &&
           utf8_count(text->start, text->length) <= limits->text_code_points;
}

bool plain_send_parse(struct command *out, const char *frame, size_t bytes,
                      const struct command_limits *limits)
{
    struct reader reader = {.at = frame, .end = frame + bytes};
    const struct value *values = reader.values, *text = &values[MEMBER_TEXT];
    struct command_send send;

    if (!take_object(&reader) || !value_is(&values[MEMBER_T], "send") ||
        !uuid_parse(&send.room, values[MEMBER_ROOM].start, values[MEMBER_ROOM].length) ||
        !uuid_parse(&send.cid, values[MEMBER_CID].start, values[MEMBER_CID].length) ||
        !text_good(text, limits))
        return false;
    out->text = xmalloc(text->length + 1);
    memcpy(out->text, text->start, text->length);
    out->text[text->length] = '\0';
    send.text = out->text;
    send.text_length = text->length;
    out->type = COMMAND_SEND;
    out->id = number_of(&values[MEMBER_ID]);
    out->send = send;
    return true;
}
