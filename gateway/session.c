/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions.
 *
 * authenticating --hello--> loading --database--> live --any close--> closed
 *
 * A session is its connection's and dies with the socket; asynchronous answers find it by handle.
 * One timer serves each state's patience: for hello, then for the heartbeat (a ping when nothing
 * was heard for heartbeat.ping_s, an end when nothing came for pong_timeout_s after it); another
 * watches the token's end.
 */
#include "gateway/session.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/hello.h"
#include "gateway/limits.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/new_id.h"
#include "gateway/node.h"
#include "gateway/presence.h"
#include "gateway/request.h"
#include "gateway/resume.h"
#include "gateway/room.h"
#include "gateway/user.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"

enum {
    BAD_REQUESTS_MAX = 10,   /* malformed frames in a row before 1008 */
    FLOODS_MAX = 50,         /* requests refused by limits, less those that passed, before 4005 */
    CLOSE_TIMEOUT_MS = 3000, /* for the peer's answer to our close */
    SLOW_CLOSE_TIMEOUT_MS = 30000, /* for a peer that has much to read before it sees it */
    EXPIRY_WARNING_S = 60,
    EXPIRY_CHECK_MAX_S = 3600, /* timers are re-armed in steps: clocks may be set */
};

/* --- states --- */

static enum metric_label state_label(enum session_state state)
{
    switch (state) {
    case SESSION_AUTHENTICATING:
    case SESSION_LOADING:
        return LABEL_SESSION_AUTHENTICATING;
    case SESSION_LIVE:
        return LABEL_SESSION_LIVE;
    case SESSION_CLOSED:
        return LABEL_SESSION_DRAINING;
    }
    return LABEL_SESSION_DRAINING;
}

void session_set_state(struct session *session, enum session_state state)
{
    metrics_add_label(METRIC_SESSIONS, state_label(session->state), -1);
    session->state = state;
    metrics_add_label(METRIC_SESSIONS, state_label(state), 1);
}

struct session *session_get(struct node *node, struct handle handle)
{
    struct session *session = handle_get(&node->sessions, handle);
    return session && session->state != SESSION_CLOSED ? session : NULL;
}

/* --- timers --- */

static void handle_heartbeat(struct timer_entry *entry);

static void arm_heartbeat(struct session *session, uint64_t delay_ms)
{
    timer_wheel_arm(session->node->wheel, &session->deadline, delay_ms, handle_heartbeat);
}

/* With a payload: libwebsockets does not tell of the answer to an empty one. */
static void send_ping(struct session *session)
{
    struct frame *frame = frame_new_control(FRAME_PING, "ping", 4);
    session_send(session, frame);
    frame_unref(frame);
}

static void handle_heartbeat(struct timer_entry *entry)
{
    struct session *session = container_of(entry, struct session, deadline);
    const struct config *config = session->node->config;
    uint64_t ping_ms = (uint64_t)config->heartbeat.ping_s * 1000;
    uint64_t silent_ms = clock_now_ms() - session->heard_ms;

    if (session->awaiting_pong) {
        session_close(session, CLOSE_NO_PONG, 0);
    } else if (silent_ms < ping_ms) {
        arm_heartbeat(session, ping_ms - silent_ms);
    } else {
        session->awaiting_pong = true;
        send_ping(session);
        arm_heartbeat(session, (uint64_t)config->heartbeat.pong_timeout_s * 1000);
    }
}

static void handle_hello_timeout(struct timer_entry *entry)
{
    struct session *session = container_of(entry, struct session, deadline);
    session_close(session, CLOSE_HELLO_TIMEOUT, 0);
}

static void handle_expiry(struct timer_entry *entry)
{
    session_watch_expiry(container_of(entry, struct session, expiry));
}

void session_watch_expiry(struct session *session)
{
    struct json_writer *json = &session->node->json;
    int64_t left_s = session->grant.exp_s - clock_unix_us() / 1000000;
    int64_t wait_s = left_s > EXPIRY_WARNING_S ? left_s - EXPIRY_WARNING_S : left_s;

    if (left_s <= 0) {
        session_close(session, CLOSE_TOKEN_EXPIRED, 0);
        return;
    }
    if (left_s <= EXPIRY_WARNING_S && !session->expiry_warned) {
        session->expiry_warned = true;
        event_expiring(json, left_s);
        session_send_json(session, json);
    }
    if (wait_s > EXPIRY_CHECK_MAX_S)
        wait_s = EXPIRY_CHECK_MAX_S;
    timer_wheel_arm(session->node->wheel, &session->expiry, (uint64_t)wait_s * 1000, handle_expiry);
}

/* The first ping is spread over a whole interval, so that clients who came together don't answer
 * together for ever. */
void session_start_heartbeat(struct session *session)
{
    uint64_t ping_ms = (uint64_t)session->node->config->heartbeat.ping_s * 1000;
    arm_heartbeat(session, 1 + uuid_hash(&session->id) % ping_ms);
}

void session_heard(struct session *session)
{
    session->heard_ms = clock_now_ms();
    if (!session->awaiting_pong)
        return;
    session->awaiting_pong = false;
    arm_heartbeat(session, (uint64_t)session->node->config->heartbeat.ping_s * 1000);
}

/* --- life --- */

static void take_grant(struct session *session)
{
    struct connection *connection = session->connection;

    if (connection->grant)
        session->grant = *connection->grant;
    free(connection->grant);
    connection->grant = NULL;
}

struct session *session_new(struct connection *connection)
{
    struct node *node = connection->node;
    struct session *session = xcalloc(1, sizeof(*session));

    session->node = node;
    session->connection = connection;
    take_grant(session);
    session->heard_ms = clock_now_ms();
    session->handle = handle_add(&node->sessions, session);
    new_id(&session->id);
    list_init(&session->user_link);
    list_init(&session->rooms);
    list_init(&session->watch_link);
    pages_init(&session->pages);
    timer_entry_init(&session->expiry);
    timer_entry_init(&session->deadline);
    timer_wheel_arm(node->wheel, &session->deadline, (uint64_t)node->config->auth.hello_timeout_ms,
                    handle_hello_timeout);
    metrics_add_label(METRIC_SESSIONS, state_label(session->state), 1);
    unsigned transport = connection->tls ? LABEL_TRANSPORT_WSS : LABEL_TRANSPORT_WS;
    metrics_add_label(METRIC_CONNECTIONS, transport, 1);
    metrics_add_label(METRIC_CONNECTIONS_OPENED, transport, 1);
    return session;
}

static void handle_close_timeout(struct timer_entry *entry)
{
    connection_abandon(container_of(entry, struct session, deadline)->connection);
}

void session_close(struct session *session, enum close_code code, int64_t retry_after_ms)
{
    if (session->state == SESSION_CLOSED)
        return;
    log_info("session closed", LOG_UUID("session", &session->id),
             LOG_UUID("user", session->user ? &session->user->id : &UUID_NIL),
             LOG_STR("reason", close_name(code)), LOG_INT("code", code));
    metrics_add_label(METRIC_CONNECTIONS_CLOSED, metrics_close_label(code), 1);
    timer_wheel_cancel(&session->expiry);
    session_set_state(session, SESSION_CLOSED);
    connection_close(session->connection, code, retry_after_ms);
    timer_wheel_arm(session->node->wheel, &session->deadline,
                    code == CLOSE_SLOW ? SLOW_CLOSE_TIMEOUT_MS : CLOSE_TIMEOUT_MS,
                    handle_close_timeout);
}

void session_leave_rooms(struct session *session)
{
    while (!list_empty(&session->rooms))
        room_leave(container_of(list_first(&session->rooms), struct room_member, session_link));
}

/* Takes the session out of everything that delivers to it. Only here, where nobody is walking
 * those lists: session_close() may be called from the middle of a fan-out. */
static void detach(struct session *session)
{
    timer_wheel_cancel(&session->deadline);
    timer_wheel_cancel(&session->expiry);
    moderators_unwatch(session);
    session->hello = hello_free(session->hello);
    session->resume = resume_free(session->resume);
    if (list_linked(&session->user_link) && !--session->user->session_count)
        presence_left(session->node, session->user);
    list_remove(&session->user_link);
    session_leave_rooms(session);
    hello_unsubscribe(session);
    session->user = user_unref(session->user);
}

struct session *session_free(struct session *session)
{
    if (!session)
        return NULL;
    if (session->state != SESSION_CLOSED) /* the peer closed, or the network did */
        metrics_add_label(METRIC_CONNECTIONS_CLOSED, metrics_close_label(CLOSE_NORMAL), 1);
    detach(session);
    metrics_add_label(METRIC_SESSIONS, state_label(session->state), -1);
    metrics_add_label(METRIC_CONNECTIONS,
                      session->connection->tls ? LABEL_TRANSPORT_WSS : LABEL_TRANSPORT_WS, -1);
    metrics_add(METRIC_SEND_QUEUE_BYTES, -(int64_t)session->outbound.bytes);
    handle_remove(&session->node->sessions, session->handle);
    outbound_deinit(&session->outbound);
    pages_deinit(&session->pages);
    free(session);
    return NULL;
}

/* --- out --- */

void session_send(struct session *session, struct frame *frame)
{
    size_t before = session->outbound.bytes;

    if (session->state == SESSION_CLOSED)
        return;
    switch (outbound_push(&session->outbound, frame,
                          (size_t)session->node->config->limits.outbound_bytes)) {
    case OUTBOUND_QUEUED:
        connection_flush_later(session->connection);
        break;
    case OUTBOUND_SHED:
        metrics_add(METRIC_FRAMES_SHED, 1);
        break;
    case OUTBOUND_FULL:
        metrics_add(METRIC_SLOW_CONSUMERS, 1);
        metrics_add(METRIC_SEND_QUEUE_BYTES, -(int64_t)before);
        outbound_deinit(&session->outbound); /* the peer does not read: nothing more but the end */
        session_close(session, CLOSE_SLOW, 0);
        return;
    }
    metrics_add(METRIC_SEND_QUEUE_BYTES, (int64_t)session->outbound.bytes - (int64_t)before);
}

void session_send_json(struct session *session, struct json_writer *json)
{
    struct frame *frame = frame_new(json_text(json), json_length(json), FRAME_KEEP);

    json_writer_reset(json);
    session_send(session, frame);
    frame_unref(frame);
}

void session_drained(struct session *session)
{
    if (session->state != SESSION_LIVE)
        return;
    if (session->resume)
        resume_continue(session);
    pages_drained(session);
}

/* --- in --- */

static void refuse(struct session *session, int64_t id, enum error_code code, const char *reason,
                   int64_t retry_after_ms)
{
    struct json_writer *json = &session->node->json;

    metrics_add_label(METRIC_ERRORS, (unsigned)code - 1, 1);
    event_error(json, id, code, reason, NULL, retry_after_ms);
    session_send_json(session, json);
}

static void handle_bad_request(struct session *session, const struct command_error *error)
{
    metrics_add_label(METRIC_MESSAGES_RECEIVED, LABEL_COMMAND_INVALID, 1);
    refuse(session, error->id, error->code, error->reason, 0);
    if (error->code == ERROR_BAD_REQUEST && ++session->bad_requests >= BAD_REQUESTS_MAX)
        session_close(session, CLOSE_POLICY, 0);
}

/* False: refused. Malformed frames count too: their errors cost as much as an answer. A client that
 * goes on asking while it is refused is closed. */
static bool within_rate(struct session *session, int64_t id)
{
    double rate = session->node->config->limits.requests_per_s;
    int64_t wait_ms = rate_limit_take(&session->requests, (int64_t)clock_now_ms(), rate, rate, 1);

    if (!wait_ms) {
        session->floods = (uint16_t)(session->floods - (session->floods > 0));
        return true;
    }
    metrics_add_label(METRIC_RATE_LIMITED, LABEL_LIMIT_REQUESTS, 1);
    refuse(session, id, ERROR_RATE_LIMITED, "requests", wait_ms);
    session_refused(session, wait_ms);
    return false;
}

/* within_rate() forgives one refusal for each request that it lets pass. */
void session_refused(struct session *session, int64_t retry_after_ms)
{
    if (session && ++session->floods >= FLOODS_MAX)
        session_close(session, CLOSE_FLOOD, retry_after_ms);
}

static bool id_rises(struct session *session, const struct command *command)
{
    if (!command->id)
        return true;
    if (command->id <= session->last_id) {
        handle_bad_request(session, &(struct command_error){.code = ERROR_BAD_REQUEST,
                                                            .reason = "id.not_rising",
                                                            .id = command->id});
        return false;
    }
    session->last_id = command->id;
    return true;
}

struct request session_request(const struct session *session, int64_t re)
{
    return (struct request){
        .node = session->node,
        .session = session->handle,
        .user = session->user->id,
        .role = session->user->role,
        .re = re,
        .started_us = clock_now_us(),
    };
}

static void run(struct session *session, struct command *command)
{
    struct request request = session_request(session, command->id);

    if (pages_concern(command->type))
        pages_ask(session, command);
    else
        request_run(&request, command);
}

static void dispatch(struct session *session, struct command *command)
{
    if (!id_rises(session, command))
        return;
    session->bad_requests = 0;
    switch (session->state) {
    case SESSION_AUTHENTICATING:
        if (command->type == COMMAND_HELLO)
            hello_start(session, command);
        else
            session_close(session, CLOSE_PROTOCOL_ERROR, 0);
        break;
    case SESSION_LOADING:
        session_close(session, CLOSE_PROTOCOL_ERROR, 0);
        break;
    case SESSION_LIVE:
        if (command->type == COMMAND_HELLO)
            session_close(session, CLOSE_PROTOCOL_ERROR, 0);
        else
            run(session, command);
        break;
    case SESSION_CLOSED:
        break;
    }
}

void session_receive(struct session *session, const char *text, size_t length)
{
    struct command_limits limits;
    struct command command;
    struct command_error error;

    if (session->state == SESSION_CLOSED)
        return;
    limits_for_commands(session->node->config, &limits);
    bool bad = command_parse(&command, text, length, &limits, &error) != 0;
    if (within_rate(session, error.id)) {
        if (bad)
            handle_bad_request(session, &error);
        else
            dispatch(session, &command);
    }
    command_deinit(&command);
}
