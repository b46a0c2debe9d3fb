/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to Redis on a uv loop.
 *
 *     WAITING -> OPENING -> LOGIN -> UP          drop(): from each back to WAITING, random time
 *        ^_________|__________|_______|
 *
 * CLOSING can follow every state. hiredis' reader parses the replies; the stream is redis_link,
 * which see for why hiredis' asynchronous half isn't used.
 *
 * Commands are gathered and written once a turn of the loop, by an idle handle that runs only while
 * there is something to write: libuv runs it before it waits for events, whoever in the turn
 * appended, and a thousand publishes become one write.
 *
 * Watchdog: a Redis that is frozen, or gone without a word, doesn't close the connection. After
 * a second without a byte from it we send a PING, after three we give up. They are counted by the
 * ticks of a timer and not by the clock: after a stall of our own loop the clock has jumped
 * while the replies wait in the socket, but a repeating timer has ticked once.
 *
 * The reply of a PING needs no telling apart from other bytes. On a subscribing connection it comes
 * as a simple string or as a push, depending on whether there are subscriptions; both are ignored.
 */

#include "gateway/redis_conn.h"

#include "gateway/redis_link.h"
#include "gateway/redis_out.h"
#include "gateway/redis_url.h"
#include "gateway/retry.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_BASE_MS = 50,
    RETRY_CAP_MS = 3000,
    CONNECT_TIMEOUT_MS = 3000, /* with the login */
    TICK_MS = 500,
    SILENT_TICKS_PING = 2,
    SILENT_TICKS_DEAD = 6,
    OUT_BYTES_MAX = 32 << 20,
    REPLY_BYTES_MAX = 64 << 20,
    WAITING_MAX = 1 << 20,
};

enum state { STATE_WAITING, STATE_OPENING, STATE_LOGIN, STATE_UP, STATE_CLOSING };

/* A command whose reply is to come. */
struct waiting {
    redis_reply_fn done; /* or NULL */
    void *context;
};

struct redis_conn {
    uv_loop_t *loop;
    struct redis_conn_options options;
    enum state state;
    struct redis_link *link;
    redisReader *reader;
    struct redis_out out;
    struct retry retry;
    unsigned attempts;

    uv_timer_t timer; /* next try, end of the time to connect, tick */
    uv_idle_t flusher;
    int handles; /* of ours, not closed yet */
    unsigned silent_ticks;
    bool heard; /* since the last tick */

    /* Ring of commands in the order of their replies; the capacity is a power of two. */
    struct waiting *waiting;
    size_t waiting_capacity, waiting_first, waiting_count;

    /* Commands that couldn't be sent, to be answered in the next turn. */
    struct waiting *refused;
    size_t refused_count;

    void (*closed)(void *context);
    void *closed_context;
};

static void handle_timer(uv_timer_t *timer);

/* --- commands that wait --- */

static void push_waiting(struct redis_conn *conn, redis_reply_fn done, void *context)
{
    size_t mask;

    if (conn->waiting_count == conn->waiting_capacity) {
        size_t capacity = conn->waiting_capacity ? 2 * conn->waiting_capacity : 64;
        struct waiting *ring = xreallocarray(NULL, capacity, sizeof(*ring));

        for (size_t i = 0; i < conn->waiting_count; i++)
            ring[i] = conn->waiting[(conn->waiting_first + i) & (conn->waiting_capacity - 1)];
        free(conn->waiting);
        conn->waiting = ring;
        conn->waiting_capacity = capacity;
        conn->waiting_first = 0;
    }
    mask = conn->waiting_capacity - 1;
    conn->waiting[(conn->waiting_first + conn->waiting_count++) & mask] =
        (struct waiting){done, context};
}

static struct waiting pop_waiting(struct redis_conn *conn)
{
    struct waiting first = conn->waiting[conn->waiting_first];

    conn->waiting_first = (conn->waiting_first + 1) & (conn->waiting_capacity - 1);
    conn->waiting_count--;
    return first;
}

/* Gives up the commands that wait now, not those that the callbacks add. */
static void abandon_waiting(struct redis_conn *conn)
{
    struct waiting *ring = conn->waiting;
    size_t capacity = conn->waiting_capacity, first = conn->waiting_first;
    size_t count = conn->waiting_count;

    conn->waiting = NULL;
    conn->waiting_capacity = conn->waiting_first = conn->waiting_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct waiting *w = &ring[(first + i) & (capacity - 1)];

        if (w->done)
            w->done(w->context, NULL);
    }
    free(ring);
}

static void answer_refused(struct redis_conn *conn)
{
    struct waiting *refused = conn->refused;
    size_t count = conn->refused_count;

    conn->refused = NULL;
    conn->refused_count = 0;
    for (size_t i = 0; i < count; i++)
        refused[i].done(refused[i].context, NULL);
    free(refused);
}

/* --- losing a connection --- */

static void disconnect(struct redis_conn *conn)
{
    conn->link = redis_link_close(conn->link);
    if (conn->reader)
        redisReaderFree(conn->reader);
    conn->reader = NULL;
    redis_out_consume(&conn->out, conn->out.length);
}

/* Gives the connection up and goes to wait for the next try. Calls back, last of all; runs only
 * from libuv's callbacks. `reason` may lie in the reader. */
static void drop(struct redis_conn *conn, const char *reason)
{
    const struct redis_conn_options *options = &conn->options;
    bool was_up = conn->state == STATE_UP;
    char copy[256];

    if (conn->state == STATE_CLOSING)
        return;
    snprintf(copy, sizeof(copy), "%s", reason);
    disconnect(conn);
    conn->state = STATE_WAITING;
    uv_timer_start(&conn->timer, handle_timer, retry_next_ms(&conn->retry), 0);
    abandon_waiting(conn);
    if (conn->state != STATE_CLOSING)
        options->on_down(options->context, was_up, copy);
}

/* --- writing --- */

static void flush(struct redis_conn *conn)
{
    int error;

    if (!conn->link)
        return;
    error = redis_link_write(conn->link, &conn->out);
    if (error < 0)
        drop(conn, uv_strerror(error));
}

static void handle_flusher(uv_idle_t *idle)
{
    struct redis_conn *conn = idle->data;

    uv_idle_stop(idle);
    answer_refused(conn);
    flush(conn);
}

static void handle_drained(void *context)
{
    flush(context);
}

static void append(struct redis_conn *conn, size_t argc, const char *const *argv,
                   const size_t *argv_bytes)
{
    redis_out_command(&conn->out, argc, argv, argv_bytes);
    uv_idle_start(&conn->flusher, handle_flusher);
}

static void refuse(struct redis_conn *conn, redis_reply_fn done, void *context)
{
    if (!done)
        return;
    conn->refused = xreallocarray(conn->refused, conn->refused_count + 1, sizeof(*conn->refused));
    conn->refused[conn->refused_count++] = (struct waiting){done, context};
    if (conn->state != STATE_CLOSING)
        uv_idle_start(&conn->flusher, handle_flusher);
}

bool redis_conn_command(struct redis_conn *conn, size_t argc, const char *const *argv,
                        const size_t *argv_bytes, redis_reply_fn done, void *context)
{
    if (conn->state != STATE_UP || conn->waiting_count >= WAITING_MAX ||
        conn->out.length + redis_link_pending(conn->link) + redis_out_size(argc, argv_bytes) >
            OUT_BYTES_MAX) {
        refuse(conn, done, context);
        return false;
    }
    if (!conn->options.on_push)
        push_waiting(conn, done, context);
    else
        assert(!done);
    append(conn, argc, argv, argv_bytes);
    return true;
}

/* --- login --- */

static void append_words(struct redis_conn *conn, size_t argc, const char *const *argv)
{
    size_t lengths[4];

    assert(argc <= sizeof(lengths) / sizeof(*lengths));
    for (size_t i = 0; i < argc; i++)
        lengths[i] = strlen(argv[i]);
    append(conn, argc, argv, lengths);
}

static void handle_login_reply(void *context, const redisReply *reply)
{
    struct redis_conn *conn = context;

    if (reply && reply->type == REDIS_REPLY_ERROR)
        drop(conn, reply->str);
}

/* The last one. */
static void handle_ready_reply(void *context, const redisReply *reply)
{
    struct redis_conn *conn = context;

    handle_login_reply(context, reply);
    if (!reply || conn->state != STATE_LOGIN)
        return;
    conn->state = STATE_UP;
    conn->silent_ticks = 0;
    uv_timer_start(&conn->timer, handle_timer, TICK_MS, TICK_MS);
    conn->options.on_up(conn->options.context);
}

static void send_login(struct redis_conn *conn)
{
    const struct redis_url *url = conn->options.url;
    const char *password = conn->options.password ? conn->options.password : url->password;
    char database[16];

    if (password && *password) {
        if (url->user)
            append_words(conn, 3, (const char *[]){"AUTH", url->user, password});
        else
            append_words(conn, 2, (const char *[]){"AUTH", password});
        push_waiting(conn, handle_login_reply, conn);
    }
    if (url->database != 0) {
        snprintf(database, sizeof(database), "%d", url->database);
        append_words(conn, 2, (const char *[]){"SELECT", database});
        push_waiting(conn, handle_login_reply, conn);
    }
    /* For people who look at CLIENT LIST; an ACL may forbid it. */
    append_words(conn, 3, (const char *[]){"CLIENT", "SETNAME", conn->options.client_name});
    push_waiting(conn, NULL, NULL);
    append_words(conn, 1, (const char *[]){"PING"});
    push_waiting(conn, handle_ready_reply, conn);
}

static void handle_open(void *context)
{
    struct redis_conn *conn = context;

    conn->state = STATE_LOGIN;
    conn->reader = redisReaderCreate();
    if (!conn->reader) {
        drop(conn, "out of memory");
        return;
    }
    send_login(conn);
}

/* --- reading --- */

static bool is_pong(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        reply = reply->element[0];
    return (reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_STRING) &&
           strcasecmp(reply->str, "pong") == 0;
}

static void take_push(struct redis_conn *conn, const redisReply *reply)
{
    /* A refused SUBSCRIBE never gets its confirmations. */
    if (reply->type == REDIS_REPLY_ERROR)
        drop(conn, reply->str);
    else if (!is_pong(reply))
        conn->options.on_push(conn->options.context, reply);
}

static void take_reply(struct redis_conn *conn, const redisReply *reply)
{
    struct waiting first;

    if (conn->state == STATE_UP && conn->options.on_push) {
        take_push(conn, reply);
        return;
    }
    if (conn->waiting_count == 0) {
        drop(conn, "a reply that nobody asked for");
        return;
    }
    first = pop_waiting(conn);
    if (first.done)
        first.done(first.context, reply);
}

static void handle_read(void *context, const char *data, size_t length)
{
    struct redis_conn *conn = context;
    redisReader *reader = conn->reader;

    conn->heard = true;
    redisReaderFeed(reader, data, length);
    /* A callback may drop the connection, and the reader with it. */
    while (conn->reader == reader && conn->state != STATE_CLOSING) {
        void *reply = NULL;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            drop(conn, reader->errstr);
            return;
        }
        if (!reply) {
            if (reader->len > REPLY_BYTES_MAX)
                drop(conn, "a reply that is too large");
            return;
        }
        take_reply(conn, reply);
        freeReplyObject(reply);
    }
}

static void handle_broken(void *context, const char *reason)
{
    drop(context, reason);
}

/* --- life --- */

static void open_link(struct redis_conn *conn)
{
    static const struct redis_link_events events = {
        .open = handle_open,
        .read = handle_read,
        .drained = handle_drained,
        .broken = handle_broken,
    };

    conn->state = STATE_OPENING;
    uv_timer_start(&conn->timer, handle_timer, CONNECT_TIMEOUT_MS, 0);
    conn->link = redis_link_open(conn->loop, conn->options.url, conn->attempts++, &events, conn);
    if (!conn->link)
        drop(conn, "cannot look up names");
}

static void tick(struct redis_conn *conn)
{
    conn->silent_ticks = conn->heard ? 0 : conn->silent_ticks + 1;
    conn->heard = false;
    /* Not at once at the login, or one that is always lost right after it would be retried so. */
    retry_reset(&conn->retry);
    if (conn->silent_ticks >= SILENT_TICKS_DEAD)
        drop(conn, "no answer to a ping");
    else if (conn->silent_ticks >= SILENT_TICKS_PING)
        redis_conn_command(conn, 1, (const char *[]){"PING"}, (size_t[]){4}, NULL, NULL);
}

static void handle_handle_closed(uv_handle_t *handle)
{
    struct redis_conn *conn = handle->data;
    void (*closed)(void *context) = conn->closed;
    void *context = conn->closed_context;

    if (--conn->handles > 0)
        return;
    while (conn->refused)
        answer_refused(conn);
    free((char *)conn->options.client_name);
    redis_out_deinit(&conn->out);
    free(conn);
    closed(context);
}

static void finish_closing(struct redis_conn *conn)
{
    if (conn->link && conn->reader)
        redis_link_write(conn->link, &conn->out);
    disconnect(conn);
    abandon_waiting(conn);
    uv_close((uv_handle_t *)&conn->timer, handle_handle_closed);
    uv_close((uv_handle_t *)&conn->flusher, handle_handle_closed);
}

static void handle_timer(uv_timer_t *timer)
{
    struct redis_conn *conn = timer->data;

    switch (conn->state) {
    case STATE_WAITING:
        open_link(conn);
        break;
    case STATE_OPENING:
    case STATE_LOGIN:
        drop(conn, "timed out while connecting");
        break;
    case STATE_UP:
        tick(conn);
        break;
    case STATE_CLOSING:
        finish_closing(conn);
        break;
    }
}

struct redis_conn *redis_conn_new(uv_loop_t *loop, const struct redis_conn_options *options)
{
    struct redis_conn *conn = xcalloc(1, sizeof(*conn));

    conn->loop = loop;
    conn->options = *options;
    conn->options.client_name = xstrdup(options->client_name);
    retry_init(&conn->retry, RETRY_BASE_MS, RETRY_CAP_MS, retry_seed());
    uv_timer_init(loop, &conn->timer);
    uv_idle_init(loop, &conn->flusher);
    conn->timer.data = conn->flusher.data = conn;
    conn->handles = 2;
    conn->state = STATE_WAITING;
    uv_timer_start(&conn->timer, handle_timer, 0, 0);
    return conn;
}

bool redis_conn_up(const struct redis_conn *conn)
{
    return conn->state == STATE_UP;
}

void redis_conn_close(struct redis_conn *conn, void (*closed)(void *context), void *context)
{
    assert(conn->state != STATE_CLOSING);
    conn->closed = closed;
    conn->closed_context = context;
    conn->state = STATE_CLOSING;
    uv_timer_start(&conn->timer, handle_timer, 0, 0);
}
