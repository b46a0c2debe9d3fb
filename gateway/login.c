/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in.
 *
 * An account or an address that fails too often waits. An attempt counts against its account when
 * it begins, so that many at once are no way around the limit, and is taken back unless it fails;
 * of an address only failures count, since a school is one too. An unknown e-mail costs one bcrypt,
 * as a known one does, so that timing names no accounts. bcrypt runs on worker threads with a
 * bounded queue; when that is full, the answer is `unavailable` at once.
 */
#include "gateway/login.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/access_watch.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/jwt.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/password.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/rate_limit.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

#include <netinet/in.h>

enum { GUESSERS = 16384, BUSY_RETRY_MS = 1000, EMAIL_BYTES = 320 };

struct login {
    struct node *node;
    struct rate_table *accounts, *addresses;
};

/* One attempt. */
struct attempt {
    struct request request;
    struct in6_addr address;
    char email[EMAIL_BYTES]; /* in lower case: the account's key */
    char *password;
    enum user_role role;
    char *first_name, *last_name;
    int64_t valid_after_us;
    bool suspended;
};

static void attempt_free(struct attempt *attempt)
{
    if (attempt->password)
        explicit_bzero(attempt->password, strlen(attempt->password));
    free(attempt->password);
    free(attempt->first_name);
    free(attempt->last_name);
    free(attempt);
}

/* --- tokens --- */

/* `valid_after_us`: what ended the tokens before it; `auth_time_s`: when the password was last
 * checked, 0 = now. */
static void answer_token(const struct request *request, const struct person *person,
                         int64_t valid_after_us, int64_t auth_time_s)
{
    struct node *node = request->node;
    int64_t now_s = clock_unix_us() / 1000000, valid_from_s = access_valid_from_s(valid_after_us);
    struct jwt_claims claims = {
        .sub = person->id,
        .iat_s = now_s > valid_from_s ? now_s : valid_from_s,
        .auth_time_s = auth_time_s ? auth_time_s : now_s,
        .exp_s = now_s + node->config->auth.token_ttl_s,
    };

    strncpy(claims.role, person->role, sizeof(claims.role) - 1);
    char *token = jwt_mint(node->keys, &claims);
    if (!token) {
        log_error("no key can sign tokens; set auth.hs256_secret or a private key in auth.keys");
        request_fail(request, ERROR_INTERNAL, NULL, 0);
        return;
    }
    json_writer_reset(&node->json);
    event_login(&node->json, token, claims.exp_s * 1000000, person);
    request_reply(request, &node->json);
    explicit_bzero(token, strlen(token));
    free(token);
}

/* --- login --- */

static void refuse(struct attempt *attempt)
{
    struct login *login = attempt->request.node->login;

    rate_table_debit(login->addresses, &attempt->address, sizeof(attempt->address),
                     (int64_t)clock_now_ms());
    metrics_add_label(METRIC_LOGINS, LABEL_LOGIN_REFUSED, 1);
    request_fail(&attempt->request, ERROR_UNAUTHORIZED, "credentials", 0);
}

/* The password was not looked at: nobody's fault. */
static void take_back(const struct attempt *attempt, unsigned label)
{
    rate_table_credit(attempt->request.node->login->accounts, attempt->email,
                      strlen(attempt->email));
    metrics_add_label(METRIC_LOGINS, label, 1);
}

static void handle_verified(void *context, enum password_verdict verdict)
{
    struct attempt *attempt = context;

    switch (verdict) {
    case PASSWORD_MATCH:
        if (attempt->suspended) {
            refuse(attempt);
            break;
        }
        metrics_add_label(METRIC_LOGINS, LABEL_LOGIN_OK, 1);
        rate_table_forgive(attempt->request.node->login->accounts, attempt->email,
                           strlen(attempt->email));
        answer_token(&attempt->request,
                     &(struct person){.id = attempt->request.user,
                                      .role = user_role_name(attempt->role),
                                      .first_name = attempt->first_name,
                                      .last_name = attempt->last_name},
                     attempt->valid_after_us, 0);
        break;
    case PASSWORD_MISMATCH:
        refuse(attempt);
        break;
    case PASSWORD_CANCELLED:
        take_back(attempt, LABEL_LOGIN_UNAVAILABLE);
        request_fail(&attempt->request, ERROR_UNAVAILABLE, "stopping", BUSY_RETRY_MS);
        break;
    }
    attempt_free(attempt);
}

/* The columns of sql/statements/user_by_email.sql. */
enum column { ID, ROLE, FIRST_NAME, LAST_NAME, PASSWORD_HASH, VALID_AFTER_US, SUSPENDED_UNTIL_US };

static const char *read_user(struct attempt *attempt, const PGresult *result)
{
    if (!PQntuples(result) || !user_role_parse(&attempt->role, pg_text(result, 0, ROLE, NULL)))
        return NULL;
    pg_uuid(result, 0, ID, &attempt->request.user);
    const char *first = pg_text(result, 0, FIRST_NAME, NULL);
    const char *last = pg_text(result, 0, LAST_NAME, NULL);
    attempt->first_name = xstrdup(first ? first : "");
    attempt->last_name = xstrdup(last ? last : "");
    attempt->valid_after_us = pg_int8(result, 0, VALID_AFTER_US);
    attempt->suspended = pg_int8(result, 0, SUSPENDED_UNTIL_US) > clock_unix_us();
    return pg_text(result, 0, PASSWORD_HASH, NULL);
}

static void handle_user(void *context, const struct pg_reply *reply)
{
    struct attempt *attempt = context;
    struct node *node = attempt->request.node;

    if (reply->outcome != PG_OK) {
        take_back(attempt, LABEL_LOGIN_UNAVAILABLE);
        request_fail_database(&attempt->request, reply);
        attempt_free(attempt);
        return;
    }
    const char *hash = read_user(attempt, reply->result);
    if (password_verify_async(node->worker, hash, node->config->auth.bcrypt_cost, attempt->password,
                              strlen(attempt->password), handle_verified, attempt)) {
        take_back(attempt, LABEL_LOGIN_BUSY);
        request_fail(&attempt->request, ERROR_UNAVAILABLE, "login_queue", BUSY_RETRY_MS);
        attempt_free(attempt);
    }
}

/* False: too many failures lately, and that is answered. */
static bool may_try(const struct attempt *attempt)
{
    struct login *login = attempt->request.node->login;
    int64_t now_ms = (int64_t)clock_now_ms();
    int64_t address_ms =
        rate_table_check(login->addresses, &attempt->address, sizeof(attempt->address), now_ms);
    int64_t account_ms = address_ms ? 0
                                    : rate_table_take(login->accounts, attempt->email,
                                                      strlen(attempt->email), now_ms);

    if (!account_ms && !address_ms)
        return true;
    metrics_add_label(METRIC_LOGINS, LABEL_LOGIN_LIMITED, 1);
    metrics_add_label(METRIC_RATE_LIMITED,
                      account_ms ? LABEL_LIMIT_LOGIN_ACCOUNT : LABEL_LIMIT_LOGIN_ADDRESS, 1);
    request_fail(&attempt->request, ERROR_RATE_LIMITED, "login",
                 account_ms ? account_ms : address_ms);
    return false;
}

void login_run(const struct request *request, const struct command *command,
               const struct in6_addr *address)
{
    const char *email = command->login.email;
    struct pg_params params = PG_PARAMS_INIT;

    if (strlen(email) >= EMAIL_BYTES) {
        request_fail(request, ERROR_UNAUTHORIZED, "credentials", 0);
        return;
    }
    struct attempt *attempt = xcalloc(1, sizeof(*attempt));
    attempt->request = *request;
    attempt->address = *address;
    attempt->password = xstrdup(command->login.password);
    for (size_t i = 0; email[i]; i++)
        attempt->email[i] = (char)tolower((unsigned char)email[i]);
    if (!may_try(attempt)) {
        attempt_free(attempt);
        return;
    }
    pg_params_cstring(&params, email);
    pg_pool_query(request->node->pool, &sql_user_by_email, &params, handle_user, attempt);
}

/* --- refresh --- */

struct refresh {
    struct request request;
    struct jwt_claims claims;
};

static void handle_refreshed(void *context, const struct pg_reply *reply)
{
    struct refresh *refresh = context;
    const struct request *request = &refresh->request;
    enum user_role role;

    if (reply->outcome != PG_OK)
        request_fail_database(request, reply);
    else if (!PQntuples(reply->result) ||
             !user_role_parse(&role, pg_text(reply->result, 0, 1, NULL)) ||
             !access_allows(refresh->claims.iat_s, pg_int8(reply->result, 0, 4),
                            pg_int8(reply->result, 0, 5)))
        request_fail(request, ERROR_UNAUTHORIZED, "token.revoked", 0);
    else
        answer_token(request,
                     &(struct person){.id = refresh->claims.sub,
                                      .role = user_role_name(role),
                                      .first_name = pg_text(reply->result, 0, 2, NULL),
                                      .last_name = pg_text(reply->result, 0, 3, NULL)},
                     pg_int8(reply->result, 0, 4), refresh->claims.auth_time_s);
    free(refresh);
}

void login_refresh(const struct request *request, const char *token, size_t length)
{
    struct node *node = request->node;
    int64_t now_s = clock_unix_us() / 1000000;
    struct jwt_claims claims;
    struct pg_params params = PG_PARAMS_INIT;

    enum jwt_result result = jwt_verify(node->keys, token, length, now_s, &claims);
    metrics_add_label(METRIC_TOKENS_CHECKED, (unsigned)result, 1);
    int64_t login_s = claims.auth_time_s ? claims.auth_time_s : claims.iat_s;
    if ((result == JWT_OK || result == JWT_EXPIRED) &&
        login_s + node->config->auth.refresh_ttl_s <= now_s) {
        request_fail(request, ERROR_TOKEN_EXPIRED, NULL, 0);
        return;
    }
    if (result != JWT_OK && result != JWT_EXPIRED) {
        request_fail(request, ERROR_UNAUTHORIZED, jwt_result_name(result), 0);
        return;
    }
    struct refresh *refresh = xcalloc(1, sizeof(*refresh));
    refresh->request = *request;
    refresh->claims = claims;
    pg_params_uuid(&params, &claims.sub);
    pg_pool_query(node->pool, &sql_user_load, &params, handle_refreshed, refresh);
}

/* --- life --- */

void login_configure(struct login *login)
{
    const struct config *config = login->node->config;
    double rate = (double)config->auth.login_attempts / config->auth.login_window_s;

    rate_table_configure(login->accounts, rate, config->auth.login_attempts);
    rate_table_configure(login->addresses, rate, config->auth.login_attempts);
}

struct login *login_new(struct node *node)
{
    struct login *login = xcalloc(1, sizeof(*login));

    login->node = node;
    login->accounts = rate_table_new(GUESSERS, 1, 1);
    login->addresses = rate_table_new(GUESSERS, 1, 1);
    login_configure(login);
    return login;
}

struct login *login_free(struct login *login)
{
    if (!login)
        return NULL;
    rate_table_free(login->accounts);
    rate_table_free(login->addresses);
    free(login);
    return NULL;
}
