/* SPDX-License-Identifier: Apache-2.0 */
/* The keys and rules by which tokens are verified and minted */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JWT_KEYS_MAX = 8, JWT_KEYS_ERROR_BYTES = 256 };

/* The [auth] section of the configuration. Strings may be NULL, which is the same as empty. */
struct jwt_keys_options {
    /* "kid:ALG:path" separated by commas or white space. ALG is HS256, RS256, ES256 or EdDSA. The
     * file is PEM (a public key verifies, a private one mints too) or, for HS256, the secret
     * itself; a text file's line end is not part of the secret. A file with a secret or a private
     * key must not be readable by group or others, unless it is a systemd credential. A kid is 1
     * to 63 printable ASCII characters without , : " \ and space. */
    const char *keys;
    const char *hs256_secret; /* one more key, behind those of the list: small installations */
    const char *hs256_kid;
    const char *issuer;   /* iss must be equal; empty = not checked, not minted */
    const char *audience; /* aud must be it or hold it; empty = not checked, not minted */
    int64_t leeway_s;     /* for nbf and iat in the future; exp gets none */
};

struct jwt_key;
struct jwt_keys;

/* Builds a set of 1 to JWT_KEYS_MAX keys; minting uses the first one that can sign. Returns NULL
 * and one line for the operator in `error` when any key is unusable (names the key, never its
 * contents): bad list, doubled kid, unreadable or open file, wrong type, RSA under 2048 bits, a
 * secret under 32 bytes, or no key at all. Reads files: at start and reload only. */
struct jwt_keys *jwt_keys_load(const struct jwt_keys_options *options,
                               char error[static JWT_KEYS_ERROR_BYTES]);

/* Wipes the secrets. Takes NULL, returns NULL. */
struct jwt_keys *jwt_keys_free(struct jwt_keys *keys);

/* The key that a token's kid names, or with NULL the only key; NULL if there is none. */
struct jwt_key *jwt_keys_find(const struct jwt_keys *keys, const char *kid);

/* The key that mints, or NULL. */
struct jwt_key *jwt_keys_signer(const struct jwt_keys *keys);

/* The rules; "" where nothing is set. */
const char *jwt_keys_issuer(const struct jwt_keys *keys);
const char *jwt_keys_audience(const struct jwt_keys *keys);
int64_t jwt_keys_leeway_s(const struct jwt_keys *keys);

size_t jwt_keys_count(const struct jwt_keys *keys);
bool jwt_keys_can_mint(const struct jwt_keys *keys);
