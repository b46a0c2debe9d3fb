/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of patterns in rules: regular expressions that cannot run away */
#pragma once

#include <stddef.h>

enum { PATTERN_TEXT_MAX = 2048, PATTERN_WIDTH_MAX = 128, PATTERN_REPEATS_MAX = 32 };

/* Translates a pattern as rules write it into a Vectorscan expression over the matcher's alphabet:
 *   a      a letter or digit          \\d \\l \\w  a digit, a letter, either
 *   [a-z]  one of these, [^..] none   .          any letter or digit
 *   (a|b)  one of these               ? {3} {2,5} how often; 32 at most
 *   blank or any other sign           a word edge
 * It stands for whole words, unless it starts or ends with a star. There is no unbounded
 * repetition, and no more than 128 characters can match. Writes a NUL-terminated expression to
 * `out`; returns NULL, or what is wrong (a constant string). */
const char *pattern_syntax_translate(const char *text, size_t length, char out[PATTERN_TEXT_MAX]);
