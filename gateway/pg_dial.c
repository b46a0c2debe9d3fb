/* SPDX-License-Identifier: Apache-2.0 */
/* From a conninfo to a configured session, without blocking.
 *
 *     IDLE -> RESOLVING -> CONNECTING -> CONFIGURING -> IDLE
 *
 * Names are looked up on a thread (pg_target), libpq connects by PQconnectPoll(), and the session's
 * settings (pg_session) are a query whose answer is waited for.
 *
 * libpq closes its socket and opens another while it connects: the next address, or a server that
 * refuses TLS. epoll then forgets the closed one, but libuv doesn't know, the less so if the new
 * socket has the same number; hence the watch is stopped before each PQconnectPoll() and started
 * anew after it.
 */

#include "gateway/pg_dial.h"

#include "gateway/pg_conn.h"
#include "gateway/pg_fence.h"
#include "gateway/pg_session.h"
#include "gateway/pg_target.h"
#include "gateway/pg_watch.h"
#include "protocol/xalloc.h"

#include <stdlib.h>

enum state { STATE_IDLE, STATE_RESOLVING, STATE_CONNECTING, STATE_CONFIGURING };

struct pg_dial {
    const struct pg_conn_options *options;
    struct pg_target *target;
    struct pg_watch watch;
    enum state state;
    PGconn *pg;
    struct pg_history history;
    pg_dial_fn done;
    void *context;
};

static const char unwatchable[] = "cannot watch the socket";

static void succeed(struct pg_dial *dial)
{
    PGconn *pg = dial->pg;

    pg_watch_stop(&dial->watch);
    dial->pg = NULL;
    dial->state = STATE_IDLE;
    dial->done(dial->context, pg, &dial->history, NULL);
}

/* `error` may be libpq's, and is told before the connection goes. */
static void fail(struct pg_dial *dial, const char *error)
{
    PGconn *pg = dial->pg;

    pg_watch_stop(&dial->watch);
    dial->pg = NULL;
    dial->state = STATE_IDLE;
    dial->done(dial->context, NULL, NULL, error);
    PQfinish(pg);
}

static void watch(struct pg_dial *dial, int events)
{
    if (!pg_watch_start(&dial->watch, PQsocket(dial->pg), events))
        fail(dial, unwatchable);
}

static void go_on_configuring(struct pg_dial *dial)
{
    char error[256];

    switch (pg_session_poll(dial->pg, &dial->history, error, sizeof(error))) {
    case PG_SESSION_WANT_READ:
        watch(dial, UV_READABLE);
        break;
    case PG_SESSION_WANT_WRITE:
        watch(dial, UV_READABLE | UV_WRITABLE);
        break;
    case PG_SESSION_DONE:
        succeed(dial);
        break;
    case PG_SESSION_FAILED:
        fail(dial, error);
        break;
    }
}

static void begin_configuring(struct pg_dial *dial)
{
    dial->state = STATE_CONFIGURING;
    if (pg_session_start(dial->pg, dial->options))
        go_on_configuring(dial);
    else
        fail(dial, PQerrorMessage(dial->pg));
}

static void go_on_connecting(struct pg_dial *dial)
{
    pg_watch_stop(&dial->watch);
    switch (PQconnectPoll(dial->pg)) {
    case PGRES_POLLING_READING:
        watch(dial, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        watch(dial, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        begin_configuring(dial);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE: /* libpq doesn't use it */
        fail(dial, PQerrorMessage(dial->pg));
        break;
    }
}

/* The default one prints to standard error. */
static void ignore_notice(void *context, const PGresult *notice)
{
}

static void begin_connecting(struct pg_dial *dial)
{
    dial->state = STATE_CONNECTING;
    dial->pg = pg_target_connect(dial->target);
    if (!dial->pg) {
        fail(dial, "libpq is out of memory");
        return;
    }
    PQsetNoticeReceiver(dial->pg, ignore_notice, NULL);
    if (PQstatus(dial->pg) == CONNECTION_BAD)
        fail(dial, PQerrorMessage(dial->pg));
    else
        /* As if PQconnectPoll() had asked for it: libpq's manual, PQconnectStart. */
        watch(dial, UV_WRITABLE);
}

static void handle_resolved(void *context, const char *error)
{
    struct pg_dial *dial = context;

    if (error)
        fail(dial, error);
    else
        begin_connecting(dial);
}

static void handle_ready(void *context, int events)
{
    struct pg_dial *dial = context;

    switch (dial->state) {
    case STATE_CONNECTING:
        go_on_connecting(dial);
        break;
    case STATE_CONFIGURING:
        go_on_configuring(dial);
        break;
    case STATE_IDLE:
    case STATE_RESOLVING:
        break;
    }
}

struct pg_dial *pg_dial_new(uv_loop_t *loop, const struct pg_conn_options *options, pg_dial_fn done,
                            void *context)
{
    struct pg_dial *dial = xcalloc(1, sizeof(*dial));

    dial->options = options;
    dial->target = pg_target_new(loop, options->conninfo, options->application_name);
    dial->done = done;
    dial->context = context;
    pg_watch_init(&dial->watch, loop, handle_ready, dial);
    return dial;
}

struct pg_dial *pg_dial_free(struct pg_dial *dial)
{
    if (!dial)
        return NULL;
    pg_dial_cancel(dial);
    pg_target_free(dial->target);
    free(dial);
    return NULL;
}

void pg_dial_start(struct pg_dial *dial)
{
    pg_dial_cancel(dial);
    dial->state = STATE_RESOLVING;
    if (pg_target_resolve(dial->target, handle_resolved, dial) == 0)
        begin_connecting(dial);
}

void pg_dial_cancel(struct pg_dial *dial)
{
    pg_target_cancel(dial->target);
    pg_watch_stop(&dial->watch);
    PQfinish(dial->pg);
    dial->pg = NULL;
    dial->state = STATE_IDLE;
}
