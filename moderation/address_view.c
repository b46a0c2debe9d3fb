/* SPDX-License-Identifier: Apache-2.0 */
/* A text as one line in which addresses stand plainly
 *
 * "ivan собака mail точка ru", "ivan [at] mail . ru" and "іvаn@mаil.ru" become "ivan@mail.ru" here,
 * once, so that the detectors of e-mail addresses, links and names parse one simple form. What was
 * changed is marked on the character, because a dot that was made of a word and two blanks proves
 * less than one that was typed: prose has those, too.
 */
#include "moderation/address_view.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/lexicon.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum {
    SPACED_MIN = 5,    /* single characters */
    LETTERS_NEAR = 12, /* characters around a letter that tell its script */
    BULLET = 0x2022,
};

struct writer {
    struct address_view *view;
    const struct word_view *words;
    const struct unit *units;
    size_t unit_count;
    size_t token; /* the next one */
};

void address_view_init(struct address_view *view, size_t text_capacity)
{
    size_t capacity = text_capacity + 1;

    *view = (struct address_view){
        .chars = xmalloc(capacity),
        .marks = xmalloc(capacity),
        .first = xreallocarray(NULL, capacity, sizeof(uint32_t)),
        .last = xreallocarray(NULL, capacity, sizeof(uint32_t)),
        .capacity = capacity,
    };
}

void address_view_deinit(struct address_view *view)
{
    free(view->chars);
    free(view->marks);
    free(view->first);
    free(view->last);
    *view = (struct address_view){0};
}

bool address_is_alnum(uint8_t ch)
{
    return alphabet_is_latin(ch) || alphabet_is_digit(ch);
}

bool address_is_letter_or_digit(uint8_t ch)
{
    return address_is_alnum(ch) || alphabet_is_cyrillic(ch) || ch == ADDRESS_LETTER;
}

static void put(struct address_view *view, uint8_t ch, uint32_t first, uint32_t last,
                unsigned marks)
{
    view->at_signs += ch == '@';
    view->dots += ch == '.';
    view->colons += ch == ':';
    view->chars[view->count] = ch;
    view->marks[view->count] = (uint8_t)marks;
    view->first[view->count] = first;
    view->last[view->count++] = last;
}

/* ---- words ---- */

/* One past the last unit of single characters with one blank between each, if there are enough of
 * them from `unit` on; else `unit`. */
static uint32_t spaced_end(const struct writer *writer, uint32_t unit)
{
    const struct unit *units = writer->units;
    uint32_t end = unit + 1, count = 1;

    if (unit > 0 && units[unit - 1].kind != FOLD_SPACE && units[unit - 1].kind != FOLD_LINE)
        return unit;
    while (end + 1 < writer->unit_count && units[end].kind == FOLD_SPACE &&
           units[end + 1].kind != FOLD_SPACE && units[end + 1].kind != FOLD_LINE &&
           (end + 2 >= writer->unit_count || units[end + 2].kind == FOLD_SPACE ||
            units[end + 2].kind == FOLD_LINE)) {
        end += 2;
        count++;
    }
    return count >= SPACED_MIN ? end : unit;
}

/* Letters of this token are to be read as Latin: it has some, or it touches some and could be. */
static bool reads_latin(const struct writer *writer, const struct token *token)
{
    bool some = false, all = true;

    for (uint32_t i = token->first; i <= token->last; i++) {
        some |= alphabet_is_latin(writer->units[i].own);
        all &= writer->units[i].latin != 0;
    }
    if (some || !all)
        return all;
    for (int side = -1; side <= 1; side += 2) {
        uint32_t at = side < 0 ? token->first : token->last;

        for (int step = 0; step < LETTERS_NEAR && (side > 0 || at > 0); step++) {
            at = (uint32_t)((int)at + side);
            if (at >= writer->unit_count || writer->units[at].kind == FOLD_SPACE ||
                writer->units[at].kind == FOLD_LINE)
                break;
            if (alphabet_is_latin(writer->units[at].own))
                return true;
        }
    }
    return false;
}

static void put_token(struct writer *writer, const struct token *token)
{
    struct address_view *view = writer->view;
    bool latin = reads_latin(writer, token), cyrillic = false;

    for (uint32_t i = token->first; i <= token->last; i++)
        cyrillic |= alphabet_is_cyrillic(writer->units[i].own);
    for (uint32_t i = token->first; i <= token->last; i++) {
        const struct unit *unit = &writer->units[i];
        uint8_t ch = latin && unit->latin         ? unit->latin
                     : cyrillic && unit->cyrillic ? unit->cyrillic
                                                  : unit->own;
        unsigned marks = (unit->flags & FOLD_UPPER ? ADDRESS_UPPER : 0) |
                         (ch != unit->own && unit->own ? ADDRESS_MIXED : 0);

        put(view, ch ? ch : ADDRESS_LETTER, i, i, marks);
    }
}

/* ---- signs ---- */

static uint8_t said_symbol(uint32_t signs)
{
    if (signs & SIGN_AT)
        return '@';
    if (signs & SIGN_DOT)
        return '.';
    if (signs & SIGN_SLASH)
        return '/';
    if (signs & SIGN_DASH)
        return '-';
    return signs & SIGN_UNDERSCORE ? '_' : 0;
}

static bool is_wrapper(uint8_t ch)
{
    return ch == '(' || ch == '[' || ch == '{' || ch == '<' || ch == '-' || ch == '_' ||
           ch == '*' || ch == '|' || ch == '"' || ch == '\'';
}

static uint32_t closing(uint8_t ch)
{
    switch (ch) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '{':
        return '}';
    case '<':
        return '>';
    }
    return ch;
}

static uint32_t skip_blanks(const struct writer *writer, uint32_t unit)
{
    while (unit < writer->unit_count && writer->units[unit].kind == FOLD_SPACE)
        unit++;
    return unit;
}

/* Puts a symbol that was said, or stands apart, without the blanks and brackets around it. `end` is
 * the unit after it; returns the unit to go on with. */
static uint32_t put_apart(struct writer *writer, uint8_t ch, uint32_t first, uint32_t end,
                          unsigned marks)
{
    struct address_view *view = writer->view;
    size_t count = view->count;
    uint32_t next = skip_blanks(writer, end);

    while (count > 0 && view->chars[count - 1] == ' ')
        count--;
    if (count > 0 && is_wrapper(view->chars[count - 1]) && next < writer->unit_count &&
        writer->units[next].ch == closing(view->chars[count - 1])) {
        count--;
        end = next + 1;
        next = skip_blanks(writer, end);
        while (count > 0 && view->chars[count - 1] == ' ')
            count--;
        marks |= ADDRESS_WRAPPED;
    }
    if (count < view->count || next > end)
        marks |= ADDRESS_SPACED;
    while (view->count > count)
        view->colons -= view->chars[--view->count] == ':';
    put(view, ch, first, end - 1, marks);
    return next;
}

static bool blank_before(const struct writer *writer)
{
    const struct address_view *view = writer->view;

    return view->count > 0 && view->chars[view->count - 1] == ' ';
}

static bool wrapped(const struct writer *writer, uint32_t unit)
{
    const struct address_view *view = writer->view;

    return view->count > 0 && unit + 1 < writer->unit_count &&
           is_wrapper(view->chars[view->count - 1]) &&
           writer->units[unit + 1].ch == closing(view->chars[view->count - 1]);
}

static bool ends_with(const struct address_view *view, const char *tail)
{
    size_t n = strlen(tail);

    return view->count >= n && memcmp(view->chars + view->count - n, tail, n) == 0;
}

/* A dot or slash with a blank before it was taken apart; with one only after it, it ends a
 * sentence. An at sign with a blank only before it starts a name. */
static uint32_t put_symbol(struct writer *writer, uint32_t unit)
{
    uint32_t ch = writer->units[unit].ch;
    bool parts = ch == '.' || ch == '/' || ch == ':';
    bool plain = ch < 0x80 && writer->units[unit].kind == FOLD_SYMBOL;

    bool starts = ch == '@' && blank_before(writer) && writer->units[unit + 1].kind != FOLD_SPACE;

    if ((ch == '@' && !starts) || (parts && (blank_before(writer) || wrapped(writer, unit))))
        return put_apart(writer, (uint8_t)ch, unit, unit + 1, 0);
    if (ch == BULLET)
        put(writer->view, '.', unit, unit, 0);
    else
        put(writer->view, plain ? (uint8_t)ch : ADDRESS_SYMBOL, unit, unit, 0);
    return ends_with(writer->view, "://") ? skip_blanks(writer, unit + 1) : unit + 1;
}

/* Characters that were spaced apart, without the blanks. Returns the unit after them. */
static uint32_t put_spaced(struct writer *writer, uint32_t unit, uint32_t end)
{
    bool latin = false;

    for (uint32_t i = unit; i < end; i += 2)
        latin |= alphabet_is_latin(writer->units[i].own);
    for (uint32_t i = unit; i < end; i += 2) {
        const struct unit *u = &writer->units[i];
        bool wordish = u->kind == FOLD_LETTER || u->kind == FOLD_DIGIT;
        uint8_t ch = latin && u->latin ? u->latin : u->own;

        if (!wordish)
            ch = u->ch < 0x80 ? (uint8_t)u->ch : ADDRESS_SYMBOL;
        put(writer->view, ch ? ch : ADDRESS_LETTER, i, i, 0);
    }
    return end;
}

/* "(a)" is an at sign to some. */
static bool is_wrapped_a(const struct writer *writer, const struct token *token)
{
    return token->first == token->last && writer->units[token->first].latin == 'a' &&
           token->first > 0 && writer->units[token->first - 1].ch != '-' &&
           writer->units[token->first - 1].ch != '_' && wrapped(writer, token->first);
}

static uint32_t put_word(struct writer *writer)
{
    const struct token *token = &writer->words->tokens[writer->token];
    uint8_t symbol = is_wrapped_a(writer, token) ? '@' : said_symbol(token->signs);
    uint32_t next = token->last + 1;

    if (symbol)
        next = put_apart(writer, symbol, token->first, token->last + 1, ADDRESS_SAID);
    else
        put_token(writer, token);
    writer->token++;
    return next;
}

void address_view_build(struct address_view *view, const struct word_view *words)
{
    struct writer writer = {.view = view,
                            .words = words,
                            .units = words->text->units,
                            .unit_count = words->text->count};

    view->count = view->at_signs = view->dots = view->colons = 0;
    for (uint32_t i = 0; i < writer.unit_count;) {
        const struct unit *unit = &writer.units[i];
        uint32_t spaced = spaced_end(&writer, i);

        if (spaced > i) {
            i = put_spaced(&writer, i, spaced);
            continue;
        }
        while (writer.token < words->token_count && words->tokens[writer.token].last < i)
            writer.token++;
        if (writer.token < words->token_count && words->tokens[writer.token].first == i) {
            i = put_word(&writer);
        } else if (unit->kind == FOLD_SPACE) {
            if (!blank_before(&writer))
                put(view, ' ', i, i, 0);
            i++;
        } else if (unit->kind == FOLD_LINE) {
            put(view, '\n', i, i, 0);
            i++;
        } else {
            i = put_symbol(&writer, i);
        }
    }
    put(view, '\n', (uint32_t)writer.unit_count, (uint32_t)writer.unit_count, 0);
}

/* ---- reading ---- */

static const uint32_t extra_letters[] = ALPHABET_EXTRA_LETTERS;

bool address_view_text(const struct address_view *view, size_t from, size_t to, char *out,
                       size_t out_bytes)
{
    size_t n = 0;

    for (size_t i = from; i < to; i++) {
        uint8_t ch = view->chars[i];

        if (n + 3 > out_bytes || ch == ADDRESS_LETTER)
            return false;
        if (ch < 0x80) {
            out[n++] = (char)ch;
            continue;
        }
        uint32_t code = ch < ALPHABET_EXTRA ? 0x430U + (ch - ALPHABET_CYRILLIC)
                                            : extra_letters[ch - ALPHABET_EXTRA];
        out[n++] = (char)(0xC0 | code >> 6);
        out[n++] = (char)(0x80 | (code & 0x3F));
    }
    out[n] = '\0';
    return true;
}

unsigned address_view_marks(const struct address_view *view, size_t from, size_t to)
{
    unsigned marks = 0;

    for (size_t i = from; i < to; i++)
        marks |= view->marks[i];
    return marks;
}
