/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a text, with their plain readings
 *
 * A token is a run of letters or a run of digits; whatever else stands between is an edge. The
 * plain reading of a word is its own letters. Words that could be read in another way (look-alike
 * letters, digits for letters, letters spaced apart, Latin letters for Russian sounds) get further
 * readings from word_reading.c. Most words have none, so that ordinary text costs one byte a
 * letter.
 */
#include "moderation/word_view.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/word_chunk.h"
#include "moderation/word_reading.h"
#include "protocol/xalloc.h"

/* Room for readings, beyond the plain ones: a few per word, and a floor for short texts. */
enum { READINGS_PER_BYTE = 6, READINGS_FLOOR = 4096 };

void word_view_init(struct word_view *view, size_t text_capacity)
{
    size_t capacity = text_capacity * (ALPHABET_WIDE_BYTES + READINGS_PER_BYTE) + READINGS_FLOOR;
    size_t tokens = text_capacity + 1;

    *view = (struct word_view){
        .bytes = xmalloc(capacity),
        .run = xmalloc(capacity),
        .first = xreallocarray(NULL, capacity, sizeof(uint32_t)),
        .last = xreallocarray(NULL, capacity, sizeof(uint32_t)),
        .capacity = capacity,
        .tokens = xreallocarray(NULL, tokens, sizeof(struct token)),
        .token_capacity = tokens,
        .segments = xreallocarray(NULL, tokens + READINGS_FLOOR / 4, sizeof(struct segment)),
        .segment_capacity = tokens + READINGS_FLOOR / 4,
    };
}

void word_view_deinit(struct word_view *view)
{
    free(view->bytes);
    free(view->run);
    free(view->first);
    free(view->last);
    free(view->tokens);
    free(view->segments);
    *view = (struct word_view){0};
}

static void put_edge(struct word_view *view, uint8_t edge, uint32_t unit)
{
    size_t i = view->length++;

    view->bytes[i] = edge;
    view->run[i] = 1;
    view->first[i] = unit;
    view->last[i] = unit;
}

static void put_wide(struct word_view *view, uint32_t ch, uint32_t unit)
{
    for (int shift = 4 * (ALPHABET_WIDE_BYTES - 1); shift >= 0; shift -= 4)
        put_edge(view, (uint8_t)(ALPHABET_WIDE | ((ch >> shift) & 0xF)), unit);
}

static void put_letter(struct word_view *view, uint8_t letter, uint32_t unit)
{
    size_t last = view->length - 1;

    if (view->bytes[last] == letter && !alphabet_is_digit(letter)) {
        view->last[last] = unit;
        if (view->run[last] < UINT8_MAX)
            view->run[last]++;
        return;
    }
    put_edge(view, letter, unit);
}

static bool is_flag(const struct text_view *text, size_t i)
{
    return (text->units[i].flags & FOLD_REGIONAL) != 0;
}

static bool is_wordish(const struct text_view *text, size_t i)
{
    return text->units[i].kind == FOLD_LETTER && !is_flag(text, i);
}

/* Finds the token that starts at unit `i`; returns the unit after it. Styled letters that make
 * flags in pairs are letters only three or more at a time. */
static size_t token_end(const struct text_view *text, size_t i)
{
    size_t end = i;

    if (is_flag(text, i)) {
        while (is_flag(text, end))
            end++;
        return end - i >= 3 ? end : i;
    }
    if (text->units[i].kind == FOLD_DIGIT) {
        while (text->units[end].kind == FOLD_DIGIT)
            end++;
        return end;
    }
    while (is_wordish(text, end))
        end++;
    return end;
}

static void add_token(struct word_view *view, size_t first, size_t end)
{
    const struct unit *units = view->text->units;
    struct token *token = &view->tokens[view->token_count];
    uint32_t line = (uint32_t)view->length;

    bool russian = true, latin = true, twins = true;

    for (size_t i = first; i < end; i++) {
        uint8_t own = units[i].own;

        russian &= own >= ALPHABET_CYRILLIC && own < ALPHABET_EXTRA;
        latin &= alphabet_is_latin(own);
        twins = twins && (word_chunk_has_twin(own) || word_chunk_has_cyrillic_twin(own));
        if (own)
            put_letter(view, own, (uint32_t)i);
        else
            put_wide(view, units[i].ch, (uint32_t)i);
    }
    *token = (struct token){
        .first = (uint32_t)first,
        .last = (uint32_t)end - 1,
        .line = line,
        .length = (uint32_t)view->length - line,
        .kind = units[first].kind == FOLD_DIGIT ? TOKEN_NUMBER : TOKEN_WORD,
        .glued = view->token_count > 0 && token[-1].last + 1 == first,
        .script = twins     ? TOKEN_MIXED
                  : russian ? TOKEN_CYRILLIC
                  : latin   ? TOKEN_LATIN
                            : TOKEN_MIXED,
        .number = -1,
    };
    view->token_count++;
    put_edge(view, ALPHABET_EDGE, (uint32_t)end - 1);
}

void word_view_build(struct word_view *view, const struct text_view *text)
{
    view->text = text;
    view->length = view->token_count = view->segment_count = 0;
    view->full = view->numbers = false;
    view->signs = 0;
    put_edge(view, ALPHABET_EDGE, 0);
    for (size_t i = 0; i < text->count;) {
        size_t end = token_end(text, i);

        if (end > i)
            add_token(view, i, end);
        i = end > i ? end : i + 1;
    }
    put_edge(view, ALPHABET_END, 0);
    view->limit = view->length + text->count * READINGS_PER_BYTE + READINGS_FLOOR;
    if (view->limit > view->capacity)
        view->limit = view->capacity;
    word_reading_add_all(view);
}

size_t word_view_token_at(const struct word_view *view, uint32_t unit)
{
    size_t low = 0, high = view->token_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (view->tokens[middle].first <= unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static bool line_ends(const struct word_view *view, size_t token)
{
    const struct unit *units = view->text->units;

    for (uint32_t i = view->tokens[token].last + 1; i < view->tokens[token + 1].first; i++) {
        if (units[i].kind == FOLD_LINE)
            return true;
    }
    return false;
}

uint32_t word_view_signs_near(const struct word_view *view, uint32_t first, uint32_t last,
                              size_t before, size_t after)
{
    size_t from = word_view_token_at(view, first), to = word_view_token_at(view, last);
    uint32_t signs = 0;

    if (from == (size_t)-1)
        return 0;
    for (size_t i = from; i > 0 && from - i < before && !line_ends(view, i - 1); i--)
        signs |= view->tokens[i - 1].signs;
    for (size_t i = to; i + 1 < view->token_count && i - to < after && !line_ends(view, i); i++)
        signs |= view->tokens[i + 1].signs;
    return signs;
}
