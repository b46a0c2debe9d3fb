/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a live session:
 *
 *   token -> user (quota) -> subscribe to u:<id> -> user_load -> rooms_of_user -> welcome -> resume
 *
 * Each arrow is one asynchronous step that comes back by the session's handle. With Redis away the
 * subscription answers at once with "not yet", and head checks stand in for it.
 */
#include "gateway/hello.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/access_watch.h"
#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/jwt.h"
#include "gateway/limits.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/presence.h"
#include "gateway/resume.h"
#include "gateway/room.h"
#include "gateway/session.h"
#include "gateway/user.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { RETRY_BASE_MS = 500, RETRY_CAP_MS = 20000, AWAY_RETRY_MS = 2000 };

/* What the client said, until the session is live. */
struct hello {
    int64_t re;
    struct command_room *rooms; /* sorted by id */
    size_t room_count;
    bool has_own_since, same_epoch;
    int64_t own_since_us;
};

/* An asynchronous step's way back. */
struct step {
    struct node *node;
    struct handle session;
};

struct hello *hello_free(struct hello *hello)
{
    if (!hello)
        return NULL;
    free(hello->rooms);
    free(hello);
    return NULL;
}

static struct step *step_new(struct session *session)
{
    struct step *step = xcalloc(1, sizeof(*step));
    step->node = session->node;
    step->session = session->handle;
    return step;
}

/* The session, if it still waits for this; frees the step. */
static struct session *step_end(struct step *step)
{
    struct session *session = session_get(step->node, step->session);
    free(step);
    return session && session->state == SESSION_LOADING ? session : NULL;
}

/* --- welcome --- */

static void send_welcome(struct session *session)
{
    struct node *node = session->node;
    struct welcome welcome = {
        .user = user_person(session->user),
        .session = session->id,
        .epoch = node->epoch,
        .heartbeat_s = node->config->heartbeat.ping_s,
        .expires_at_us = session->grant.exp_s * 1000000,
        .retry_base_ms = RETRY_BASE_MS,
        .retry_cap_ms = RETRY_CAP_MS,
    };

    limits_for_welcome(node->config, &welcome.limits);
    event_welcome(&node->json, session->hello->re, &welcome);
    session_send_json(session, &node->json);
}

/* Where the client stands in a room, or -1 if it did not say. */
static int64_t cursor_of(const struct hello *hello, const struct uuid *room)
{
    size_t from = 0, to = hello->room_count;

    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = uuid_compare(&hello->rooms[middle].room, room);
        if (!order)
            return hello->rooms[middle].after;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return -1;
}

static void join_room(struct session *session, const PGresult *result, int row)
{
    struct uuid room, teacher, student;

    pg_uuid(result, row, 0, &room);
    pg_uuid(result, row, 1, &teacher);
    pg_uuid(result, row, 2, &student);
    resume_join(session, &room, &teacher, &student, pg_int8(result, row, 3),
                cursor_of(session->hello, &room), session->hello->same_epoch);
}

static void go_live(struct session *session, const PGresult *rooms)
{
    struct hello *hello = session->hello;
    struct node *node = session->node;

    session_set_state(session, SESSION_LIVE);
    list_append(&session->user->sessions, &session->user_link);
    session->user->session_count++;
    send_welcome(session);
    for (int row = 0; row < PQntuples(rooms); row++)
        join_room(session, rooms, row);
    resume_start(session, hello->re, hello->has_own_since ? &hello->own_since_us : NULL);
    if (session->user->session_count == 1)
        presence_came(node, session->user);
    presence_tell(session);
    session->hello = hello_free(hello);
    session_start_heartbeat(session);
    session_watch_expiry(session);
    log_info("session live", LOG_UUID("session", &session->id),
             LOG_UUID("user", &session->user->id), LOG_INT("rooms", PQntuples(rooms)));
}

/* --- the database --- */

static void handle_rooms(void *context, const struct pg_reply *reply)
{
    struct session *session = step_end(context);

    if (!session)
        return;
    if (reply->outcome != PG_OK)
        session_close(session, CLOSE_INTERNAL, AWAY_RETRY_MS);
    else
        go_live(session, reply->result);
}

static void load_rooms(struct session *session)
{
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid(&params, &session->user->id);
    pg_pool_query(session->node->pool, &sql_rooms_of_user, &params, handle_rooms,
                  step_new(session));
}

/* The columns of sql/statements/user_load.sql. */
enum column { ID, ROLE, FIRST_NAME, LAST_NAME, VALID_AFTER_US, SUSPENDED_UNTIL_US };

static void handle_user(void *context, const struct pg_reply *reply)
{
    struct session *session = step_end(context);
    enum user_role role;

    if (!session)
        return;
    if (reply->outcome != PG_OK) {
        metrics_add_label(METRIC_TOKENS_CHECKED, LABEL_AUTH_UNAVAILABLE, 1);
        session_close(session, CLOSE_INTERNAL, AWAY_RETRY_MS);
        return;
    }
    if (!PQntuples(reply->result) ||
        !user_role_parse(&role, pg_text(reply->result, 0, ROLE, NULL))) {
        metrics_add_label(METRIC_TOKENS_CHECKED, LABEL_AUTH_UNKNOWN_USER, 1);
        session_close(session, CLOSE_AUTH_FAILED, 0);
        return;
    }
    if (!access_allows(session->grant.iat_s, pg_int8(reply->result, 0, VALID_AFTER_US),
                       pg_int8(reply->result, 0, SUSPENDED_UNTIL_US))) {
        metrics_add_label(METRIC_TOKENS_CHECKED, LABEL_AUTH_REVOKED, 1);
        session_close(session, CLOSE_REVOKED, 0);
        return;
    }
    access_set_role(session->user, role);
    user_set_names(session->user, pg_text(reply->result, 0, FIRST_NAME, NULL),
                   pg_text(reply->result, 0, LAST_NAME, NULL));
    load_rooms(session);
}

static void load_user(struct session *session)
{
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid(&params, &session->user->id);
    pg_pool_query(session->node->pool, &sql_user_load, &params, handle_user, step_new(session));
}

/* --- the bus --- */

static void handle_subscribed(void *context, bool ok)
{
    struct session *session = step_end(context);

    (void)ok; /* if not, Redis is away: head checks do its work, and it is subscribed later */
    if (session)
        load_user(session);
}

static void subscribe(struct session *session)
{
    char channel[USER_CHANNEL_BYTES];

    user_channel(&session->user->id, channel);
    session->subscribed = true;
    bus_subscribe(session->node->bus, channel, handle_subscribed, step_new(session));
}

void hello_unsubscribe(struct session *session)
{
    char channel[USER_CHANNEL_BYTES];

    if (!session->subscribed)
        return;
    session->subscribed = false;
    user_channel(&session->user->id, channel);
    bus_unsubscribe(session->node->bus, channel);
}

/* --- the token --- */

/* False: the session is closed. A token in hello must be of the same user as the upgrade's. */
static bool check_token(struct session *session, const char *token)
{
    struct jwt_claims claims;

    if (!token) {
        if (!session->grant.exp_s)
            session_close(session, CLOSE_AUTH_FAILED, 0);
        return session->grant.exp_s != 0;
    }
    enum jwt_result result =
        jwt_verify(session->node->keys, token, strlen(token), clock_unix_us() / 1000000, &claims);
    metrics_add_label(METRIC_TOKENS_CHECKED, (unsigned)result, 1);
    bool other =
        result == JWT_OK && session->grant.exp_s && !uuid_equal(&session->grant.sub, &claims.sub);
    if (result == JWT_EXPIRED)
        session_close(session, CLOSE_TOKEN_EXPIRED, 0);
    else if (result != JWT_OK || other)
        session_close(session, CLOSE_AUTH_FAILED, 0);
    if (result != JWT_OK || other)
        return false;
    session->grant = jwt_grant_of(&claims);
    return true;
}

static struct hello *hello_new(const struct node *node, const struct command *command)
{
    const struct command_hello *said = &command->hello;
    struct hello *hello = xcalloc(1, sizeof(*hello));

    hello->re = command->id;
    hello->room_count = said->room_count;
    hello->rooms =
        said->room_count ? xmemdup(said->rooms, said->room_count * sizeof(*said->rooms)) : NULL;
    hello->has_own_since = said->has_own_since;
    hello->own_since_us = said->own_since_us;
    hello->same_epoch = !said->epoch || !strcmp(said->epoch, node->epoch);
    return hello;
}

void hello_start(struct session *session, const struct command *command)
{
    struct node *node = session->node;

    if (!check_token(session, command->hello.token))
        return;
    timer_wheel_cancel(&session->deadline);
    session->user = users_acquire(node->users, &session->grant.sub);
    if (session->user->refs > (unsigned)node->config->limits.connections_per_user) {
        metrics_add_label(METRIC_RATE_LIMITED, LABEL_LIMIT_CONNECTIONS_PER_USER, 1);
        session_close(session, CLOSE_TOO_MANY_CONNECTIONS, 0);
        return;
    }
    if (!*node->epoch || !node->rules) { /* the database was never reached: no admissions */
        session_close(session, CLOSE_INTERNAL, AWAY_RETRY_MS);
        return;
    }
    session->hello = hello_new(node, command);
    session_set_state(session, SESSION_LOADING);
    subscribe(session);
}
