/* SPDX-License-Identifier: Apache-2.0 */
/* base64url without padding, strict (RFC 4648 section 5, RFC 7515 section 2) */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Characters that `bytes` bytes become, without a NUL. */
static inline size_t base64url_encoded_length(size_t bytes)
{
    return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0);
}

/* Bytes that `characters` characters become at most. */
static inline size_t base64url_decoded_bound(size_t characters)
{
    return characters / 4 * 3 + characters % 4;
}

/* Writes base64url_encoded_length(bytes) characters and no NUL; returns their number. */
size_t base64url_encode(char *out, const void *data, size_t bytes);

/* Decodes exactly `length` characters into `out`, which holds base64url_decoded_bound(length)
 * bytes. Returns the number of bytes, or -1 for anything but the one canonical encoding of some
 * bytes: padding, spaces, the characters + and /, a length that cannot be, or unused bits that are
 * not zero. */
ssize_t base64url_decode(uint8_t *out, const char *text, size_t length);
