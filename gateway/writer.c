/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer.
 *
 * A lane is one connection. All lanes take from one queue (write_queue.c), a room being on one lane
 * at a time, so its messages keep their order and lanes don't fight over it. Once a turn of the
 * loop what has gathered is sent: a lone message goes at once; under load batches leave at a pace
 * (write_pace.c), or when they are full, so that they grow instead of becoming many.
 *
 * What can go wrong, and what then happens:
 *   - another node holds the room: its rows come back `busy`, rest for a moment and go to the front
 *     of the queue. A room that stays busy is set aside, and now and then one such room is written
 *     alone by the statement that waits for the lock, for a moment: whoever forgot a transaction in
 *     a terminal holds up that room and no other.
 *   - another node wrote for the same sender meanwhile: the row comes back `stale`, unwritten, to
 * be screened again.
 *   - deadlock, serialisation: all was rolled back; the batch goes again.
 *   - a row that the database cannot take, or that waits for a lock elsewhere (its sender's row):
 *     batches are halved until it stands alone; then it alone is refused, or its room set aside.
 *   - the connection is lost after sending: unknown. The batch goes again with the same cids; the
 *     unique key makes that safe, whether or not the first one was (or is yet to be) committed.
 *   - time runs out: `unavailable`, which promises nothing, and the client resends.
 */
#include "gateway/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/database.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/write_batch.h"
#include "gateway/write_pace.h"
#include "gateway/write_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    RETRY_MS = 20,
    LOCK_TIMEOUT_MS =
        150, /* the lane stands still meanwhile; others need a lock for milliseconds */
    AWAY_TIMEOUT_MS = 1500,
};

static const char SQLSTATE_LOCK_TIMEOUT[] = "55P03";

struct lane {
    struct writer *writer;
    struct pg_conn *conn;
    struct list_node batch;   /* write::link, in the order they were sent */
    struct write_rooms rooms; /* of the batch */
    bool waits;               /* the batch is of one room that was aside, and waits for its lock */
    uint64_t retry_ms;        /* nothing is sent before */
};

struct writer {
    struct node *node;
    struct lane *lanes;
    size_t lane_count;
    struct write_queue queue;
    struct write_pace pace;
    size_t batch_limit;     /* halved to find a row that the database refuses */
    uv_prepare_t before_io; /* active while batches are to be sent at the end of this turn */
    uv_timer_t wake;
    unsigned open_handles; /* the two, and the lanes */
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

static void handle_wake(uv_timer_t *timer);
static void handle_before_io(uv_prepare_t *prepare);

/* --- finishing writes --- */

static void finish(struct write *write, enum write_result result)
{
    list_remove(&write->link);
    write->done(write, result);
}

static void finish_all(struct list_node *list, enum write_result result)
{
    while (!list_empty(list))
        finish(container_of(list_first(list), struct write, link), result);
}

/* --- sending --- */

static struct write *write_at(struct list_node *node)
{
    return container_of(node, struct write, link);
}

static void handle_batch_written(void *context, const struct pg_reply *reply);

/* Batches are sent when this turn of the loop has read what there is to read. */
static void schedule(struct writer *writer)
{
    if (!writer->closing)
        uv_prepare_start(&writer->before_io, handle_before_io);
}

static bool may_leave(const struct writer *writer, uint64_t now_us)
{
    return !write_pace_wait_us(&writer->pace, now_us) || writer->queue.count >= WRITE_BATCH_MAX;
}

/* Moves the next batch to an idle lane: a room that is aside, or the oldest messages. */
static size_t choose_batch(struct lane *lane, uint64_t now_us)
{
    struct writer *writer = lane->writer;
    struct write_queue *queue = &writer->queue;
    size_t count = write_queue_take_aside(queue, writer->batch_limit, &lane->batch, now_us / 1000);

    lane->waits = count > 0;
    if (count || !may_leave(writer, now_us))
        return count;
    count = write_queue_take(queue, writer->batch_limit, &lane->batch, &lane->rooms);
    if (count)
        write_pace_spend(&writer->pace, now_us);
    return count;
}

static void send_batch(struct lane *lane, uint64_t now_us)
{
    struct node *node = lane->writer->node;
    struct pg_params params = PG_PARAMS_INIT;
    size_t count = choose_batch(lane, now_us);

    if (!count)
        return;
    metrics_observe(METRIC_WRITE_BATCH, (double)count);
    write_batch_bind(&params, &lane->batch, node->text_hasher, node->name);
    pg_conn_query(lane->conn, lane->waits ? &sql_write_messages_wait : &sql_write_messages, &params,
                  handle_batch_written, lane);
}

static bool lane_usable(struct lane *lane, uint64_t now_ms)
{
    if (lane->retry_ms > now_ms)
        return false;
    if (!pg_conn_ready(lane->conn)) {
        metrics_add_label(METRIC_WRITE_RETRIES, LABEL_RETRY_CONNECTION_LOST, 1);
        lane->retry_ms = now_ms + RETRY_MS;
        return false;
    }
    return true;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Wakes when something may be sent that may not now. Lanes that are busy wake us by their answers.
 */
static void arm_wake(struct writer *writer, uint64_t now_us)
{
    uint64_t now_ms = now_us / 1000, due_ms = UINT64_MAX;
    bool idle = false;

    if (!writer->queue.count)
        return;
    for (size_t i = 0; i < writer->lane_count; i++) {
        const struct lane *lane = &writer->lanes[i];
        if (!list_empty(&lane->batch))
            continue;
        if (lane->retry_ms > now_ms)
            due_ms = earlier(due_ms, lane->retry_ms);
        else
            idle = true;
    }
    if (idle) {
        uint64_t wait_us = write_pace_wait_us(&writer->pace, now_us);
        due_ms = earlier(due_ms, write_queue_due_ms(&writer->queue));
        if (wait_us)
            due_ms = earlier(due_ms, (now_us + wait_us + 999) / 1000);
    }
    if (due_ms != UINT64_MAX)
        uv_timer_start(&writer->wake, handle_wake, due_ms > now_ms ? due_ms - now_ms : 1, 0);
}

static void send_batches(struct writer *writer)
{
    uint64_t now_us = clock_now_us();
    struct write *overdue;

    if (writer->closing)
        return;
    while ((overdue = write_queue_take_overdue(&writer->queue, now_us / 1000)))
        finish(overdue, WRITE_UNAVAILABLE);
    write_queue_end_rest(&writer->queue, now_us / 1000);
    for (size_t i = 0; i < writer->lane_count && writer->queue.count; i++) {
        struct lane *lane = &writer->lanes[i];
        if (list_empty(&lane->batch) && lane_usable(lane, now_us / 1000))
            send_batch(lane, now_us);
    }
    arm_wake(writer, now_us);
}

static void handle_before_io(uv_prepare_t *prepare)
{
    uv_prepare_stop(prepare);
    send_batches(container_of(prepare, struct writer, before_io));
}

static void handle_wake(uv_timer_t *timer)
{
    send_batches(container_of(timer, struct writer, wake));
}

/* --- answers --- */

/* What is left of the batch goes again, first of all. */
static void give_back(struct lane *lane)
{
    if (lane->waits)
        write_queue_settle_aside(&lane->writer->queue, &lane->batch);
    else
        write_queue_settle(&lane->writer->queue, &lane->batch, &lane->rooms);
}

static void retry_later(struct lane *lane, enum metric_label reason)
{
    metrics_add_label(METRIC_WRITE_RETRIES, reason, 1);
    give_back(lane);
    lane->retry_ms = clock_now_ms() + RETRY_MS;
}

/* Answers every row of the batch but the busy ones, which stay in it. */
static void read_answers(struct lane *lane, const PGresult *result)
{
    struct list_node *node = lane->batch.next;

    for (int row = 0; row < PQntuples(result) && node != &lane->batch; row++) {
        struct write *write = write_at(node);
        enum write_result outcome;
        node = node->next;
        if (write_batch_read(result, row, write, &outcome))
            finish(write, outcome);
        else
            write->busy_rounds++;
    }
}

static void handle_answers(struct lane *lane, const PGresult *result)
{
    struct writer *writer = lane->writer;

    read_answers(lane, result);
    if (!list_empty(&lane->batch))
        metrics_add_label(METRIC_WRITE_RETRIES, LABEL_RETRY_BUSY, 1);
    if (lane->waits)
        give_back(lane);
    else
        write_queue_settle_busy(&writer->queue, &lane->batch, &lane->rooms, clock_now_ms());
    writer->batch_limit =
        writer->batch_limit * 2 > WRITE_BATCH_MAX ? WRITE_BATCH_MAX : writer->batch_limit * 2;
}

static bool retryable(const char *sqlstate, enum metric_label *reason)
{
    static const struct {
        const char *prefix;
        enum metric_label reason;
    } table[] = {
        {"40P01", LABEL_RETRY_DEADLOCK},     {"40", LABEL_RETRY_SERIALIZATION},
        {"57", LABEL_RETRY_CONNECTION_LOST}, {"53", LABEL_RETRY_CONNECTION_LOST},
        {"08", LABEL_RETRY_CONNECTION_LOST}, {"25006", LABEL_RETRY_CONNECTION_LOST},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix))) {
            *reason = table[i].reason;
            return true;
        }
    }
    return false;
}

static bool batch_is_single(const struct lane *lane)
{
    return lane->batch.next->next == &lane->batch;
}

static void halve(struct lane *lane, enum metric_label reason)
{
    size_t *limit = &lane->writer->batch_limit;

    metrics_add_label(METRIC_WRITE_RETRIES, reason, 1);
    *limit = *limit > 1 ? *limit / 2 : 1;
    give_back(lane);
}

/* Somebody holds a lock that this batch needs. */
static void handle_lock_timeout(struct lane *lane)
{
    struct write_queue *queue = &lane->writer->queue;

    if (lane->waits) {
        metrics_add_label(METRIC_WRITE_RETRIES, LABEL_RETRY_LOCK_TIMEOUT, 1);
        write_queue_give_turn(queue, &lane->batch, clock_now_ms());
    } else if (batch_is_single(lane)) {
        write_at(lane->batch.next)->busy_rounds = WRITE_BUSY_ROUNDS;
        give_back(lane);
        write_queue_set_aside(queue);
    } else {
        halve(lane, LABEL_RETRY_LOCK_TIMEOUT);
    }
}

static void handle_refused(struct lane *lane, const struct pg_reply *reply)
{
    enum metric_label reason;

    if (retryable(reply->sqlstate, &reason)) {
        retry_later(lane, reason);
    } else if (!strcmp(reply->sqlstate, SQLSTATE_LOCK_TIMEOUT)) {
        handle_lock_timeout(lane);
    } else if (batch_is_single(lane)) {
        log_error("the database refused a message", LOG_STR("sqlstate", reply->sqlstate),
                  LOG_STR("detail", reply->message));
        finish_all(&lane->batch, WRITE_REFUSED);
        give_back(lane);
    } else {
        halve(lane, LABEL_RETRY_DATA_ERROR);
    }
}

static void handle_batch_written(void *context, const struct pg_reply *reply)
{
    struct lane *lane = context;

    if (lane->writer->closing) {
        if (reply->outcome == PG_OK)
            read_answers(lane, reply->result);
        finish_all(&lane->batch, WRITE_UNAVAILABLE);
        return;
    }
    switch (reply->outcome) {
    case PG_OK:
        handle_answers(lane, reply->result);
        break;
    case PG_REFUSED:
        handle_refused(lane, reply);
        break;
    case PG_NOT_SENT:
    case PG_UNKNOWN:
        retry_later(lane, LABEL_RETRY_CONNECTION_LOST);
        break;
    }
    schedule(lane->writer);
}

/* --- submitting --- */

static bool any_lane_ready(const struct writer *writer)
{
    for (size_t i = 0; i < writer->lane_count; i++)
        if (pg_conn_ready(writer->lanes[i].conn))
            return true;
    return false;
}

bool writer_ready(const struct writer *writer)
{
    for (size_t i = 0; i < writer->lane_count; i++)
        if (!pg_conn_ready(writer->lanes[i].conn))
            return false;
    return true;
}

void writer_submit(struct writer *writer, struct write *write)
{
    const struct config *config = writer->node->config;

    /* While the database is away, better an early answer than a long wait. */
    write->deadline_ms =
        clock_now_ms() + (any_lane_ready(writer) ? (uint64_t)config->database.statement_timeout_ms
                                                 : AWAY_TIMEOUT_MS);
    write->busy_rounds = 0;
    if (writer->queue.count >= WRITE_QUEUE_LIMIT)
        write_queue_refuse(&writer->queue, write);
    else
        write_queue_add(&writer->queue, write);
    schedule(writer);
}

size_t writer_queued(const struct writer *writer)
{
    return writer->queue.count;
}

/* --- life --- */

struct writer *writer_new(struct node *node)
{
    struct writer *writer = xcalloc(1, sizeof(*writer));
    struct pg_conn_options options;

    database_options(node, &options);
    options.application_name = "chatgate writer";
    if (options.lock_timeout_ms > LOCK_TIMEOUT_MS)
        options.lock_timeout_ms = LOCK_TIMEOUT_MS;
    writer->node = node;
    writer->batch_limit = WRITE_BATCH_MAX;
    write_queue_init(&writer->queue);
    uv_prepare_init(node->loop, &writer->before_io);
    uv_timer_init(node->loop, &writer->wake);
    writer->lane_count = (size_t)node->config->database.writers;
    writer->lanes = xcalloc(writer->lane_count, sizeof(*writer->lanes));
    writer->open_handles = 2;
    for (size_t i = 0; i < writer->lane_count; i++) {
        struct lane *lane = &writer->lanes[i];
        lane->writer = writer;
        list_init(&lane->batch);
        lane->conn = pg_conn_new(node->loop, &options);
        writer->open_handles++;
    }
    return writer;
}

static void handle_one_closed(void *context)
{
    struct writer *writer = context;

    if (--writer->open_handles)
        return;
    void (*closed)(void *) = writer->closed;
    void *closed_context = writer->closed_context;
    free(writer->lanes);
    free(writer);
    if (closed)
        closed(closed_context);
}

static void handle_prepare_closed(uv_handle_t *handle)
{
    handle_one_closed(container_of((uv_prepare_t *)handle, struct writer, before_io));
}

static void handle_timer_closed(uv_handle_t *handle)
{
    handle_one_closed(container_of((uv_timer_t *)handle, struct writer, wake));
}

void writer_close(struct writer *writer, void (*closed)(void *context), void *context)
{
    writer->closing = true;
    writer->closed = closed;
    writer->closed_context = context;
    finish_all(&writer->queue.ready, WRITE_UNAVAILABLE);
    finish_all(&writer->queue.resting, WRITE_UNAVAILABLE);
    finish_all(&writer->queue.aside, WRITE_UNAVAILABLE);
    uv_close((uv_handle_t *)&writer->before_io, handle_prepare_closed);
    uv_close((uv_handle_t *)&writer->wake, handle_timer_closed);
    for (size_t i = 0; i < writer->lane_count; i++)
        pg_conn_close(writer->lanes[i].conn, handle_one_closed, writer);
}
