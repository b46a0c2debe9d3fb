/* SPDX-License-Identifier: Apache-2.0 */
/* One pipelined connection to Postgres on a uv loop.
 *
 *     WAITING -> DIALLING -> READY       drop(): from either back to WAITING, for a random time
 *        ^__________|__________|
 *
 * CLOSING can follow every state. Nothing here blocks: pg_dial makes the connection, and in READY
 * libpq is in pipeline mode (pg_pipeline).
 *
 * One timer serves all states: the next try, the end of the time to connect, the earliest deadline
 * in flight. drop() calls back, closes the socket and changes the state, so it runs only from
 * libuv's callbacks; what notices a broken connection elsewhere (a query that can't be written)
 * says so by condemn(), which makes the timer fire in the next turn.
 *
 * A server that is frozen, or whose machine is gone without a word, doesn't close the connection.
 * If queries are in flight and nothing has come for stall_timeout_ms, which is longer than the
 * server's own statement_timeout would let any of them run, the connection is dropped. Timers run
 * before sockets are read in a turn of the loop, so after a stall of our own the answers may be
 * waiting in the socket: they are read before anything is judged.
 */

#include "gateway/pg_conn.h"

#include "gateway/clock.h"
#include "gateway/pg_dial.h"
#include "gateway/pg_fence.h"
#include "gateway/pg_options.h"
#include "gateway/pg_pipeline.h"
#include "gateway/pg_queue.h"
#include "gateway/pg_watch.h"
#include "gateway/retry.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_BASE_MS = 50,
    RETRY_CAP_MS = 3000,
    /* A connection that lived so long was a success; one lost at once counts as a failed try. */
    SETTLED_MS = 1000,
};

enum state { STATE_WAITING, STATE_DIALLING, STATE_READY, STATE_CLOSING };

struct pg_conn {
    struct pg_conn_options *options;
    struct pg_dial *dial;
    struct pg_queue *queue;
    bool owns_queue;

    enum state state;
    bool condemned; /* broken, to be dropped by the timer */
    char reason[256];
    char fatal[PG_SQLSTATE_BYTES + 1]; /* with which the server ended the session, or "" */
    struct retry retry;
    uv_timer_t timer;
    uint64_t timer_due_ms; /* UINT64_MAX: not running */

    PGconn *pg; /* in READY, as are the next two */
    struct pg_watch watch;
    struct pg_pipeline pipeline;
    uint64_t ready_ms;       /* since when */
    uint64_t heard_ms;       /* when the server last sent something */
    struct list_node fenced; /* pg_fence::conns */

    void (*closed)(void *context);
    void *closed_context;
};

static void handle_timer(uv_timer_t *timer);

/* --- timer --- */

/* Puts the timer on `due_ms`, whatever it was on before. */
static void arm(struct pg_conn *conn, uint64_t due_ms)
{
    uint64_t now_ms = clock_now_ms();

    conn->timer_due_ms = due_ms;
    uv_timer_start(&conn->timer, handle_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void arm_if_earlier(struct pg_conn *conn, uint64_t due_ms)
{
    if (due_ms < conn->timer_due_ms)
        arm(conn, due_ms);
}

/* --- losing a connection --- */

/* Remembers the first line of `reason`. */
static void set_reason(struct pg_conn *conn, const char *reason)
{
    size_t length = strcspn(reason, "\n");

    if (reason == conn->reason)
        return;
    snprintf(conn->reason, sizeof(conn->reason), "%.*s",
             length < sizeof(conn->reason) ? (int)length : (int)sizeof(conn->reason) - 1,
             length > 0 ? reason : "connection lost");
}

/* For places that mustn't call back: the connection is of no more use, the timer will drop it. */
static void condemn(struct pg_conn *conn, const char *reason)
{
    if (conn->condemned || conn->state == STATE_CLOSING)
        return;
    conn->condemned = true;
    set_reason(conn, reason);
    arm(conn, 0);
}

/* Ends libpq's part and gathers what was in flight. */
static void disconnect(struct pg_conn *conn, struct list_node *lost)
{
    pg_dial_cancel(conn->dial);
    pg_watch_stop(&conn->watch);
    if (conn->pipeline.pg) {
        pg_pipeline_abandon(&conn->pipeline, lost);
        pg_pipeline_deinit(&conn->pipeline);
        conn->pipeline.pg = NULL;
    }
    list_remove(&conn->fenced);
    PQfinish(conn->pg);
    conn->pg = NULL;
}

/* Gives the connection up and goes to wait for the next try. Calls back, last of all. */
static void drop(struct pg_conn *conn, const char *reason)
{
    const struct pg_conn_options *options = conn->options;
    struct list_node lost = LIST_INIT(lost);

    if (conn->state == STATE_CLOSING)
        return;
    set_reason(conn, reason);
    if (conn->state == STATE_READY) {
        conn->queue->stats.lost++;
        if (clock_now_ms() - conn->ready_ms >= SETTLED_MS)
            retry_reset(&conn->retry);
    } else {
        conn->queue->stats.connect_failures++;
    }
    disconnect(conn, &lost);
    conn->condemned = false;
    conn->state = STATE_WAITING;
    arm(conn, clock_now_ms() + retry_next_ms(&conn->retry));
    pg_pipeline_answer_lost(conn->queue, &lost);
    if (options->on_state && conn->state != STATE_CLOSING)
        options->on_state(options->context, false, conn->reason);
    pg_queue_wake(conn->queue);
}

/* drop() for the end of a connection in use. libpq's words aren't told: behind the reason there may
 * stand errors of earlier queries, which may quote data. The server's last error code is. */
static void drop_lost(struct pg_conn *conn)
{
    char reason[64];

    snprintf(reason, sizeof(reason), "connection lost%s%s", conn->fatal[0] ? ", sqlstate " : "",
             conn->fatal);
    drop(conn, reason);
}

/* --- making one --- */

/* Notices are dropped unread, since they may quote data; but the server's last words to an idle
 * session come this way too. */
static void handle_notice(void *context, const PGresult *notice)
{
    struct pg_conn *conn = context;

    conn->queue->stats.notices++;
    pg_fatal_sqlstate(notice, conn->fatal);
    pg_pipeline_take_notice(&conn->pipeline, notice);
}

/* The others are connected to what was left. */
static void condemn_others(struct pg_conn *conn)
{
    LIST_FOREACH (node, &conn->options->fence->conns)
        condemn(container_of(node, struct pg_conn, fenced), "another server took over");
}

/* False: this server must not be used. */
static bool pass_fence(struct pg_conn *conn, const struct pg_history *history)
{
    struct pg_fence *fence = conn->options->fence;

    if (!fence)
        return true;
    switch (pg_fence_judge(fence, history)) {
    case PG_FENCE_PAST:
        return false;
    case PG_FENCE_OTHER:
        condemn_others(conn);
        if (fence->on_change)
            fence->on_change(fence->context, history);
        break;
    case PG_FENCE_SAME:
        break;
    }
    list_append(&fence->conns, &conn->fenced);
    return true;
}

static void become_ready(struct pg_conn *conn, PGconn *pg)
{
    const struct pg_conn_options *options = conn->options;

    conn->pg = pg;
    conn->fatal[0] = '\0';
    PQsetNoticeReceiver(pg, handle_notice, conn);
    if (PQenterPipelineMode(pg) != 1 || !pg_watch_start(&conn->watch, PQsocket(pg), UV_READABLE)) {
        drop(conn, "cannot enter pipeline mode");
        return;
    }
    pg_pipeline_init(&conn->pipeline, pg, conn->queue, conn->fatal);
    conn->state = STATE_READY;
    conn->ready_ms = conn->heard_ms = clock_now_ms();
    conn->timer_due_ms = UINT64_MAX;
    uv_timer_stop(&conn->timer);
    conn->queue->stats.connected++;
    if (options->on_state)
        options->on_state(options->context, true, "");
    pg_conn_pump(conn);
}

static void handle_dialled(void *context, PGconn *pg, const struct pg_history *history,
                           const char *error)
{
    struct pg_conn *conn = context;

    if (!pg) {
        drop(conn, error);
    } else if (!pass_fence(conn, history)) {
        PQfinish(pg);
        drop(conn, "a former primary, whose place another has taken");
    } else {
        become_ready(conn, pg);
    }
}

/* --- using it --- */

/* Writes what libpq couldn't write yet, and asks for the events that it needs. */
static void flush(struct pg_conn *conn)
{
    int left = PQflush(conn->pg);

    if (left < 0)
        condemn(conn, "cannot send");
    else if (!pg_watch_start(&conn->watch, PQsocket(conn->pg),
                             left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE))
        condemn(conn, "cannot watch the socket");
}

void pg_conn_pump(struct pg_conn *conn)
{
    struct pg_query *query;

    /* While the socket is full queries wait on the queue, which is bounded, not in libpq. */
    while (pg_conn_ready(conn) && !(conn->watch.events & UV_WRITABLE) &&
           conn->pipeline.count < conn->options->depth && (query = pg_queue_take(conn->queue))) {
        uint64_t deadline_ms = query->deadline_ms;

        if (!pg_pipeline_send(&conn->pipeline, query)) {
            condemn(conn, "cannot send");
            return;
        }
        arm_if_earlier(conn, deadline_ms);
        flush(conn);
    }
}

static void deliver_notifications(struct pg_conn *conn)
{
    const struct pg_conn_options *options = conn->options;
    PGnotify *notify;

    while ((notify = PQnotifies(conn->pg))) {
        conn->queue->stats.notified++;
        if (options->on_notify && conn->state == STATE_READY)
            options->on_notify(options->context, notify->relname, notify->extra);
        PQfreemem(notify);
    }
}

/* Reads what has come and answers queries. False: the connection is broken. */
static bool receive(struct pg_conn *conn)
{
    bool open = PQconsumeInput(conn->pg) == 1;

    /* What came before the end of the connection still counts. */
    open = pg_pipeline_read(&conn->pipeline) && open;
    deliver_notifications(conn);
    return open;
}

static void handle_ready(void *context, int events)
{
    struct pg_conn *conn = context;

    if (!pg_conn_ready(conn))
        return;
    if (events & UV_READABLE) {
        conn->heard_ms = clock_now_ms();
        if (!receive(conn)) {
            drop_lost(conn);
            return;
        }
    }
    if (!pg_conn_ready(conn))
        return;
    flush(conn);
    pg_conn_pump(conn);
}

/* A deadline may have passed, or the server may have fallen silent. */
static void check_deadlines(struct pg_conn *conn)
{
    uint64_t stall_ms = conn->options->stall_timeout_ms;
    uint64_t now_ms, next_ms, since_ms;

    if (!receive(conn)) {
        drop_lost(conn);
        return;
    }
    now_ms = clock_now_ms();
    next_ms = pg_pipeline_expire(&conn->pipeline, now_ms);
    if (!pg_conn_ready(conn))
        return;
    since_ms = pg_pipeline_oldest_ms(&conn->pipeline);
    if (since_ms != UINT64_MAX) {
        if (since_ms < conn->heard_ms)
            since_ms = conn->heard_ms;
        if (now_ms >= since_ms + stall_ms) {
            conn->queue->stats.stalled++;
            drop(conn, "the server doesn't answer");
            return;
        }
        if (since_ms + stall_ms < next_ms)
            next_ms = since_ms + stall_ms;
    }
    if (next_ms != UINT64_MAX)
        arm_if_earlier(conn, next_ms);
    pg_conn_pump(conn);
}

/* --- life --- */

static void free_conn(void *context)
{
    struct pg_conn *conn = context;
    void (*closed)(void *context) = conn->closed;
    void *closed_context = conn->closed_context;

    pg_dial_free(conn->dial);
    pg_options_free(conn->options);
    free(conn);
    if (closed)
        closed(closed_context);
}

static void handle_timer_closed(uv_handle_t *handle)
{
    struct pg_conn *conn = handle->data;

    if (conn->owns_queue)
        pg_queue_close(conn->queue, free_conn, conn);
    else
        free_conn(conn);
}

static void finish_closing(struct pg_conn *conn)
{
    struct list_node lost = LIST_INIT(lost);

    disconnect(conn, &lost);
    pg_pipeline_answer_lost(conn->queue, &lost);
    uv_close((uv_handle_t *)&conn->timer, handle_timer_closed);
}

static void handle_timer(uv_timer_t *timer)
{
    struct pg_conn *conn = timer->data;

    conn->timer_due_ms = UINT64_MAX;
    if (conn->condemned) {
        drop(conn, conn->reason);
        return;
    }
    switch (conn->state) {
    case STATE_WAITING:
        conn->state = STATE_DIALLING;
        arm(conn, clock_now_ms() + conn->options->connect_timeout_ms);
        pg_dial_start(conn->dial);
        break;
    case STATE_DIALLING:
        drop(conn, "timed out while connecting");
        break;
    case STATE_READY:
        check_deadlines(conn);
        break;
    case STATE_CLOSING:
        finish_closing(conn);
        break;
    }
}

struct pg_conn *pg_conn_new_on(uv_loop_t *loop, const struct pg_conn_options *options,
                               struct pg_queue *queue)
{
    struct pg_conn *conn = xcalloc(1, sizeof(*conn));

    conn->options = pg_options_new(options);
    conn->dial = pg_dial_new(loop, conn->options, handle_dialled, conn);
    pg_watch_init(&conn->watch, loop, handle_ready, conn);
    conn->queue = queue;
    list_init(&conn->fenced);
    retry_init(&conn->retry, RETRY_BASE_MS, RETRY_CAP_MS, retry_seed());
    uv_timer_init(loop, &conn->timer);
    conn->timer.data = conn;
    conn->state = STATE_WAITING;
    arm(conn, 0);
    return conn;
}

struct pg_conn *pg_conn_new(uv_loop_t *loop, const struct pg_conn_options *options)
{
    struct pg_conn *conn = pg_conn_new_on(loop, options, NULL);

    conn->queue = pg_queue_new(loop, conn->options);
    conn->owns_queue = true;
    return conn;
}

void pg_conn_query(struct pg_conn *conn, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context)
{
    pg_queue_add(conn->queue, statement, params, done, context);
    pg_conn_pump(conn);
}

bool pg_conn_ready(const struct pg_conn *conn)
{
    return conn->state == STATE_READY && !conn->condemned;
}

size_t pg_conn_in_flight(const struct pg_conn *conn)
{
    return conn->pipeline.count;
}

size_t pg_conn_queued(const struct pg_conn *conn)
{
    return conn->queue->count;
}

const struct pg_stats *pg_conn_stats(const struct pg_conn *conn)
{
    return &conn->queue->stats;
}

void pg_conn_close(struct pg_conn *conn, void (*closed)(void *context), void *context)
{
    assert(conn->state != STATE_CLOSING);
    conn->closed = closed;
    conn->closed_context = context;
    conn->condemned = false;
    conn->state = STATE_CLOSING;
    arm(conn, 0);
}

int pg_conninfo_check(const char *conninfo, char *error, size_t error_bytes)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);

    if (!options) {
        snprintf(error, error_bytes, "%.*s", message ? (int)strcspn(message, "\n") : 0,
                 message ? message : "");
        PQfreemem(message);
        return -EINVAL;
    }
    PQconninfoFree(options);
    return 0;
}
