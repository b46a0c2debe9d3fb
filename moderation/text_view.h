/* SPDX-License-Identifier: Apache-2.0 */
/* The folded view of a text: what a reader sees, one unit a character, with the way back */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "moderation/fold.h"

/* One visible character. Marks and invisible characters have no unit of their own. */
struct unit {
    uint32_t at;   /* its first byte in the text */
    uint32_t ch;   /* folded code point; symbols are normalised too: ＠ is '@', · is '.' */
    uint8_t bytes; /* of the text that it stands for; 0 for the later units of one character */
    uint8_t kind;  /* FOLD_LETTER, _DIGIT, _SPACE, _LINE or _SYMBOL */
    uint8_t flags; /* FOLD_UPPER ... */
    uint8_t own;   /* as in struct fold_entry */
    uint8_t latin;
    uint8_t cyrillic;
};

/* What a text has that an address or a number could be made of. */
enum text_feature {
    TEXT_DIGIT = 1,
    TEXT_AT = 2,     /* an at sign */
    TEXT_DOT = 4,    /* a dot before a letter, or after no word */
    TEXT_COLON = 8,  /* a colon before a letter or slash */
    TEXT_SLASH = 16, /* a slash before a blank */
};

/* Scratch: `units` has room for one unit per byte, and one more. */
struct text_view {
    struct unit *units; /* units[count] is a FOLD_LINE at the text's end */
    size_t count;
    size_t capacity;
    size_t hidden;     /* marks and invisible characters that were dropped */
    unsigned features; /* of enum text_feature */
};

void text_view_init(struct text_view *view, size_t capacity);
void text_view_deinit(struct text_view *view);

/* Reads `text` into the view. Returns 0, -EILSEQ if it is no valid UTF-8, -E2BIG if it is longer
 * than the capacity. */
int text_view_read(struct text_view *view, const char *text, size_t length);

/* Bytes of the text under units [first, last]. */
static inline uint32_t text_view_from(const struct text_view *view, size_t first)
{
    return view->units[first].at;
}

static inline uint32_t text_view_to(const struct text_view *view, size_t last)
{
    /* A later unit of an expanded character has no bytes: its first unit carries them. */
    while (last > 0 && view->units[last].bytes == 0)
        last--;
    return view->units[last].at + view->units[last].bytes;
}
