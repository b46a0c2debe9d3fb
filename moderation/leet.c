/* SPDX-License-Identifier: Apache-2.0 */
/* Digits and symbols that stand for letters */
#include "moderation/leet.h"

#include <stddef.h>

struct leet {
    uint32_t ch;
    char latin[2];
    uint8_t cyrillic[2];
};

static const struct leet leets[] = {
    {'0', "o", {0x8E}},        {'1', "il", {0x88, 0x8B}}, {'2', "z", {0}},
    {'3', "e", {0x87, 0x85}},  {'4', "a", {0x97, 0x80}},  {'5', "s", {0x91}},
    {'6', "bg", {0x81, 0x98}}, {'7', "t", {0x92}},        {'8', "b", {0x82}},
    {'9', "gq", {0x9F, 0x84}}, {'@', "a", {0x80}},        {'$', "s", {0x91}},
    {'!', "il", {0x88}},       {'|', "il", {0x88}},       {0x20AC, "e", {0x85}},
    {0xA3, "l", {0x8B}},       {0xA5, "y", {0x93}},       {0xA2, "c", {0x91}},
};

static const struct leet *find_leet(uint32_t ch)
{
    for (size_t i = 0; i < sizeof(leets) / sizeof(leets[0]); i++) {
        if (leets[i].ch == ch)
            return &leets[i];
    }
    return NULL;
}

uint8_t leet_latin(uint32_t ch, int choice)
{
    const struct leet *leet = find_leet(ch);

    return leet ? (uint8_t)leet->latin[choice] : 0;
}

uint8_t leet_cyrillic(uint32_t ch, int choice)
{
    const struct leet *leet = find_leet(ch);

    return leet ? leet->cyrillic[choice] : 0;
}

bool leet_is_mask(uint32_t ch)
{
    return ch == '*' || ch == '#' || ch == '%' || ch == '?' || ch == '^' || ch == '~' ||
           ch == '_' || ch == 0x2022 || ch == 0x25CF || ch == 0x25E6 || ch == 0x2605 ||
           ch == 0x2606 || ch == 0xD7 || ch == 0xA4 || ch == 0x2588 || ch == 0x25A0;
}

bool leet_is_apostrophe(uint32_t ch)
{
    return ch == '\'' || ch == 0x2019 || ch == 0x2BC || ch == '`';
}

bool leet_is_inner(uint32_t ch)
{
    return leet_is_mask(ch) || leet_is_apostrophe(ch) ||
           (ch >= 0x80 ? find_leet(ch) != NULL : ch == '@' || ch == '$' || ch == '!' || ch == '|');
}
