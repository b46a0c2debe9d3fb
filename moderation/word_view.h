/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a text in the matcher's alphabet, each in every reading that a disguise allows */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/text_view.h"

enum token_kind { TOKEN_WORD, TOKEN_NUMBER };

enum token_script {
    TOKEN_MIXED,    /* several, or another one, or each letter has a twin in the other one */
    TOKEN_CYRILLIC, /* Russian letters only */
    TOKEN_LATIN,    /* Latin letters only */
};

/* A run of letters, or of digits. */
struct token {
    uint32_t first, last;  /* units */
    uint32_t line, length; /* place in `bytes`: its plain reading */
    uint32_t readings;     /* head of the list of other readings: segment index + 1, 0 = none */
    uint8_t kind;
    bool glued;     /* touches the token before it */
    uint8_t script; /* of enum token_script */
    int16_t number; /* set by the screener: value of a number word, else -1 */
    uint32_t signs; /* set by the screener: bits of enum lexicon_sign */
};

enum segment_kind {
    SEGMENT_PLAIN,    /* the words as written, one after another */
    SEGMENT_LATIN,    /* read as Latin letters */
    SEGMENT_CYRILLIC, /* read as Cyrillic letters */
    SEGMENT_PHONETIC, /* Russian spelled in Latin letters, phonetic form */
    SEGMENT_MASKED,   /* a hidden letter guessed */
};

/* One reading of one word, or of letters that were spaced apart. */
struct segment {
    uint32_t start, length; /* in `bytes`, without the edges */
    uint32_t first, last;   /* tokens it was made of */
    uint32_t next;          /* next reading of token `first`: segment index + 1 */
    uint8_t kind;
    bool joined; /* single letters with something between them */
};

/* Scratch. `bytes` is what the matcher scans: an edge, the plain readings with an edge after each,
 * an end; then the other readings in the same way. Runs of one letter are squeezed to one byte;
 * `run` keeps their length, so that a rule with a double letter can insist on it. */
struct word_view {
    const struct text_view *text;
    uint8_t *bytes;
    uint8_t *run;
    uint32_t *first, *last; /* units under each byte */
    size_t length, capacity, limit;
    struct token *tokens;
    size_t token_count, token_capacity;
    struct segment *segments;
    size_t segment_count, segment_capacity;
    uint32_t signs; /* set by the screener: those of all tokens */
    bool numbers;   /* set by the screener: some token is a number word */
    bool full;      /* readings were left out: too many disguised words */
};

void word_view_init(struct word_view *view, size_t text_capacity);
void word_view_deinit(struct word_view *view);

/* Builds tokens and readings of `text`, which must outlive the view's use. */
void word_view_build(struct word_view *view, const struct text_view *text);

/* The token that holds this unit, or the last one before it; (size_t)-1 if there is none. */
size_t word_view_token_at(const struct word_view *view, uint32_t unit);

/* Signs of the words up to `before` tokens before units [first, last] and `after` tokens after
 * them, within their line. */
uint32_t word_view_signs_near(const struct word_view *view, uint32_t first, uint32_t last,
                              size_t before, size_t after);
