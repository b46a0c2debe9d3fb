/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords by bcrypt, hashed off the loop */
#pragma once

#include <stddef.h>

struct worker;

enum {
    PASSWORD_MAX_BYTES = 72,  /* what bcrypt looks at */
    PASSWORD_HASH_BYTES = 64, /* a bcrypt hash (60) and its NUL */
    PASSWORD_COST_MIN = 4,
    PASSWORD_COST_MAX = 16, /* 3 s on a slow machine: a stored hash above counts as bad */
};

enum password_verdict {
    PASSWORD_MATCH,
    PASSWORD_MISMATCH,
    PASSWORD_CANCELLED, /* the pool was freed meanwhile */
};

/* Called on the loop, exactly once, never inside password_verify_async(). */
typedef void (*password_done_fn)(void *context, enum password_verdict verdict);

enum password_result {
    PASSWORD_BUSY = 1, /* the pool's queue is full: answer 503 unavailable; done is not called */
    PASSWORD_EMPTY,
    PASSWORD_TOO_LONG, /* over PASSWORD_MAX_BYTES */
    PASSWORD_HAS_NUL,
};

/* Compares a password with a stored bcrypt hash ($2a$, $2b$ or $2y$). `hash` NULL means an unknown
 * user, and costs what a hash of cost `dummy_cost` costs, as an unusable hash does; both mismatch.
 * Copies both strings and wipes the copies. As everywhere with bcrypt, only the first 72 bytes
 * of the password count; one with a NUL inside never matches. Returns 0 or PASSWORD_BUSY. */
int password_verify_async(struct worker *worker, const char *hash, int dummy_cost,
                          const char *password, size_t length, password_done_fn done,
                          void *context);

/* Makes a $2b$ hash for storing. Blocks for as long as a verification: for the command line.
 * Returns 0, PASSWORD_EMPTY, PASSWORD_TOO_LONG, PASSWORD_HAS_NUL, or -errno (-EINVAL: cost outside
 * PASSWORD_COST_MIN to PASSWORD_COST_MAX). */
int password_hash_sync(const char *password, size_t length, int cost,
                       char out[static PASSWORD_HASH_BYTES]);
