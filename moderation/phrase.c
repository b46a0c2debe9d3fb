/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases
 *
 * Requests ("скинь свой номер") have endless forms, but few words that carry them. A phrase names
 * these, as stems, with a bounded gap between. The matcher looks for one element of each phrase
 * only, the most distinctive one; the others are checked here, around a hit. So thousands of
 * phrases cost nothing until the rare word turns up, and a hit costs at most (elements x gap)
 * comparisons.
 */
#include "moderation/phrase.h"

#include <stdlib.h>
#include <string.h>

#include "moderation/word_view.h"
#include "protocol/xalloc.h"

static void keep_pattern(void *context, const struct word_pattern *pattern)
{
    struct phrase_element *element = context;

    if ((element->count & (element->count - 1)) == 0)
        element->patterns = xreallocarray(
            element->patterns, element->count ? element->count * 2 : 1, sizeof(*element->patterns));
    element->patterns[element->count++] = *pattern;
}

/* Bytes up to the next bar that is in no group of its own. */
static size_t alternative_length(const char *text, size_t length)
{
    int depth = 0;

    for (size_t i = 0; i < length; i++) {
        depth += text[i] == '(';
        depth -= text[i] == ')';
        if (text[i] == '|' && depth == 0)
            return i;
    }
    return length;
}

/* The bracket that opens the text is closed by its last byte. */
static bool is_bracketed(const char *text, size_t length)
{
    int depth = 0;

    if (length < 2 || text[0] != '(' || text[length - 1] != ')')
        return false;
    for (size_t i = 0; i + 1 < length; i++) {
        depth += text[i] == '(';
        depth -= text[i] == ')';
        if (depth == 0)
            return false;
    }
    return true;
}

/* One word, or (words|with|bars). */
static const char *read_alternatives(struct phrase_element *element, const char *text,
                                     size_t length)
{
    if (is_bracketed(text, length)) {
        text++;
        length -= 2;
    }
    while (length > 0) {
        size_t n = alternative_length(text, length);
        bool more = n < length;
        const char *why = word_pattern_parse(text, n, keep_pattern, element);

        if (why)
            return why;
        text += n + more;
        length -= n + more;
    }
    return element->count > 0 ? NULL : "an empty alternative in a phrase";
}

static size_t shortest_pattern(const struct phrase_element *element)
{
    size_t shortest = WORD_PATTERN_MAX;

    for (size_t i = 0; i < element->count; i++) {
        const struct word_pattern *pattern = &element->patterns[i];
        size_t length = pattern->length + !pattern->open_right;

        if (length < shortest)
            shortest = length;
    }
    return shortest;
}

static const char *choose_key(struct phrase *phrase)
{
    size_t best = 0;

    for (size_t i = 0; i < phrase->count; i++) {
        const struct phrase_element *element = &phrase->elements[i];

        if (!element->absent && shortest_pattern(element) > best) {
            best = shortest_pattern(element);
            phrase->key = i;
        }
    }
    return best >= 3 ? NULL : "a phrase needs a word of three letters or more";
}

static const char *read_element(struct phrase *phrase, const char *part, size_t n, unsigned *gap)
{
    struct phrase_element *element = &phrase->elements[phrase->count];

    if (n == 1 && part[0] >= '0' && part[0] <= '9') {
        *gap = (unsigned)(part[0] - '0');
        return phrase->count > 0 || phrase->starts ? NULL : "a phrase starts with a number";
    }
    if (phrase->ends)
        return "something after the $ of a phrase";
    if (n == 1 && part[0] == '^') {
        phrase->starts = true;
        return phrase->count == 0 ? NULL : "a ^ in the middle of a phrase";
    }
    if (n == 1 && part[0] == '$') {
        phrase->ends = true;
        phrase->after = *gap;
        return NULL;
    }
    if (phrase->count == 0) {
        phrase->before = *gap;
        *gap = 0;
    }
    if (phrase->count == PHRASE_ELEMENTS_MAX)
        return "a phrase of more than 8 elements";
    phrase->count++;
    element->gap = *gap;
    *gap = 0;
    if (part[0] == '!') {
        element->absent = true;
        part++;
        n--;
    }
    return read_alternatives(element, part, n);
}

const char *phrase_parse(struct phrase *phrase, const char *text, size_t length)
{
    unsigned gap = 0;

    *phrase = (struct phrase){0};
    while (length > 0) {
        size_t n = 0;

        while (n < length && text[n] != ' ' && text[n] != '\t')
            n++;
        const char *why = n > 0 ? read_element(phrase, text, n, &gap) : NULL;
        if (why)
            return why;
        n += n < length;
        text += n;
        length -= n;
    }
    if (phrase->count < 2 && !(phrase->count == 1 && phrase->starts && phrase->ends))
        return "a phrase of one word: use words, or ^ and $";
    return choose_key(phrase);
}

void phrase_deinit(struct phrase *phrase)
{
    for (size_t i = 0; i < phrase->count; i++)
        free(phrase->elements[i].patterns);
    *phrase = (struct phrase){0};
}

/* ---- checking ---- */

static bool fits_any(const struct phrase_element *element, const struct word_view *view,
                     uint32_t start, uint32_t length, bool phonetic)
{
    for (size_t i = 0; i < element->count; i++) {
        const struct word_pattern *pattern = &element->patterns[i];

        if (pattern->phonetic == phonetic &&
            (pattern->open_left || pattern->bytes[0] == view->bytes[start]) &&
            word_pattern_fits(pattern, view->bytes + start, view->run + start, length))
            return true;
    }
    return false;
}

/* True if a reading of the token is one of the element's words; *last is where it ends. */
static bool token_fits(const struct phrase_element *element, const struct word_view *view,
                       size_t token, size_t *last)
{
    const struct token *t = &view->tokens[token];

    *last = token;
    if (fits_any(element, view, t->line, t->length, false))
        return true;
    for (uint32_t i = t->readings; i; i = view->segments[i - 1].next) {
        const struct segment *segment = &view->segments[i - 1];

        if (fits_any(element, view, segment->start, segment->length,
                     segment->kind == SEGMENT_PHONETIC)) {
            *last = segment->last;
            return true;
        }
    }
    return false;
}

/* A sentence ends between a token and the next one. */
static bool sentence_ends(const struct word_view *view, size_t token)
{
    const struct unit *units = view->text->units;
    bool stop = false;

    for (uint32_t i = view->tokens[token].last + 1; i < view->tokens[token + 1].first; i++) {
        uint32_t ch = units[i].ch;

        if (units[i].kind == FOLD_LINE || ch == '!' || ch == '?' || ch == ';')
            return true;
        if (stop && units[i].kind == FOLD_SPACE)
            return true;
        stop = ch == '.';
    }
    return false;
}

static bool check_after(const struct phrase *phrase, const struct word_view *view, size_t *last)
{
    for (size_t i = phrase->key + 1; i < phrase->count; i++) {
        const struct phrase_element *element = &phrase->elements[i];
        size_t at = *last, end = at;
        bool found = false;

        for (unsigned step = 0; step <= element->gap && !found; step++, at++) {
            if (at + 1 >= view->token_count || sentence_ends(view, at))
                break;
            found = token_fits(element, view, at + 1, &end);
        }
        if (found == element->absent)
            return false;
        if (!element->absent)
            *last = end;
    }
    return true;
}

/* The gap before element i + 1 separates it from element i. */
static bool check_before(const struct phrase *phrase, const struct word_view *view, size_t *first)
{
    for (size_t i = phrase->key; i-- > 0;) {
        const struct phrase_element *element = &phrase->elements[i];
        unsigned gap = phrase->elements[i + 1].gap;
        size_t at = *first, end;
        bool found = false;

        for (unsigned step = 0; step <= gap && !found && at > 0; step++, at--) {
            if (sentence_ends(view, at - 1))
                break;
            found = token_fits(element, view, at - 1, &end);
        }
        if (found == element->absent)
            return false;
        if (!element->absent)
            *first = at;
    }
    return true;
}

bool phrase_check(const struct phrase *phrase, const struct word_view *view, size_t *first,
                  size_t *last)
{
    if (!check_after(phrase, view, last) || !check_before(phrase, view, first))
        return false;
    if (phrase->starts && *first > phrase->before)
        return false;
    return !phrase->ends || view->token_count - 1 - *last <= phrase->after;
}
