/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords by bcrypt, hashed off the loop
 *
 * A verification takes 50 ms at cost 10 and 200 ms at cost 12, on purpose; it runs on the worker
 * pool. The time must not tell whether an account exists: an unknown user, and a stored value that
 * is no bcrypt hash, are compared with the hash of nothing under a fixed salt, at the usual cost.
 *
 * libxcrypt is used rather than a bcrypt of our own. It answers a bad setting with "*0" (or "*1"),
 * never NULL, and its work area is 32 KiB, so that it lies in the job and not on a thread's stack.
 * Password, hash and work area are wiped before the job is freed. */
#include "gateway/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "gateway/worker.h"
#include "protocol/xalloc.h"

enum { BCRYPT_HASH_LENGTH = 60, BCRYPT_PREFIX_LENGTH = 7 /* "$2b$12$" */ };

struct password_job {
    struct worker_job job;
    password_done_fn done;
    void *context;
    bool may_match;
    bool matched;
    char password[PASSWORD_MAX_BYTES + 1];
    char hash[BCRYPT_HASH_LENGTH + 1];
    struct crypt_data data;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The rest of a hash is checked by libxcrypt. */
static bool hash_usable(const char *hash)
{
    int cost;

    if (!hash || strlen(hash) != BCRYPT_HASH_LENGTH || memcmp(hash, "$2", 2) != 0)
        return false;
    if ((hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') || hash[3] != '$' ||
        !is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$')
        return false;
    cost = (hash[4] - '0') * 10 + hash[5] - '0';
    return cost >= PASSWORD_COST_MIN && cost <= PASSWORD_COST_MAX;
}

/* A setting is a hash without its last 31 characters; that the rest is missing makes it match
 * nothing. */
static void make_dummy(char hash[static BCRYPT_HASH_LENGTH + 1], int cost)
{
    if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX)
        cost = PASSWORD_COST_MIN;
    snprintf(hash, BCRYPT_HASH_LENGTH + 1, "$2b$%02d$......................", cost);
}

static void handle_run(struct worker_job *job)
{
    struct password_job *request = container_of(job, struct password_job, job);
    const char *made = crypt_r(request->password, request->hash, &request->data);

    request->matched = request->may_match && made && strlen(made) == BCRYPT_HASH_LENGTH &&
                       CRYPTO_memcmp(made, request->hash, BCRYPT_HASH_LENGTH) == 0;
}

static void handle_done(struct worker_job *job, bool ran)
{
    struct password_job *request = container_of(job, struct password_job, job);
    password_done_fn done = request->done;
    void *context = request->context;
    enum password_verdict verdict = !ran               ? PASSWORD_CANCELLED
                                    : request->matched ? PASSWORD_MATCH
                                                       : PASSWORD_MISMATCH;

    explicit_bzero(request, sizeof(*request));
    free(request);
    done(context, verdict);
}

int password_verify_async(struct worker *worker, const char *hash, int dummy_cost,
                          const char *password, size_t length, password_done_fn done, void *context)
{
    struct password_job *request = xcalloc(1, sizeof(*request));
    size_t used = length < PASSWORD_MAX_BYTES ? length : PASSWORD_MAX_BYTES;

    request->done = done;
    request->context = context;
    request->may_match = hash_usable(hash) && !memchr(password, '\0', length);
    memcpy(request->password, password, used);
    if (hash_usable(hash))
        memcpy(request->hash, hash, BCRYPT_HASH_LENGTH);
    else
        make_dummy(request->hash, dummy_cost);
    if (worker_submit(worker, &request->job, handle_run, handle_done) == 0)
        return 0;
    explicit_bzero(request, sizeof(*request));
    free(request);
    return PASSWORD_BUSY;
}

static int check_new_password(const char *password, size_t length, int cost)
{
    if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX)
        return -EINVAL;
    if (length == 0)
        return PASSWORD_EMPTY;
    if (length > PASSWORD_MAX_BYTES)
        return PASSWORD_TOO_LONG;
    if (memchr(password, '\0', length))
        return PASSWORD_HAS_NUL;
    return 0;
}

int password_hash_sync(const char *password, size_t length, int cost,
                       char out[static PASSWORD_HASH_BYTES])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char text[PASSWORD_MAX_BYTES + 1] = {0};
    struct crypt_data *data;
    const char *made;
    int result = check_new_password(password, length, cost);

    if (result != 0)
        return result;
    if (!crypt_gensalt_rn("$2b$", (unsigned long)cost, NULL, 0, setting, sizeof(setting)))
        return -errno;
    data = xcalloc(1, sizeof(*data));
    memcpy(text, password, length);
    made = crypt_r(text, setting, data);
    if (made && strlen(made) == BCRYPT_HASH_LENGTH)
        memcpy(out, made, BCRYPT_HASH_LENGTH + 1);
    else
        result = -EINVAL;
    explicit_bzero(text, sizeof(text));
    explicit_bzero(data, sizeof(*data));
    free(data);
    return result;
}
