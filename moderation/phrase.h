/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases: words in order, with a bounded number of others between */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/word_pattern.h"

struct word_view;

enum { PHRASE_ELEMENTS_MAX = 8, PHRASE_GAP_MAX = 9 };

struct phrase_element {
    struct word_pattern *patterns; /* any of these */
    size_t count;
    unsigned gap; /* other words that may stand before it */
    bool absent;  /* none of them may stand there */
};

struct phrase {
    struct phrase_element elements[PHRASE_ELEMENTS_MAX];
    size_t count;
    bool starts, ends;      /* it is the whole text from its start, to its end, ... */
    unsigned before, after; /* ... but for so many other words */
    size_t key; /* the element that the matcher looks for: the one with the longest words */
};

/* Reads a phrase as rules write it: words or (alternatives|with|bars), a number N between two for
 * "up to N other words here", ! before an element that must not stand there, ^ and $ for the start
 * and end of the text. Returns NULL, or what is wrong; the phrase must be deinitialised in both
 * cases. */
const char *phrase_parse(struct phrase *phrase, const char *text, size_t length);
void phrase_deinit(struct phrase *phrase);

/* Tokens [*first, *last] hold the key element: checks the other elements around it. On success
 * widens *first and *last to the whole phrase. Never looks past the end of a sentence. */
bool phrase_check(const struct phrase *phrase, const struct word_view *view, size_t *first,
                  size_t *last);
