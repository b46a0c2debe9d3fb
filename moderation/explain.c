/* SPDX-License-Identifier: Apache-2.0 */
/* How a text was read, for people
 *
 * The views are in the matcher's own alphabet; here they are spelled back. What was squeezed or
 * folded stays so: this is what the rules see.
 */
#include "moderation/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/address_view.h"
#include "moderation/alphabet.h"
#include "moderation/digit_view.h"
#include "moderation/screen_views.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

struct spelling {
    char *text;
    size_t length;
};

static void put_char(struct spelling *out, uint32_t ch)
{
    char *at = out->text + out->length;

    if (ch < 0x80) {
        *at = (char)ch;
        out->length += 1;
    } else if (ch < 0x800) {
        at[0] = (char)(0xC0 | ch >> 6);
        at[1] = (char)(0x80 | (ch & 0x3F));
        out->length += 2;
    } else if (ch < 0x10000) {
        at[0] = (char)(0xE0 | ch >> 12);
        at[1] = (char)(0x80 | (ch >> 6 & 0x3F));
        at[2] = (char)(0x80 | (ch & 0x3F));
        out->length += 3;
    } else {
        at[0] = (char)(0xF0 | ch >> 18);
        at[1] = (char)(0x80 | (ch >> 12 & 0x3F));
        at[2] = (char)(0x80 | (ch >> 6 & 0x3F));
        at[3] = (char)(0x80 | (ch & 0x3F));
        out->length += 4;
    }
}

static uint32_t char_of(uint8_t letter)
{
    static const uint16_t extra[] = ALPHABET_EXTRA_LETTERS;

    if (letter < ALPHABET_CYRILLIC)
        return letter;
    if (letter < ALPHABET_EXTRA)
        return 0x430U + letter - ALPHABET_CYRILLIC;
    if (letter < ALPHABET_PHONETIC)
        return letter - ALPHABET_EXTRA < (int)(sizeof(extra) / sizeof(extra[0]))
                   ? extra[letter - ALPHABET_EXTRA]
                   : '?';
    return letter - ALPHABET_PHONETIC < 26 ? (uint32_t)('a' + letter - ALPHABET_PHONETIC) : '?';
}

/* Each byte takes three of UTF-8 at most, and a wide letter's six take four. */
static void spell(struct spelling *out, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] >= ALPHABET_WIDE && i + ALPHABET_WIDE_BYTES <= count) {
            uint32_t ch = 0;

            for (size_t k = 0; k < ALPHABET_WIDE_BYTES; k++)
                ch = ch << 4 | (bytes[i + k] & 0xF);
            put_char(out, ch);
            i += ALPHABET_WIDE_BYTES - 1;
        } else {
            put_char(out, char_of(bytes[i]));
        }
    }
}

struct explanation {
    void (*each)(void *context, const char *name, const char *text);
    void *context;
    struct spelling out;
};

static void tell(struct explanation *explanation, const char *name)
{
    struct spelling *out = &explanation->out;

    while (out->length > 0 && out->text[out->length - 1] == ' ')
        out->length--;
    out->text[out->length] = '\0';
    if (out->length > 0)
        explanation->each(explanation->context, name, out->text);
    out->length = 0;
}

static void tell_words(struct explanation *explanation, const struct word_view *words)
{
    for (size_t i = 0; i < words->token_count; i++) {
        spell(&explanation->out, words->bytes + words->tokens[i].line, words->tokens[i].length);
        put_char(&explanation->out, ' ');
    }
    tell(explanation, "words");
}

static void tell_readings(struct explanation *explanation, const struct word_view *words)
{
    static const char *const names[] = {
        [SEGMENT_PLAIN] = NULL,          [SEGMENT_LATIN] = "latin",
        [SEGMENT_CYRILLIC] = "cyrillic", [SEGMENT_PHONETIC] = "sound",
        [SEGMENT_MASKED] = "unmasked",
    };

    for (int kind = SEGMENT_LATIN; kind <= SEGMENT_MASKED; kind++) {
        for (size_t i = 0; i < words->segment_count; i++) {
            const struct segment *segment = &words->segments[i];

            if (segment->kind != kind)
                continue;
            spell(&explanation->out, words->bytes + segment->start, segment->length);
            put_char(&explanation->out, ' ');
        }
        tell(explanation, names[kind]);
    }
}

static void tell_digits(struct explanation *explanation, const struct digit_view *digits)
{
    for (size_t i = 0; i < digits->run_count; i++) {
        const struct digit_run *run = &digits->runs[i];

        if (run->plus)
            put_char(&explanation->out, '+');
        for (size_t k = 0; k < run->count; k++)
            put_char(&explanation->out, '0' + digits->digits[run->first + k].value);
        put_char(&explanation->out, ' ');
    }
    tell(explanation, "digits");
}

static void tell_address(struct explanation *explanation, const struct address_view *line)
{
    for (size_t i = 0; i < line->count; i++) {
        uint8_t ch = line->chars[i];

        put_char(&explanation->out, ch == ADDRESS_LETTER || ch == ADDRESS_SYMBOL ? '.'
                                    : ch == '\n'                                 ? ' '
                                                                                 : char_of(ch));
    }
    tell(explanation, "address");
}

void screener_explain(const struct screener *screener,
                      void (*each)(void *context, const char *name, const char *text),
                      void *context)
{
    struct screen_views views = screener_views(screener);
    struct explanation explanation = {.each = each, .context = context};

    size_t most = views.words->length + views.digits->count + views.digits->run_count * 2 +
                  (views.line ? views.line->count : 0);
    explanation.out.text = xmalloc(4 * most + 4 * views.words->token_count + 16);
    tell_words(&explanation, views.words);
    tell_readings(&explanation, views.words);
    tell_digits(&explanation, views.digits);
    if (views.line)
        tell_address(&explanation, views.line);
    free(explanation.out.text);
}
