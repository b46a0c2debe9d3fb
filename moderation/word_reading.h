/* SPDX-License-Identifier: Apache-2.0 */
/* Further readings of disguised words */
#pragma once

#include <stdint.h>

struct word_view;

/* Adds to a view with its plain readings every other reading that its words allow. */
void word_reading_add_all(struct word_view *view);

/* What a digit or symbol inside a word stands for. `choice` 0 is the usual letter, 1 the other one;
 * returns 0 if there is no (other) one. */
uint8_t word_reading_leet_latin(uint32_t ch, int choice);
uint8_t word_reading_leet_cyrillic(uint32_t ch, int choice);
