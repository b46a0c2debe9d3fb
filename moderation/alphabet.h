/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher's alphabet: one byte for a folded Latin or Cyrillic letter */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Rules and texts are compared in this alphabet, not in UTF-8, so that a place in a folded text is
 * an index, and no literal can match in the middle of a character:
 *   ' '         word edge          '\n'        end of a segment      '*'  any one letter, masked
 *   '0' - '9'   digits             'a' - 'z'   Latin
 *   0x80 - 0x9F Russian а - я (ё is folded into е)
 *   0xA0 - 0xBF other Cyrillic letters, in the order of alphabet_extra
 *   0xC0 - 0xDF Russian words spelled in Latin letters, in a phonetic form (translit.h)
 *   0xF0 - 0xFF letters of all other scripts: six bytes each, four bits of the code point a byte
 */
enum {
    ALPHABET_EDGE = ' ',
    ALPHABET_END = '\n',
    ALPHABET_ANY = '*',
    ALPHABET_CYRILLIC = 0x80,
    ALPHABET_EXTRA = 0xA0,
    ALPHABET_PHONETIC = 0xC0,
    ALPHABET_WIDE = 0xF0,
    ALPHABET_WIDE_BYTES = 6,
    ALPHABET_SHORT_I = 0x89, /* й */
};

/* The letters from ALPHABET_EXTRA on: Ukrainian, Belarusian, Kazakh, Tatar, Serbian. */
#define ALPHABET_EXTRA_LETTERS                                                                     \
    {                                                                                              \
        0x456, 0x454, 0x491, 0x4D9, 0x493, 0x49B, 0x4A3, 0x4E9, 0x4B1, 0x4AF, 0x4BB, 0x497, 0x458, \
            0x459, 0x45A, 0x45B, 0x452, 0x45F, 0x455                                               \
    }

static inline bool alphabet_is_latin(uint8_t letter)
{
    return letter >= 'a' && letter <= 'z';
}

static inline bool alphabet_is_cyrillic(uint8_t letter)
{
    return letter >= ALPHABET_CYRILLIC && letter < ALPHABET_PHONETIC;
}

static inline bool alphabet_is_digit(uint8_t letter)
{
    return letter >= '0' && letter <= '9';
}
