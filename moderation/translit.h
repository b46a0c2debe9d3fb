/* SPDX-License-Identifier: Apache-2.0 */
/* Russian written in Latin letters, and the reverse: one phonetic form for both */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the phonetic form are ALPHABET_PHONETIC + (letter - 'a'), and these three. */
enum {
    TRANSLIT_E = 0xC4,
    TRANSLIT_I = 0xC8, /* before an e it is dropped */
    TRANSLIT_SH = 0xDA,
    TRANSLIT_CH = 0xDB,
    TRANSLIT_ZH = 0xDC,
    TRANSLIT_BYTES_MAX = 2,
};

/* The phonetic form of one Russian letter (alphabet.h byte). Returns 0 to TRANSLIT_BYTES_MAX. */
size_t translit_cyrillic(uint8_t letter, uint8_t out[TRANSLIT_BYTES_MAX]);

/* Reads one sound off a word in Latin letters (a-z; "shch", "ya", "kh"). Fills `out`, and `count`
 * with its bytes; returns the letters used, at least 1. */
size_t translit_latin(const uint8_t *letters, size_t left, uint8_t out[TRANSLIT_BYTES_MAX],
                      size_t *count);

/* The sound of a Latin letter as one Russian letter, and the reverse; 0 = none. For words that mix
 * the scripts. */
uint8_t translit_latin_sound(uint8_t latin);
uint8_t translit_cyrillic_sound(uint8_t cyrillic);

/* True if `rest` (phonetic form, may be empty) can end a Russian word after its stem. */
bool translit_is_ending(const uint8_t *rest, size_t length);
