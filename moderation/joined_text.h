/* SPDX-License-Identifier: Apache-2.0 */
/* Short messages of one sender put together, to find what was split over them */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/screen.h"

enum { JOINED_BYTES_MAX = (SCREEN_WINDOW_MAX + 1) * (SCREEN_FRAGMENT_BYTES + 1) };

struct joined_text {
    char text[JOINED_BYTES_MAX];
    size_t length;
    size_t start;                     /* of the last message: what was screened alone already */
    size_t starts[SCREEN_WINDOW_MAX]; /* of the pieces before it */
    uint8_t steps[SCREEN_WINDOW_MAX]; /* and how far back each is: 0 = the message before */
    size_t pieces;
};

/* Which earlier messages can be pieces of the same thing. */
enum joined_kind {
    JOINED_NUMERIC, /* all with digits in them: a number */
    JOINED_LAST,    /* the last few: an address */
};

/* Returns false if there is nothing to join. `numeric`: the message itself has digits. */
bool joined_text_make(struct joined_text *joined, const struct screen_input *input,
                      enum joined_kind kind);

/* Bits, as in struct screen_match, of the pieces that reach past byte `from`. */
uint32_t joined_text_pieces(const struct joined_text *joined, size_t from);
