/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of a text that may be one word */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word_view;

enum {
    CHUNK_MAX = 64, /* characters; nobody reads a longer word */
    SPACED_MIN = 3, /* letters with something between each */
};

struct word_chunk {
    uint32_t units[CHUNK_MAX];
    size_t count;
    size_t first, last; /* tokens */
    bool joined;        /* of letters that stood apart */
    unsigned latin, cyrillic, foreign, digits, symbols, masks;
    bool looks_latin, looks_cyrillic; /* every letter has a twin there */
};

/* Words and digits from `token` on that touch, or are held together by symbols for letters. */
void word_chunk_collect(struct word_chunk *chunk, const struct word_view *view, size_t token);

/* Only symbols that stand for letters lie between a token and the next one, or nothing. */
bool word_chunk_goes_on(const struct word_view *view, size_t token);

/* A Cyrillic letter that nobody could tell from a Latin one, in one case or the other. A word is
 * read in the other script only if all of its letters are such. */
bool word_chunk_has_twin(uint8_t own);

/* The reverse. */
bool word_chunk_has_cyrillic_twin(uint8_t own);

/* Tokens [first, end), without what is between. */
void word_chunk_join(struct word_chunk *chunk, const struct word_view *view, size_t first,
                     size_t end);

/* One past the last token of a run of single letters, from `token` on, with the same thing between
 * each; `token` + 1 if there is none. */
size_t word_chunk_spaced_end(const struct word_view *view, size_t token);

/* Some of its letters could be others. */
bool word_chunk_is_strange(const struct word_chunk *chunk);
