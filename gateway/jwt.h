/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens: verifying and minting compact JWTs (RFC 7515, 7519, 8725) */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/jwt_key.h"
#include "protocol/uuid.h"

struct jwt_keys;

enum {
    JWT_MAX_BYTES = 8192, /* longer tokens are refused unread */
    JWT_ROLE_BYTES = 16,
    JWT_JTI_BYTES = 64,
};

/* JWT_OK is 0, every refusal is positive. */
enum jwt_result {
#define JWT_ROW(NAME, name) JWT_##NAME,
#include "gateway/jwt_result_table.h"
#undef JWT_ROW
};

struct jwt_claims {
    struct uuid sub;
    char role[JWT_ROLE_BYTES]; /* "" when the token names none: the database's role holds anyway */
    char jti[JWT_JTI_BYTES];   /* "" when absent or longer */
    char kid[JWT_KID_BYTES];   /* of the key that verified it */
    int64_t iat_s;             /* 0 when absent */
    int64_t auth_time_s;       /* when the user gave the password (OpenID Connect); 0 when absent */
    int64_t exp_s;             /* below year 10000, so that microseconds fit int64 */
};

/* What is kept of an accepted token for as long as a connection lives; exp_s 0: none yet. */
struct jwt_grant {
    struct uuid sub;
    int64_t iat_s, exp_s;
};

struct jwt_grant jwt_grant_of(const struct jwt_claims *claims);

/* "expired", "bad_signature", ...: for logs, metrics and the error's reason. */
const char *jwt_result_name(enum jwt_result result);

/* Checks everything about a token except what the database knows (does the user still exist?).
 * `now_s` is Unix time. The key is the one that the token's kid names, or the only key when the
 * token names none; the algorithm is the key's own, never the token's choice. `out` is filled for
 * JWT_OK and JWT_EXPIRED (whose signature and claims were good otherwise), and zeroed for every
 * other result. Not thread-safe for one `keys`: it reuses the keys' OpenSSL contexts. */
enum jwt_result jwt_verify(const struct jwt_keys *keys, const char *token, size_t length,
                           int64_t now_s, struct jwt_claims *out);

/* Signs sub, iat_s, exp_s, and role, jti and auth_time_s where not empty, with the issuer and
 * audience of `keys`, by the first key that can sign; kid of `claims` is ignored.
 * Returns a string that the caller frees, or NULL when no key can sign. */
char *jwt_mint(const struct jwt_keys *keys, const struct jwt_claims *claims);
