/* SPDX-License-Identifier: Apache-2.0 */
/* Digits and symbols that stand for letters, and signs that hide them */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The Latin or Cyrillic letter (alphabet.h) that a character stands for inside a word. `choice` 0
 * is the usual letter, 1 the other one; returns 0 if there is none. */
uint8_t leet_latin(uint32_t ch, int choice);
uint8_t leet_cyrillic(uint32_t ch, int choice);

/* Hides a letter: "f*ck". */
bool leet_is_mask(uint32_t ch);

/* Stands in a word without being a letter: "don't". */
bool leet_is_apostrophe(uint32_t ch);

/* Any symbol that does not end a word when letters follow it. */
bool leet_is_inner(uint32_t ch);
