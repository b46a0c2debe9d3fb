/* SPDX-License-Identifier: Apache-2.0 */
/* base64url without padding, strict
 *
 * Strict means that every byte string has exactly one text form. A lenient decoder lets anybody
 * change a token's text without changing its meaning (the last character of many signatures has
 * spare bits), which defeats everything that compares tokens as text: deny lists, caches, logs. */
#include "gateway/base64url.h"

#include <limits.h>
#include <stdbool.h>

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of each character of the alphabet plus one, so that the zeroes of the rest are bad. */
#define SIX(c, v) [c] = (v) + 1
static const uint8_t value_plus_one[UCHAR_MAX + 1] = {
    SIX('A', 0),  SIX('B', 1),  SIX('C', 2),  SIX('D', 3),  SIX('E', 4),  SIX('F', 5),
    SIX('G', 6),  SIX('H', 7),  SIX('I', 8),  SIX('J', 9),  SIX('K', 10), SIX('L', 11),
    SIX('M', 12), SIX('N', 13), SIX('O', 14), SIX('P', 15), SIX('Q', 16), SIX('R', 17),
    SIX('S', 18), SIX('T', 19), SIX('U', 20), SIX('V', 21), SIX('W', 22), SIX('X', 23),
    SIX('Y', 24), SIX('Z', 25), SIX('a', 26), SIX('b', 27), SIX('c', 28), SIX('d', 29),
    SIX('e', 30), SIX('f', 31), SIX('g', 32), SIX('h', 33), SIX('i', 34), SIX('j', 35),
    SIX('k', 36), SIX('l', 37), SIX('m', 38), SIX('n', 39), SIX('o', 40), SIX('p', 41),
    SIX('q', 42), SIX('r', 43), SIX('s', 44), SIX('t', 45), SIX('u', 46), SIX('v', 47),
    SIX('w', 48), SIX('x', 49), SIX('y', 50), SIX('z', 51), SIX('0', 52), SIX('1', 53),
    SIX('2', 54), SIX('3', 55), SIX('4', 56), SIX('5', 57), SIX('6', 58), SIX('7', 59),
    SIX('8', 60), SIX('9', 61), SIX('-', 62), SIX('_', 63),
};
#undef SIX

size_t base64url_encode(char *out, const void *data, size_t bytes)
{
    const uint8_t *in = data;
    char *start = out;

    for (; bytes >= 3; bytes -= 3, in += 3) {
        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *out++ = alphabet[in[2] & 63];
    }
    if (bytes >= 1) {
        uint8_t second = bytes == 2 ? in[1] : 0;

        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 3) << 4 | second >> 4];
        if (bytes == 2)
            *out++ = alphabet[(second & 15) << 2];
    }
    return (size_t)(out - start);
}

ssize_t base64url_decode(uint8_t *out, const char *text, size_t length)
{
    uint8_t *start = out;
    uint32_t bits = 0;
    unsigned count = 0;

    if (length % 4 == 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        uint8_t value = value_plus_one[(unsigned char)text[i]];

        if (value == 0)
            return -1;
        bits = bits << 6 | (uint32_t)(value - 1);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (uint8_t)(bits >> count);
        }
    }
    if ((bits & ((1u << count) - 1)) != 0)
        return -1;
    return out - start;
}
