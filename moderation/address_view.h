/* SPDX-License-Identifier: Apache-2.0 */
/* A text as one line in which addresses stand as they would be typed into a browser */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word_view;

enum address_mark {
    ADDRESS_SAID = 1,    /* a word stood there: "собака", "dot" */
    ADDRESS_SPACED = 2,  /* blanks were taken away beside it */
    ADDRESS_WRAPPED = 4, /* brackets were taken away around it */
    ADDRESS_UPPER = 8,   /* an upper case letter */
    ADDRESS_MIXED = 16,  /* a letter of another script than its neighbours */
};

/* Scratch. `chars` are ASCII, or Cyrillic letters in the matcher's alphabet; every other letter is
 * ADDRESS_LETTER, every other symbol ADDRESS_SYMBOL, a blank ' ', the end of a line '\n'. */
struct address_view {
    uint8_t *chars;
    uint8_t *marks;
    uint32_t *first, *last; /* units under each character */
    size_t count, capacity;
    size_t at_signs, dots, colons; /* how many, so that nothing is looked for in vain */
};

enum { ADDRESS_LETTER = 0xF0, ADDRESS_SYMBOL = 0x01 };

void address_view_init(struct address_view *view, size_t text_capacity);
void address_view_deinit(struct address_view *view);

/* Signs (lexicon.h) must be marked on the tokens. */
void address_view_build(struct address_view *view, const struct word_view *words);

/* a-z 0-9 */
bool address_is_alnum(uint8_t ch);
/* alnum, or a letter of another script */
bool address_is_letter_or_digit(uint8_t ch);

/* Writes chars [from, to) as UTF-8 with a NUL; returns false if they don't fit or can't be. */
bool address_view_text(const struct address_view *view, size_t from, size_t to, char *out,
                       size_t out_bytes);

/* Any of the marks on chars [from, to). */
unsigned address_view_marks(const struct address_view *view, size_t from, size_t to);
