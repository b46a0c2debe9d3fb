/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of digits that could be one number: its shape, and what is said around it */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/digit_view.h"

struct word_view;

enum { NUMBER_DIGITS_MAX = 20 };

struct number_window {
    uint8_t digits[NUMBER_DIGITS_MAX];
    size_t count;
    uint8_t groups[NUMBER_DIGITS_MAX]; /* digits that touch; a number word is one group */
    size_t group_count;
    unsigned gaps; /* bits of enum digit_gap inside it */
    bool spoken, disguised;
    bool plus;
    bool whole;           /* stands alone in its run */
    uint32_t first, last; /* units */
};

/* Takes digits [from, from + count) of a run, count <= NUMBER_DIGITS_MAX. */
void number_window_read(struct number_window *window, const struct digit_view *view,
                        const struct digit_run *run, size_t from, size_t count);

/* All groups of one digit. */
bool number_window_singles(const struct number_window *window);

/* The lengths of the groups are one of these: "1334", "3322". Letters from a on are 10 and more. */
bool number_window_shaped(const struct number_window *window, const char *const shapes[],
                          size_t count);

/* Signs of the words up to `before` tokens before the window and `after` tokens after it, within
 * its line. */
uint32_t number_window_signs(const struct number_window *window, const struct word_view *words,
                             size_t before, size_t after);
