/* SPDX-License-Identifier: Apache-2.0 */
/* Words that the detectors know: numbers, and what people say around a contact */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bits of struct token's `signs`. */
enum lexicon_sign {
    SIGN_AT = 1 << 0,    /* said for @ */
    SIGN_DOT = 1 << 1,   /* said for a dot */
    SIGN_SLASH = 1 << 2, /* said for / */
    SIGN_DASH = 1 << 3,  /* said for - */
    SIGN_UNDERSCORE = 1 << 4,
    SIGN_PHONE = 1 << 5,  /* a telephone number is near */
    SIGN_NUMBER = 1 << 6, /* "number": near a phone only together with a person */
    SIGN_CARD = 1 << 7,
    SIGN_MAIL = 1 << 8,
    SIGN_LINK = 1 << 9,
    SIGN_MESSENGER = 1 << 10,      /* names a messenger or network, and nothing else */
    SIGN_MESSENGER_WEAK = 1 << 11, /* may name one: vk, insta, line */
    SIGN_PERSON = 1 << 12,         /* my, me, your */
    SIGN_REACH = 1 << 13,          /* write, add, find, search */
    SIGN_COUNTED = 1 << 14,        /* a task, an edition, a price: the number is of that */
    SIGN_NICK = 1 << 15,           /* nick, login, id */
    SIGN_JOIN = 1 << 16,           /* said between the pieces of a number: then, and, space */
};

/* A double word: "double seven", "triple five". */
enum { LEXICON_DOUBLE = 1001, LEXICON_TRIPLE = 1002, LEXICON_HUNDRED = 1003 };

struct lexicon_entry {
    uint32_t signs;    /* 0 for a number */
    int16_t number;    /* 0 to 900, or LEXICON_DOUBLE ...; -1 for a sign */
    const char *words; /* in the notation of word_pattern.h, blanks between */
};

extern const struct lexicon_entry lexicon[];
extern const size_t lexicon_count;
