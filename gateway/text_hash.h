/* SPDX-License-Identifier: Apache-2.0 */
/* The keyed hash that is kept of each message's text (design: Once) */
#pragma once

#include <stddef.h>

enum { TEXT_HASH_BYTES = 16 }; /* of HMAC-SHA256, truncated (RFC 2104 section 5) */

struct text_hasher;

/* NULL if OpenSSL has no HMAC. The key is copied. */
struct text_hasher *text_hasher_new(const char *key, size_t key_bytes);
struct text_hasher *text_hasher_free(struct text_hasher *hasher);

/* The same text gives the same hash on every node that has the same key. */
void text_hash(const struct text_hasher *hasher, const char *text, size_t length,
               unsigned char out[static TEXT_HASH_BYTES]);
