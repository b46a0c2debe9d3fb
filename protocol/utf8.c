/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: validity, length in code points, blank text
 *
 * decode() follows table 3-7 of the Unicode standard: the lead byte decides the length and the
 * range of the second byte, which is where overlong forms, surrogates and values above U+10FFFF
 * are told apart. ASCII, most of what passes here, takes eight bytes a step.
 */
#include "protocol/utf8.h"

#include <stdint.h>
#include <string.h>

/* Code points that show nothing: White_Space, and those that are usually drawn as nothing. */
static const struct {
    uint32_t first, last;
} blanks[] = {
    {0x0000, 0x0020},   {0x007f, 0x00a0}, {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
    {0x115f, 0x1160},   {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f},
    {0x2028, 0x202f},   {0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

static bool is_blank(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        if (code_point < blanks[i].first)
            return false;
        if (code_point <= blanks[i].last)
            return true;
    }
    return false;
}

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The bounds of the second byte after this lead byte. */
static uint8_t second_min(uint8_t lead)
{
    return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
}

static uint8_t second_max(uint8_t lead)
{
    return lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}

static size_t sequence_bytes(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* Reads one code point at `at`; returns its length in bytes, 0 if there is none. */
static size_t decode(const uint8_t *at, const uint8_t *end, uint32_t *code_point)
{
    size_t bytes = sequence_bytes(*at);

    if (bytes == 0 || bytes > (size_t)(end - at))
        return 0;
    if (bytes == 1) {
        *code_point = *at;
        return 1;
    }
    if (at[1] < second_min(*at) || at[1] > second_max(*at))
        return 0;
    *code_point = *at & (0x7f >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if (!is_tail(at[i]))
            return 0;
        *code_point = *code_point << 6 | (at[i] & 0x3f);
    }
    return bytes;
}

/* Are the next eight bytes all ASCII? */
static bool ascii_word(const uint8_t *at, const uint8_t *end)
{
    uint64_t word;

    if (end - at < (ptrdiff_t)sizeof(word))
        return false;
    memcpy(&word, at, sizeof(word));
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_valid(const char *text, size_t bytes)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + bytes;
    uint32_t code_point;

    while (at < end) {
        size_t step = ascii_word(at, end) ? 8 : decode(at, end, &code_point);

        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t utf8_count(const char *text, size_t bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes; i++)
        count += !is_tail((uint8_t)text[i]);
    return count;
}

bool utf8_blank(const char *text, size_t bytes)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + bytes;
    uint32_t code_point;

    while (at < end) {
        size_t step = decode(at, end, &code_point);

        if (step == 0 || !is_blank(code_point))
            return false;
        at += step;
    }
    return true;
}
