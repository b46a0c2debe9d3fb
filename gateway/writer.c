/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer.
 *
 * A lane is one connection. A room always takes the same lane, so its messages keep their order;
 * lanes don't fight over rooms. While a batch is on its way, messages gather behind it: a lone
 * message goes at once, under load batches grow by themselves.
 *
 * What can go wrong, and what then happens:
 *   - another node holds the room: its rows come back `busy` and go to the front of the queue. A
 *     room that stays busy is set aside, and now and then one such room is written alone by the
 *     statement that waits for the lock, for a moment: whoever forgot a transaction in a terminal
 *     holds up that room and no other.
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
#include "gateway/timer_wheel.h"
#include "gateway/write_batch.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    BUSY_ROUNDS = 3, /* then the room is set aside */
    RETRY_MS = 20,
    LOCK_TIMEOUT_MS =
        150,             /* the lane stands still meanwhile; others need a lock for milliseconds */
    WAIT_PAUSE_MS = 500, /* between two waits in vain; each costs the lane its lock_timeout */
    AWAY_TIMEOUT_MS = 1500,
    QUEUE_LIMIT = 20000, /* of one lane; beyond it, unavailable at once */
};

static const char SQLSTATE_LOCK_TIMEOUT[] = "55P03";

struct lane {
    struct writer *writer;
    struct pg_conn *conn;
    struct list_node queue;   /* write::link */
    struct list_node aside;   /* write::link, of the rooms that are set aside */
    struct list_node batch;   /* write::link, in the order they were sent */
    size_t queued;            /* in queue and aside */
    size_t batch_limit;       /* halved to find a row that the database refuses */
    bool waits;               /* the batch is of one room that was aside, and waits for its lock */
    struct timer_entry retry; /* while armed nothing is sent */
    struct timer_entry pause; /* while armed no room that is aside is tried */
};

struct writer {
    struct node *node;
    struct lane *lanes;
    size_t lane_count;
    size_t open_lanes;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
};

static void send_batch(struct lane *lane);
static void handle_pause_end(struct timer_entry *entry);

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

/* Moves the next batch: the oldest messages, all screened by one rule set, or a room that is aside
 * and is waited for. Returns how many there are: none if all are aside, and for a while. */
static size_t choose_batch(struct lane *lane)
{
    lane->waits = !list_empty(&lane->aside) && !timer_entry_armed(&lane->pause);
    struct list_node *from = lane->waits ? &lane->aside : &lane->queue;
    size_t count = 0;

    if (list_empty(from))
        return 0;
    const struct write *first = write_at(list_first(from));
    LIST_FOREACH_SAFE (node, from) {
        struct write *write = write_at(node);
        if (lane->waits && !uuid_equal(&write->message.room, &first->message.room))
            continue;
        if (write->rule_set != first->rule_set || count == lane->batch_limit)
            break;
        list_remove(&write->link);
        list_append(&lane->batch, &write->link);
        lane->queued--;
        count++;
    }
    return count;
}

static void drop_overdue(struct lane *lane, struct list_node *list)
{
    uint64_t now = clock_now_ms();

    LIST_FOREACH_SAFE (node, list) {
        if (write_at(node)->deadline_ms > now && list == &lane->queue)
            return; /* the queue is in the order of deadlines */
        if (write_at(node)->deadline_ms > now)
            continue;
        lane->queued--;
        finish(write_at(node), WRITE_UNAVAILABLE);
    }
}

static void handle_batch_written(void *context, const struct pg_reply *reply);
static void retry_later(struct lane *lane, enum metric_label reason);

static void send_batch(struct lane *lane)
{
    struct node *node = lane->writer->node;
    struct pg_params params = PG_PARAMS_INIT;

    drop_overdue(lane, &lane->queue);
    drop_overdue(lane, &lane->aside);
    if (!list_empty(&lane->batch) || !lane->queued || lane->writer->closing ||
        timer_entry_armed(&lane->retry))
        return;
    if (!pg_conn_ready(lane->conn)) {
        retry_later(lane, LABEL_RETRY_CONNECTION_LOST);
        return;
    }
    size_t count = choose_batch(lane);
    if (!count)
        return;
    metrics_observe(METRIC_WRITE_BATCH, (double)count);
    write_batch_bind(&params, &lane->batch, node->text_hasher, node->name);
    pg_conn_query(lane->conn, lane->waits ? &sql_write_messages_wait : &sql_write_messages, &params,
                  handle_batch_written, lane);
}

/* --- answers --- */

/* Puts what is left of the batch back in front of where it came from, in order. */
static void requeue(struct lane *lane)
{
    struct list_node *home = lane->waits ? &lane->aside : &lane->queue;

    while (!list_empty(&lane->batch)) {
        struct list_node *last = list_last(&lane->batch);
        list_remove(last);
        list_prepend(home, last);
        lane->queued++;
    }
}

static bool holds_room(const struct list_node *list, const struct uuid *room)
{
    LIST_FOREACH (node, list)
        if (uuid_equal(&write_at(node)->message.room, room))
            return true;
    return false;
}

/* Sets the rooms aside that stayed busy for too long, each with all that is queued for it. */
static void set_aside(struct lane *lane)
{
    LIST_FOREACH_SAFE (node, &lane->queue) {
        struct write *write = write_at(node);
        if (write->busy_rounds < BUSY_ROUNDS && !holds_room(&lane->aside, &write->message.room))
            continue;
        list_remove(node);
        list_append(&lane->aside, node);
    }
}

/* The room that was waited for goes behind the others that are aside. */
static void give_turn(struct lane *lane)
{
    LIST_FOREACH (node, &lane->batch)
        lane->queued++;
    list_splice(&lane->aside, &lane->batch);
    timer_wheel_arm(lane->writer->node->wheel, &lane->pause, WAIT_PAUSE_MS, handle_pause_end);
}

static void handle_pause_end(struct timer_entry *entry)
{
    send_batch(container_of(entry, struct lane, pause));
}

static void handle_retry(struct timer_entry *entry)
{
    send_batch(container_of(entry, struct lane, retry));
}

static void retry_later(struct lane *lane, enum metric_label reason)
{
    metrics_add_label(METRIC_WRITE_RETRIES, reason, 1);
    timer_wheel_arm(lane->writer->node->wheel, &lane->retry, RETRY_MS, handle_retry);
}

/* Answers every row of the batch but the busy ones, which stay in it. True if there were any. */
static bool read_answers(struct lane *lane, const PGresult *result)
{
    struct list_node *node = lane->batch.next;
    bool busy = false;

    for (int row = 0; row < PQntuples(result) && node != &lane->batch; row++) {
        struct write *write = write_at(node);
        enum write_result outcome;
        node = node->next;
        if (write_batch_read(result, row, write, &outcome)) {
            finish(write, outcome);
        } else {
            write->busy_rounds++;
            busy = true;
        }
    }
    return busy;
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
    metrics_add_label(METRIC_WRITE_RETRIES, reason, 1);
    lane->batch_limit = lane->batch_limit > 1 ? lane->batch_limit / 2 : 1;
    requeue(lane);
}

/* Somebody holds a lock that this batch needs. */
static void handle_lock_timeout(struct lane *lane)
{
    if (lane->waits) {
        metrics_add_label(METRIC_WRITE_RETRIES, LABEL_RETRY_LOCK_TIMEOUT, 1);
        give_turn(lane);
    } else if (batch_is_single(lane)) {
        write_at(lane->batch.next)->busy_rounds = BUSY_ROUNDS;
        requeue(lane);
        set_aside(lane);
    } else {
        halve(lane, LABEL_RETRY_LOCK_TIMEOUT);
    }
}

static void handle_refused(struct lane *lane, const struct pg_reply *reply)
{
    enum metric_label reason;

    if (retryable(reply->sqlstate, &reason)) {
        requeue(lane);
        retry_later(lane, reason);
    } else if (!strcmp(reply->sqlstate, SQLSTATE_LOCK_TIMEOUT)) {
        handle_lock_timeout(lane);
    } else if (batch_is_single(lane)) {
        log_error("the database refused a message", LOG_STR("sqlstate", reply->sqlstate),
                  LOG_STR("detail", reply->message));
        finish_all(&lane->batch, WRITE_REFUSED);
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
        if (read_answers(lane, reply->result)) {
            requeue(lane);
            set_aside(lane);
            retry_later(lane, LABEL_RETRY_BUSY);
        }
        lane->batch_limit =
            lane->batch_limit * 2 > WRITE_BATCH_MAX ? WRITE_BATCH_MAX : lane->batch_limit * 2;
        break;
    case PG_REFUSED:
        handle_refused(lane, reply);
        break;
    case PG_NOT_SENT:
    case PG_UNKNOWN:
        requeue(lane);
        retry_later(lane, LABEL_RETRY_CONNECTION_LOST);
        break;
    }
    send_batch(lane);
}

/* --- submitting --- */

static struct lane *lane_of(struct writer *writer, const struct uuid *room)
{
    return &writer->lanes[uuid_hash(room) % writer->lane_count];
}

void writer_submit(struct writer *writer, struct write *write)
{
    struct lane *lane = lane_of(writer, &write->message.room);
    bool ready = pg_conn_ready(lane->conn);
    const struct config *config = writer->node->config;

    /* While the database is away, better an early answer than a long wait. */
    write->deadline_ms = clock_now_ms() + (ready ? (uint64_t)config->database.statement_timeout_ms
                                                 : AWAY_TIMEOUT_MS);
    write->busy_rounds = 0;
    if (lane->queued >= QUEUE_LIMIT) {
        write->deadline_ms = 0; /* dropped, as overdue, from the next callback */
        list_prepend(&lane->queue, &write->link);
        lane->queued++;
        if (!timer_entry_armed(&lane->retry))
            timer_wheel_arm(writer->node->wheel, &lane->retry, 1, handle_retry);
        return;
    }
    bool aside = holds_room(&lane->aside, &write->message.room) ||
                 (lane->waits && holds_room(&lane->batch, &write->message.room));
    list_append(aside ? &lane->aside : &lane->queue, &write->link);
    lane->queued++;
    send_batch(lane);
}

size_t writer_queued(const struct writer *writer)
{
    size_t queued = 0;
    for (size_t i = 0; i < writer->lane_count; i++)
        queued += writer->lanes[i].queued;
    return queued;
}

bool writer_ready(const struct writer *writer)
{
    for (size_t i = 0; i < writer->lane_count; i++)
        if (!pg_conn_ready(writer->lanes[i].conn))
            return false;
    return true;
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
    writer->lane_count = (size_t)node->config->database.writers;
    writer->lanes = xcalloc(writer->lane_count, sizeof(*writer->lanes));
    for (size_t i = 0; i < writer->lane_count; i++) {
        struct lane *lane = &writer->lanes[i];
        lane->writer = writer;
        lane->batch_limit = WRITE_BATCH_MAX;
        list_init(&lane->queue);
        list_init(&lane->aside);
        list_init(&lane->batch);
        timer_entry_init(&lane->retry);
        timer_entry_init(&lane->pause);
        lane->conn = pg_conn_new(node->loop, &options);
        writer->open_lanes++;
    }
    return writer;
}

static void handle_lane_closed(void *context)
{
    struct writer *writer = context;

    if (--writer->open_lanes)
        return;
    void (*closed)(void *) = writer->closed;
    void *closed_context = writer->closed_context;
    free(writer->lanes);
    free(writer);
    if (closed)
        closed(closed_context);
}

void writer_close(struct writer *writer, void (*closed)(void *context), void *context)
{
    writer->closing = true;
    writer->closed = closed;
    writer->closed_context = context;
    for (size_t i = 0; i < writer->lane_count; i++) {
        timer_wheel_cancel(&writer->lanes[i].retry);
        timer_wheel_cancel(&writer->lanes[i].pause);
        finish_all(&writer->lanes[i].queue, WRITE_UNAVAILABLE);
        finish_all(&writer->lanes[i].aside, WRITE_UNAVAILABLE);
        pg_conn_close(writer->lanes[i].conn, handle_lane_closed, writer);
    }
}
