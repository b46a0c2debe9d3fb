/* SPDX-License-Identifier: Apache-2.0 */
/* The digits of a text, however they are written, in runs that could be one number */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word_view;

/* What lies between a digit and the one before it. */
enum digit_gap {
    GAP_SPACE = 1,
    GAP_DASH = 2,
    GAP_DOT = 4,
    GAP_BRACKET = 8,
    GAP_SLASH = 16,
    GAP_COMMA = 32,
    GAP_LINE = 64,
    GAP_OTHER = 128, /* a symbol that nobody writes there: * | _ or an emoji */
    GAP_WORD = 256, /* "8912, потом 345": it may be a list, so the rest must be beyond doubt */
};

struct digit {
    uint32_t first, last; /* units */
    uint16_t gap;         /* bits; 0 = touches the digit before it */
    uint8_t value;
    bool spoken;    /* a number word */
    bool disguised; /* a letter that looks like it, or a styled digit */
};

struct digit_run {
    uint32_t first, count; /* in `digits` */
    bool plus;             /* a plus stands before it */
};

/* Scratch. */
struct digit_view {
    struct digit *digits;
    size_t count, capacity;
    struct digit_run *runs;
    size_t run_count, run_capacity;
};

void digit_view_init(struct digit_view *view, size_t text_capacity);
void digit_view_deinit(struct digit_view *view);

/* Nothing but words stands between digits [from, from + count) of a run and the others of it. */
bool digit_run_stands_alone(const struct digit_view *view, const struct digit_run *run, size_t from,
                            size_t count);

/* Reads the digits of all tokens; number words must be marked (token.number). */
void digit_view_build(struct digit_view *view, const struct word_view *words);
