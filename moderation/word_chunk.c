/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of a text that may be one word */
#include "moderation/word_chunk.h"

#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/leet.h"
#include "moderation/word_view.h"

enum {
    SYMBOLS_MAX = 5,   /* between two parts of a chunk */
    TRUNCATED_MAX = 3, /* letters before masks that end a word */
    SEPARATOR_MAX = 3, /* characters between spaced letters */
};

/* а в е к м н о р с т у х і ј ѕ, one bit each from ALPHABET_CYRILLIC on. */
bool word_chunk_has_twin(uint8_t own)
{
    const uint64_t twins = 1ULL << 0x00 | 1ULL << 0x02 | 1ULL << 0x05 | 1ULL << 0x0A |
                           1ULL << 0x0C | 1ULL << 0x0D | 1ULL << 0x0E | 1ULL << 0x10 |
                           1ULL << 0x11 | 1ULL << 0x12 | 1ULL << 0x13 | 1ULL << 0x15 |
                           1ULL << 0x20 | 1ULL << 0x2C | 1ULL << 0x32;

    return alphabet_is_cyrillic(own) && (twins >> (own - ALPHABET_CYRILLIC) & 1);
}

/* a b c e h k m o p t u x y */
bool word_chunk_has_cyrillic_twin(uint8_t own)
{
    const uint32_t twins = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4 | 1 << 7 | 1 << 10 | 1 << 12 |
                           1 << 14 | 1 << 15 | 1 << 19 | 1 << 20 | 1 << 23 | 1 << 24;

    return alphabet_is_latin(own) && (twins >> (own - 'a') & 1);
}

static void add_unit(const struct word_view *view, struct word_chunk *chunk, uint32_t index)
{
    const struct unit *unit = &view->text->units[index];

    if (chunk->count == CHUNK_MAX)
        return;
    chunk->units[chunk->count++] = index;
    if (unit->kind == FOLD_DIGIT) {
        chunk->digits++;
    } else if (unit->kind == FOLD_SYMBOL) {
        if (leet_is_mask(unit->ch))
            chunk->masks++;
        else
            chunk->symbols += !leet_is_apostrophe(unit->ch);
    } else {
        chunk->latin += alphabet_is_latin(unit->own);
        chunk->cyrillic += alphabet_is_cyrillic(unit->own);
        chunk->foreign += unit->own == 0 || unit->own >= ALPHABET_EXTRA;
        chunk->looks_latin &= word_chunk_has_twin(unit->own);
        chunk->looks_cyrillic &= word_chunk_has_cyrillic_twin(unit->own);
    }
}

static void add_token_units(const struct word_view *view, struct word_chunk *chunk, size_t token)
{
    for (uint32_t i = view->tokens[token].first; i <= view->tokens[token].last; i++)
        add_unit(view, chunk, i);
    chunk->last = token;
}

/* who're, it's: the end of another word, not of this one. */
static bool is_contraction(const struct word_view *view, const struct token *token)
{
    static const char ends[][3] = {"s", "t", "d", "m", "l", "re", "ve"}; /* "ll" is squeezed */
    const uint8_t *bytes = view->bytes + token->line;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (token->length == strlen(ends[i]) && memcmp(bytes, ends[i], token->length) == 0)
            return true;
    }
    return false;
}

bool word_chunk_goes_on(const struct word_view *view, size_t token)
{
    uint32_t from = view->tokens[token].last + 1, to = view->tokens[token + 1].first;

    if (to - from > SYMBOLS_MAX)
        return false;
    for (uint32_t i = from; i < to; i++) {
        if (!leet_is_inner(view->text->units[i].ch))
            return false;
    }
    return to - from != 1 || !leet_is_apostrophe(view->text->units[from].ch) ||
           !is_contraction(view, &view->tokens[token + 1]);
}

/* A symbol at the edge of a chunk belongs to it where the word would be no word without. */
static bool leads(const struct word_view *view, uint32_t unit)
{
    const struct unit *units = view->text->units;

    if (unit == 0)
        return false;
    uint32_t ch = units[unit - 1].ch;
    bool open = unit < 2 || (units[unit - 2].kind != FOLD_LETTER &&
                             units[unit - 2].kind != FOLD_DIGIT && units[unit - 2].ch != ch);
    return open && (ch == '$' || ch == '*' || ch == '#' ||
                    (ch == '@' && alphabet_is_cyrillic(units[unit].own)));
}

static bool trails(const struct word_view *view, uint32_t unit)
{
    const struct unit *units = view->text->units;

    if (unit + 1 >= view->text->count ||
        (units[unit].kind != FOLD_LETTER && units[unit].kind != FOLD_DIGIT))
        return false;
    uint8_t after = units[unit + 2 <= view->text->count ? unit + 2 : unit + 1].kind;
    return (units[unit + 1].ch == '@' || units[unit + 1].ch == '$') &&
           (after == FOLD_SPACE || after == FOLD_LINE);
}

/* "х***": masks after the first letters of a word. One alone is a footnote. */
static void add_trailing_masks(struct word_chunk *chunk, const struct word_view *view)
{
    const struct unit *units = view->text->units;
    uint32_t from = view->tokens[chunk->last].last + 1, to = from;

    while (to < view->text->count && to - from <= SYMBOLS_MAX && leet_is_mask(units[to].ch) &&
           units[to].ch != '?')
        to++;
    if (to - from < 2 || to - from > SYMBOLS_MAX || chunk->count > TRUNCATED_MAX ||
        units[to].kind == FOLD_LETTER)
        return;
    for (uint32_t i = from; i < to; i++)
        add_unit(view, chunk, i);
}

void word_chunk_collect(struct word_chunk *chunk, const struct word_view *view, size_t token)
{
    *chunk = (struct word_chunk){
        .first = token, .last = token, .looks_latin = true, .looks_cyrillic = true};
    if (leads(view, view->tokens[token].first))
        add_unit(view, chunk, view->tokens[token].first - 1);
    add_token_units(view, chunk, token);
    while (chunk->last + 1 < view->token_count && word_chunk_goes_on(view, chunk->last)) {
        uint32_t to = view->tokens[chunk->last + 1].first;

        for (uint32_t i = view->tokens[chunk->last].last + 1; i < to; i++)
            add_unit(view, chunk, i);
        add_token_units(view, chunk, chunk->last + 1);
    }
    if (trails(view, view->tokens[chunk->last].last))
        add_unit(view, chunk, view->tokens[chunk->last].last + 1);
    else
        add_trailing_masks(chunk, view);
}

void word_chunk_join(struct word_chunk *chunk, const struct word_view *view, size_t first,
                     size_t end)
{
    *chunk = (struct word_chunk){
        .first = first, .joined = true, .looks_latin = true, .looks_cyrillic = true};
    for (size_t i = first; i < end; i++)
        add_token_units(view, chunk, i);
}

bool word_chunk_is_strange(const struct word_chunk *chunk)
{
    unsigned letters = chunk->latin + chunk->cyrillic + chunk->foreign;
    unsigned others = chunk->digits + chunk->symbols + chunk->masks + chunk->foreign;

    return letters > 0 && chunk->count < CHUNK_MAX &&
           (chunk->latin > 0 || others > 0 || chunk->looks_latin);
}

/* ---- letters spaced apart ---- */

static bool is_single(const struct word_view *view, size_t token)
{
    return token < view->token_count && view->tokens[token].first == view->tokens[token].last;
}

static bool same_gap(const struct word_view *view, size_t a, size_t b)
{
    const struct token *t = view->tokens;
    uint32_t n = t[a + 1].first - t[a].last - 1, m = t[b + 1].first - t[b].last - 1;

    if (n != m || n == 0 || n > SEPARATOR_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (view->text->units[t[a].last + 1 + i].ch != view->text->units[t[b].last + 1 + i].ch)
            return false;
    }
    return true;
}

size_t word_chunk_spaced_end(const struct word_view *view, size_t token)
{
    size_t end = token + 1;

    if (!is_single(view, token))
        return end;
    while (is_single(view, end) && same_gap(view, token, end - 1))
        end++;
    return end;
}
