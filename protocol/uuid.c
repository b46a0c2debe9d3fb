/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: strict text form, order, hash, and version 7 (RFC 9562)
 *
 * Text from a peer is compared, hashed and stored in its 16-byte form only, so that two spellings
 * of one id can never count as two. Hence one accepted form, apart from the case of the digits.
 */
#include "protocol/uuid.h"

#include <string.h>

/* Where the hyphens stand in the text. */
static bool is_hyphen_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool uuid_parse(struct uuid *out, const char *text, size_t length)
{
    struct uuid uuid;
    size_t at = 0;

    if (length != UUID_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (is_hyphen_place(at) && text[at++] != '-')
            return false;
        int high = hex_value(text[at]), low = hex_value(text[at + 1]);

        if (high < 0 || low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *out = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (is_hyphen_place(at))
            out[at++] = '-';
        out[at++] = digits[uuid->bytes[i] >> 4];
        out[at++] = digits[uuid->bytes[i] & 15];
    }
    out[at] = '\0';
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_BYTES);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return uuid_compare(a, b) == 0;
}

bool uuid_is_nil(const struct uuid *uuid)
{
    return uuid_equal(uuid, &UUID_NIL);
}

/* The finaliser of MurmurHash3: every input bit moves every output bit. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

uint64_t uuid_hash(const struct uuid *uuid)
{
    uint64_t high, low;

    memcpy(&high, uuid->bytes, sizeof(high));
    memcpy(&low, uuid->bytes + sizeof(high), sizeof(low));
    return mix(high ^ mix(low));
}

void uuid_v7(struct uuid *out, uint64_t unix_ms, const uint8_t random[static 10])
{
    for (int i = 0; i < 6; i++)
        out->bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
    memcpy(out->bytes + 6, random, 10);
    out->bytes[6] = (uint8_t)(0x70 | (out->bytes[6] & 0x0f)); /* version 7 */
    out->bytes[8] = (uint8_t)(0x80 | (out->bytes[8] & 0x3f)); /* variant 10 */
}
