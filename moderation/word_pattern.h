/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of words in rules, compiled to the matcher's alphabet */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORD_PATTERN_MAX = 40, WORD_FORMS_MAX = 4096 };

/* One form of a word pattern: squeezed, as words are in a word_view. */
struct word_pattern {
    uint8_t bytes[WORD_PATTERN_MAX];
    uint8_t run[WORD_PATTERN_MAX]; /* letters that must at least stand there */
    uint8_t length;
    bool open_left, open_right; /* may go on; else a word edge */
    bool phonetic;              /* for SEGMENT_PHONETIC readings */
};

typedef void (*word_pattern_fn)(void *context, const struct word_pattern *pattern);

/* Reads a word as rules write it, and hands each of its forms to `each`:
 *   word    the whole word          wo[ou]rd  one of these letters
 *   word*   and what begins so      ~word     with any Russian prefix, or none
 *   *word   and what ends so        d(a|bc*|) one of these, or nothing; * only at the end
 *   w#rd    a letter that is masked in the text
 *   =word   without its phonetic forms, where these would be somebody's clean words
 * Case does not matter, ё is е. A Russian word also gets its phonetic forms.
 * Returns NULL, or what is wrong (a constant string). */
const char *word_pattern_parse(const char *text, size_t length, word_pattern_fn each,
                               void *context);

/* True if `word` (`length` bytes of the matcher's alphabet, squeezed, with its runs) is one that
 * the pattern means. */
bool word_pattern_fits(const struct word_pattern *pattern, const uint8_t *word, const uint8_t *run,
                       size_t length);
