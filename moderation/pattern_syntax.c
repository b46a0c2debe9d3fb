/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of patterns in rules
 *
 * A recursive descent over the notation that writes the expression as it reads, and adds up the
 * least and the greatest width. What could blow up is not there to be written: no star, no plus,
 * no reference back, every repetition has an end.
 */
#include "moderation/pattern_syntax.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/fold.h"

enum { DEPTH_MAX = 8, WIDTH_MIN = 3 };

static const char letters[] = "a-z\\x80-\\xbf";

struct width {
    unsigned least, most;
};

struct translator {
    const char *at, *end;
    char *out;
    size_t written;
    const char *why; /* the first fault */
    int depth;
};

static void fail(struct translator *t, const char *why)
{
    if (!t->why)
        t->why = why;
    t->at = t->end;
}

static void put(struct translator *t, const char *text)
{
    size_t n = strlen(text);

    if (t->written + n >= PATTERN_TEXT_MAX) {
        fail(t, "the pattern is too long");
        return;
    }
    memcpy(t->out + t->written, text, n + 1);
    t->written += n;
}

static void put_byte(struct translator *t, uint8_t byte)
{
    char text[8];

    snprintf(text, sizeof(text), "\\x%02x", byte);
    put(t, text);
}

static char peek(const struct translator *t)
{
    return t->at < t->end ? *t->at : '\0';
}

static uint32_t take_char(struct translator *t)
{
    const unsigned char *s = (const unsigned char *)t->at;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    uint32_t ch = n == 1 ? s[0] : s[0] & (0x7FU >> n);

    if (n > (size_t)(t->end - t->at))
        n = (size_t)(t->end - t->at);
    for (size_t i = 1; i < n; i++)
        ch = ch << 6 | (s[i] & 0x3F);
    t->at += n;
    return ch;
}

/* The alphabet's byte of a letter or digit; 0 for what is an edge in the text. */
static uint8_t byte_of(struct translator *t, uint32_t ch)
{
    const struct fold_entry *entry = fold_lookup(ch);

    if (entry->kind != FOLD_LETTER && entry->kind != FOLD_DIGIT)
        return 0;
    if (!entry->own)
        fail(t, "a pattern has Latin and Cyrillic letters only");
    return entry->own;
}

/* ---- one character ---- */

static void read_class_item(struct translator *t)
{
    uint8_t from = byte_of(t, take_char(t)), to = from;

    if (peek(t) == '-' && t->at + 1 < t->end && t->at[1] != ']') {
        take_char(t);
        to = byte_of(t, take_char(t));
    }
    if (!from || to < from) {
        fail(t, "a class has letters, digits and ranges of them");
        return;
    }
    put_byte(t, from);
    put(t, "-");
    put_byte(t, to);
}

static void read_class(struct translator *t)
{
    bool none = peek(t) == '^';

    /* A negated class still never matches an edge. */
    t->at += none;
    put(t, none ? "[^\\x20\\x0a" : "[");
    if (peek(t) == ']')
        fail(t, "an empty class");
    while (t->at < t->end && peek(t) != ']')
        read_class_item(t);
    if (t->at == t->end) {
        fail(t, "a [class] has no end");
        return;
    }
    t->at++;
    put(t, "]");
}

static void read_escape(struct translator *t)
{
    switch (t->at < t->end ? *t->at++ : '\0') {
    case 'd':
        put(t, "[0-9]");
        return;
    case 'l':
        put(t, "[");
        put(t, letters);
        put(t, "]");
        return;
    case 'w':
        put(t, "[0-9");
        put(t, letters);
        put(t, "]");
        return;
    }
    fail(t, "a backslash stands before d, l or w only");
}

static struct width read_alternatives(struct translator *t);

static struct width read_atom(struct translator *t)
{
    uint32_t ch = take_char(t);
    struct width one = {1, 1};

    if (ch == '(') {
        put(t, "(?:");
        struct width width = read_alternatives(t);
        if (peek(t) != ')')
            fail(t, "a (group) has no end");
        else
            t->at++;
        put(t, ")");
        return width;
    }
    if (ch == '[')
        read_class(t);
    else if (ch == '\\')
        read_escape(t);
    else if (ch == '.')
        put(t, "[^\\x20\\x0a]");
    else if (ch == '*' || ch == '+' || ch == '?' || ch == '{' || ch == '}' || ch == ']')
        fail(t, "a repetition without an end, or of nothing: use {2,5}");
    else
        put_byte(t, byte_of(t, ch) ? byte_of(t, ch) : ALPHABET_EDGE);
    return one;
}

/* ---- repetitions, sequences, groups ---- */

static unsigned read_count(struct translator *t)
{
    unsigned count = 0;

    if (peek(t) < '0' || peek(t) > '9')
        fail(t, "a repetition is {3} or {2,5}");
    while (peek(t) >= '0' && peek(t) <= '9' && count <= PATTERN_REPEATS_MAX)
        count = count * 10 + (unsigned)(*t->at++ - '0');
    if (count > PATTERN_REPEATS_MAX)
        fail(t, "more than 32 repetitions");
    return count;
}

static struct width read_repetition(struct translator *t, struct width width)
{
    unsigned least = 1, most = 1;
    char text[32];

    if (peek(t) == '?') {
        t->at++;
        least = 0;
    } else if (peek(t) == '{') {
        t->at++;
        least = most = read_count(t);
        if (peek(t) == ',') {
            t->at++;
            most = read_count(t);
        }
        if (peek(t) != '}' || most < least || most == 0)
            fail(t, "a repetition is {3} or {2,5}");
        else
            t->at++;
    } else {
        return width;
    }
    snprintf(text, sizeof(text), "{%u,%u}", least, most);
    put(t, text);
    return (struct width){width.least * least, width.most * most};
}

static struct width read_sequence(struct translator *t)
{
    struct width sum = {0, 0};

    while (t->at < t->end && peek(t) != '|' && peek(t) != ')') {
        struct width width = read_repetition(t, read_atom(t));

        sum.least += width.least;
        sum.most += width.most;
        if (sum.most > PATTERN_WIDTH_MAX)
            fail(t, "the pattern could match more than 128 characters");
    }
    return sum;
}

static struct width read_alternatives(struct translator *t)
{
    if (++t->depth > DEPTH_MAX)
        fail(t, "groups nested too deep");
    struct width all = read_sequence(t);
    while (peek(t) == '|') {
        t->at++;
        put(t, "|");
        struct width width = read_sequence(t);
        all.least = width.least < all.least ? width.least : all.least;
        all.most = width.most > all.most ? width.most : all.most;
    }
    t->depth--;
    return all;
}

const char *pattern_syntax_translate(const char *text, size_t length, char out[PATTERN_TEXT_MAX])
{
    struct translator t = {.at = text, .end = text + length, .out = out};
    bool open_left = length > 0 && text[0] == '*';
    bool open_right = length > 1 && text[length - 1] == '*';

    t.at += open_left;
    t.end -= open_right;
    out[0] = '\0';
    put(&t, open_left ? "(?:" : "\\x20(?:");
    struct width width = read_alternatives(&t);
    put(&t, open_right ? ")" : ")\\x20");
    if (!t.why && t.at < t.end)
        return "a ) without its (";
    if (!t.why && width.least < WIDTH_MIN)
        return "a pattern that fewer than three characters can match";
    return t.why;
}
