/* SPDX-License-Identifier: Apache-2.0 */
/* The digits of a text
 *
 * "8 девятьсот двенадцать 3О5", "８-9-1-2", "eight nine double two" are the same digits, so the
 * detectors of phones and cards see digits only, with what lay between. A run ends where something
 * stands that never stands inside a number: a word, an operator, a colon. Number words are put
 * together as they are said: a hundred takes the tens and ones after it, a ten takes a one.
 */
#include "moderation/digit_view.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/lexicon.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum { GAP_UNITS_MAX = 4, BRIDGE_WORDS_MAX = 2, DIGITS_PER_WORD_MAX = 3, LOOK_ALIKES_MIN = 4 };

struct reader {
    struct digit_view *view;
    const struct word_view *words;
    const struct unit *units;
    struct digit_run *run; /* the open one, or NULL */
    uint32_t end;          /* unit after the last digit of the open run, or the bridge after it */
    unsigned bridge_words; /* words since the last digit that may stand inside a number */
    int bridge;            /* gap bits up to the end of the last of them */
    /* number words said so far that may still grow */
    int spoken, scale; /* value; what may be added: 100, 10, 1 = nothing, 0 = no number */
    uint32_t spoken_first, spoken_last;
    int repeat; /* "double", "triple": said at repeat_first, for the number that comes */
    uint32_t repeat_first;
};

/* A spoken number has at most three digits, and a token at least one byte and a separator. */
void digit_view_init(struct digit_view *view, size_t text_capacity)
{
    size_t capacity = text_capacity * 2 + DIGITS_PER_WORD_MAX;

    *view = (struct digit_view){
        .digits = xreallocarray(NULL, capacity, sizeof(struct digit)),
        .capacity = capacity,
        .runs = xreallocarray(NULL, text_capacity + 1, sizeof(struct digit_run)),
        .run_capacity = text_capacity + 1,
    };
}

void digit_view_deinit(struct digit_view *view)
{
    free(view->digits);
    free(view->runs);
    *view = (struct digit_view){0};
}

/* ---- gaps ---- */

/* Returns the gap bit of a unit that may stand inside a number, or -1. */
static int gap_of(const struct unit *unit)
{
    if (unit->kind == FOLD_SPACE)
        return GAP_SPACE;
    if (unit->kind == FOLD_LINE)
        return GAP_LINE;
    if (unit->kind != FOLD_SYMBOL)
        return -1;
    switch (unit->ch) {
    case '-':
        return GAP_DASH;
    case '.':
    case 0x2022:
        return GAP_DOT;
    case '(':
    case ')':
    case '[':
    case ']':
        return GAP_BRACKET;
    case '/':
    case '\\':
        return GAP_SLASH;
    case ',':
    case ';':
        return GAP_COMMA;
    case '_':
    case '|':
    case '*':
    case '~':
    case '\'':
    case '"':
        return GAP_OTHER;
    }
    return unit->ch >= 0x2600 ? GAP_OTHER : -1;
}

/* The last digit touches the one before it: what follows a comma then is another number. */
static bool in_long_group(const struct reader *reader)
{
    const struct digit_view *view = reader->view;
    const struct digit *last = &view->digits[view->count - 1];

    return reader->run->count > 1 && last->gap == 0 && !last->spoken;
}

/* Gap bits between the open run and a unit; -1 if there is what no number has inside. */
static int gap_bits(const struct reader *reader, uint32_t first)
{
    int gap = 0;

    if (first - reader->end > GAP_UNITS_MAX)
        return -1;
    for (uint32_t i = reader->end; i < first; i++) {
        int bit = gap_of(&reader->units[i]);

        if (bit < 0)
            return -1;
        gap |= bit;
    }
    if ((gap & GAP_DOT) && (gap & GAP_SPACE) && reader->units[reader->end].ch == '.')
        gap |= GAP_COMMA; /* the end of a sentence, or of an item */
    return gap;
}

/* The same for a unit that is a digit; -1 if they can't be one number. */
static int measure_gap(const struct reader *reader, uint32_t first)
{
    int gap = gap_bits(reader, first);

    return gap == (GAP_COMMA | GAP_SPACE) && in_long_group(reader) ? -1 : gap;
}

/* ---- digits ---- */

static bool has_plus(const struct reader *reader, uint32_t first)
{
    for (uint32_t i = first; i > 0 && first - i < 3; i--) {
        uint32_t ch = reader->units[i - 1].ch;

        if (ch == '+')
            return i < 2 || reader->units[i - 2].kind != FOLD_DIGIT;
        if (ch != '(' && reader->units[i - 1].kind != FOLD_SPACE)
            return false;
    }
    return false;
}

static void open_run(struct reader *reader, uint32_t first)
{
    struct digit_view *view = reader->view;

    reader->run = &view->runs[view->run_count++];
    *reader->run =
        (struct digit_run){.first = (uint32_t)view->count, .plus = has_plus(reader, first)};
}

static void add_digit(struct reader *reader, const struct digit *digit)
{
    struct digit_view *view = reader->view;
    int gap = reader->run ? measure_gap(reader, digit->first) : -1;
    int bridge = reader->bridge;

    reader->bridge_words = 0;
    reader->bridge = 0;

    if (view->count == view->capacity || view->run_count == view->run_capacity)
        return;
    if (gap < 0) {
        open_run(reader, digit->first);
        gap = bridge = 0;
    }
    view->digits[view->count] = *digit;
    view->digits[view->count++].gap = (uint16_t)(gap | bridge);
    reader->run->count++;
    reader->end = digit->last + 1;
}

static void add_value(struct reader *reader, int value, uint32_t first, uint32_t last)
{
    char text[8];
    int n = 0;

    for (int scale = value >= 100 ? 100 : value >= 10 ? 10 : 1; scale > 0; scale /= 10)
        text[n++] = (char)(value / scale % 10);
    for (int i = 0; i < n; i++) {
        struct digit digit = {
            .first = first, .last = last, .value = (uint8_t)text[i], .spoken = true};

        /* All digits of one word share its place; the gap comes before the first. */
        if (i > 0)
            reader->end = first;
        add_digit(reader, &digit);
    }
}

/* ---- number words ---- */

static void flush_spoken(struct reader *reader)
{
    int times = reader->repeat > 1 ? reader->repeat : 1;

    if (reader->scale == 0)
        return;
    for (int i = 0; i < times; i++) {
        if (i > 0)
            reader->end = reader->spoken_first;
        add_value(reader, reader->spoken, reader->spoken_first, reader->spoken_last);
    }
    reader->scale = 0;
    reader->repeat = 0;
}

static int scale_of(int value)
{
    if (value >= 100 && value % 100 == 0)
        return 100;
    return value >= 20 && value % 10 == 0 ? 10 : 1;
}

static bool said_together(const struct reader *reader, uint32_t first)
{
    const struct unit *units = reader->units;

    for (uint32_t i = reader->spoken_last + 1; i < first; i++) {
        if (units[i].kind != FOLD_SPACE && units[i].ch != '-')
            return false;
    }
    return true;
}

static void read_number_word(struct reader *reader, const struct token *token)
{
    int value = token->number;
    bool joined = reader->scale != 0 && said_together(reader, token->first);

    if (value == LEXICON_DOUBLE || value == LEXICON_TRIPLE) {
        flush_spoken(reader);
        reader->repeat = value == LEXICON_DOUBLE ? 2 : 3;
        reader->repeat_first = token->first;
        return;
    }
    if (value == LEXICON_HUNDRED) {
        if (joined && reader->spoken < 10) {
            reader->spoken *= 100;
            reader->scale = 100;
            reader->spoken_last = token->last;
        }
        return;
    }
    if (joined && value > 0 && value < reader->scale) {
        reader->spoken += value;
        reader->scale = scale_of(value);
        reader->spoken_last = token->last;
        return;
    }
    flush_spoken(reader);
    reader->spoken = value;
    reader->scale = scale_of(value);
    reader->spoken_first = reader->repeat ? reader->repeat_first : token->first;
    reader->spoken_last = token->last;
}

/* ---- letters that look like digits ---- */

/* The digit that a letter looks like, or -1. */
static int look_alike(const struct unit *unit)
{
    bool upper = (unit->flags & FOLD_UPPER) != 0;

    switch (unit->own) {
    case 'o':
    case 0x8E: /* о */
        return 0;
    case 'i':
    case 'l':
    case 0xA0: /* і */
        return 1;
    case 'z':
        return 2;
    case 0x87: /* з */
    case 0x9D: /* э */
        return 3;
    case 0x97: /* ч */
        return 4;
    case 's':
        return 5;
    case 0x81: /* б */
        return 6;
    case 'b':
        return upper ? 8 : 6;
    case 0x82: /* в */
        return upper ? 8 : -1;
    case 'g':
    case 'q':
        return 9;
    }
    return -1;
}

static int unit_digit(const struct unit *unit)
{
    return unit->kind == FOLD_DIGIT ? unit->own - '0' : look_alike(unit);
}

/* The last token of the glued group that starts at `token`, if all of it can be read as digits and
 * some of it is; else `token` - 1. */
static size_t look_alike_end(const struct word_view *words, size_t token)
{
    const struct unit *units = words->text->units;
    size_t end = token, digits = 0, letters = 0;

    while (end + 1 < words->token_count && words->tokens[end + 1].glued)
        end++;
    for (uint32_t i = words->tokens[token].first; i <= words->tokens[end].last; i++) {
        if (unit_digit(&units[i]) < 0)
            return token - 1;
        digits += units[i].kind == FOLD_DIGIT;
        letters += units[i].kind != FOLD_DIGIT;
    }
    return digits > 0 && letters > 0 && digits + letters >= LOOK_ALIKES_MIN ? end : token - 1;
}

static void add_units(struct reader *reader, uint32_t first, uint32_t last)
{
    flush_spoken(reader);
    for (uint32_t i = first; i <= last; i++) {
        const struct unit *unit = &reader->units[i];
        struct digit digit = {.first = i,
                              .last = i,
                              .value = (uint8_t)unit_digit(unit),
                              .disguised =
                                  unit->kind != FOLD_DIGIT || (unit->flags & FOLD_STYLED) != 0};

        add_digit(reader, &digit);
    }
}

/* Few capitals alone between digits: "8-9OO-..." */
static bool is_lone_look_alike(const struct reader *reader, const struct token *token)
{
    if (!reader->run || token->last - token->first > 3)
        return false;
    for (uint32_t i = token->first; i <= token->last; i++) {
        const struct unit *unit = &reader->units[i];

        if (look_alike(unit) < 0 || !(unit->flags & FOLD_UPPER))
            return false;
    }
    return measure_gap(reader, token->first) >= 0;
}

bool digit_run_stands_alone(const struct digit_view *view, const struct digit_run *run, size_t from,
                            size_t count)
{
    const struct digit *digits = &view->digits[run->first];

    return (from == 0 || (digits[from].gap & GAP_WORD)) &&
           (from + count == run->count || (digits[from + count].gap & GAP_WORD));
}

static void end_run(struct reader *reader)
{
    reader->run = NULL;
    reader->repeat = 0;
    reader->bridge_words = 0;
    reader->bridge = 0;
}

/* Goes over "потом", "dash" and the like between two groups of digits; false if the run ends here.
 */
static bool bridge_word(struct reader *reader, const struct token *token)
{
    uint32_t joins = SIGN_JOIN | SIGN_DASH | SIGN_DOT | SIGN_SLASH;
    int gap = reader->run ? gap_bits(reader, token->first) : -1;

    if (!(token->signs & joins) || gap < 0 || reader->bridge_words == BRIDGE_WORDS_MAX)
        return false;
    reader->bridge |= gap | GAP_WORD;
    reader->bridge_words++;
    reader->end = token->last + 1;
    return true;
}

void digit_view_build(struct digit_view *view, const struct word_view *words)
{
    struct reader reader = {.view = view, .words = words, .units = words->text->units};

    view->count = view->run_count = 0;
    for (size_t i = 0; i < words->token_count; i++) {
        const struct token *token = &words->tokens[i];
        bool glued = i + 1 < words->token_count && token[1].glued;
        size_t end = glued ? look_alike_end(words, i) : i - 1;

        if (end + 1 > i) {
            add_units(&reader, token->first, words->tokens[end].last);
            i = end;
        } else if (token->kind == TOKEN_NUMBER) {
            add_units(&reader, token->first, token->last);
        } else if (token->number >= 0) {
            read_number_word(&reader, token);
        } else if (is_lone_look_alike(&reader, token)) {
            add_units(&reader, token->first, token->last);
        } else {
            flush_spoken(&reader);
            if (!bridge_word(&reader, token))
                end_run(&reader);
        }
    }
    flush_spoken(&reader);
}
