/* SPDX-License-Identifier: Apache-2.0 */
/* Short messages of one sender put together
 *
 * Who splits a number sends its pieces alone, so a number is looked for in all recent short
 * messages that have digits, whatever was said between. The parts of an address follow each other
 * directly. A piece that ends, or starts, with a sign of an address is put on without a blank.
 */
#include "moderation/joined_text.h"

#include <string.h>

enum { LAST_PIECES = 2 };

static bool is_address_sign(char ch)
{
    return ch == '@' || ch == '.' || ch == '_' || ch == '/' || ch == ':';
}

static void append(struct joined_text *joined, const char *text, size_t length)
{
    bool glued = joined->length == 0 || length == 0 ||
                 is_address_sign(joined->text[joined->length - 1]) || is_address_sign(text[0]);

    if (!glued)
        joined->text[joined->length++] = ' ';
    joined->start = joined->length;
    memcpy(joined->text + joined->length, text, length);
    joined->length += length;
}

bool joined_text_make(struct joined_text *joined, const struct screen_input *input,
                      enum joined_kind kind)
{
    size_t count = input->earlier_count, skip = 0;

    *joined = (struct joined_text){.length = 0};
    if (input->length == 0 || input->length > SCREEN_FRAGMENT_BYTES)
        return false;
    if (count > SCREEN_WINDOW_MAX)
        skip = count - SCREEN_WINDOW_MAX;
    if (kind == JOINED_LAST && count > LAST_PIECES)
        skip = count - LAST_PIECES;
    for (size_t i = skip; i < count; i++) {
        const struct screen_trace *trace = &input->earlier[i];

        if (trace->length == 0 || trace->other_room || (kind == JOINED_NUMERIC && !trace->numeric))
            continue;
        append(joined, trace->fragment, trace->length);
        joined->starts[joined->pieces] = joined->start;
        joined->steps[joined->pieces++] = (uint8_t)(count - 1 - i);
    }
    append(joined, input->text, input->length);
    return joined->pieces > 0;
}

uint32_t joined_text_pieces(const struct joined_text *joined, size_t from)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < joined->pieces; i++) {
        size_t end = i + 1 < joined->pieces ? joined->starts[i + 1] : joined->start;

        if (end > from)
            bits |= 1U << joined->steps[i];
    }
    return bits;
}
