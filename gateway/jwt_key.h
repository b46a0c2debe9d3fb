/* SPDX-License-Identifier: Apache-2.0 */
/* One key of one JWS algorithm (RFC 7518 section 3, RFC 8037) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jwt_algorithm { JWT_HS256, JWT_RS256, JWT_ES256, JWT_EDDSA };

enum {
    JWT_KID_BYTES = 64,              /* with the NUL */
    JWT_HS256_SECRET_MIN_BYTES = 32, /* RFC 7518 section 3.2: as long as the hash */
    JWT_RSA_MIN_BITS = 2048,         /* RFC 7518 section 3.3 */
    JWT_RSA_MAX_BITS = 8192,         /* larger ones only cost time */
    JWT_SIGNATURE_MAX_BYTES = JWT_RSA_MAX_BITS / 8,
};

/* "HS256", "RS256", "ES256" or "EdDSA", exactly so. */
bool jwt_algorithm_find(enum jwt_algorithm *out, const char *name, size_t length);
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);

struct jwt_key;

/* A key named `kid`, which is shorter than JWT_KID_BYTES, from the bytes of a secret (HS256) or
 * from PEM text: a public key, or a private one that signs too. Returns NULL and a phrase in
 * `*error` if it is no such key, or too weak. */
struct jwt_key *jwt_key_new(const char *kid, enum jwt_algorithm algorithm, const void *material,
                            size_t bytes, const char **error);

/* Wipes the secret. Takes NULL, returns NULL. */
struct jwt_key *jwt_key_free(struct jwt_key *key);

const char *jwt_key_kid(const struct jwt_key *key);
enum jwt_algorithm jwt_key_algorithm(const struct jwt_key *key);

/* Has it a secret or private part? */
bool jwt_key_can_sign(const struct jwt_key *key);

/* Is `signature` one of `text` under this key? It has the algorithm's exact length, and for ES256
 * is r and s of 32 bytes each, not DER. Reuses the key's OpenSSL contexts: one thread a key. */
bool jwt_key_verify(struct jwt_key *key, const char *text, size_t length, const uint8_t *signature,
                    size_t bytes);

/* Writes a signature of `text`; returns its bytes, or 0 if the key cannot sign. */
size_t jwt_key_sign(struct jwt_key *key, const char *text, size_t length,
                    uint8_t signature[static JWT_SIGNATURE_MAX_BYTES]);
