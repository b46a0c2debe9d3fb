/* SPDX-License-Identifier: Apache-2.0 */
/* What one code point is to the engine: a constant table, generated with ICU at build time */
#pragma once

#include <stdint.h>

enum fold_kind {
    FOLD_SYMBOL, /* punctuation, emoji, everything else; unassigned code points too */
    FOLD_LETTER,
    FOLD_DIGIT,
    FOLD_SPACE,
    FOLD_LINE,   /* ends a line */
    FOLD_DROP,   /* seen by nobody: zero-width, variation selectors, tags, fillers, controls */
    FOLD_MARK,   /* combining */
    FOLD_EXPAND, /* stands for several: `shift` is an index into fold_expansions */
};

enum {
    FOLD_UPPER = 1,    /* an upper or title case letter before folding */
    FOLD_STYLED = 2,   /* another form of a common character: full-width, circled, mathematical */
    FOLD_REGIONAL = 4, /* regional indicator: half a flag, or a styled letter */
};

struct fold_entry {
    uint8_t kind;
    uint8_t flags;
    uint8_t own;      /* alphabet.h byte of the folded letter or digit; 0 = none */
    uint8_t latin;    /* the Latin letter it is or looks like, or 0 */
    uint8_t cyrillic; /* the Cyrillic letter it is or looks like, or 0 */
    int32_t shift;    /* folded code point minus this one (NFKC, case fold, marks stripped) */
};

enum { FOLD_PAGE_BITS = 7, FOLD_PAGES = 0x110000 >> FOLD_PAGE_BITS, FOLD_EXPANSION_MAX = 4 };

struct fold_expansion {
    uint32_t chars[FOLD_EXPANSION_MAX]; /* folded already; ends with 0 if shorter. Never more than
                                           the UTF-8 bytes of the code point */
};

extern const struct fold_entry fold_entries[];
extern const uint16_t fold_cells[]; /* -> fold_entries, (page << FOLD_PAGE_BITS) + low bits */
extern const uint8_t fold_pages[FOLD_PAGES]; /* -> page */
extern const struct fold_expansion fold_expansions[];

/* `ch` must be below 0x110000. */
static inline const struct fold_entry *fold_lookup(uint32_t ch)
{
    unsigned page = fold_pages[ch >> FOLD_PAGE_BITS];

    return &fold_entries[fold_cells[(page << FOLD_PAGE_BITS) |
                                    (ch & ((1U << FOLD_PAGE_BITS) - 1))]];
}
