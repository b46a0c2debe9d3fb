/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer.
 *
 * A lane is one connection. A room always takes the same lane, so its messages keep their order;
 * lanes don't fight over rooms. While a batch is on its way, messages gather behind it: a lone
 * message goes at once, under load batches grow by themselves.
 *
 * What can go wrong, and what then happens:
 *   - another node holds the room: its rows come back `busy` and go to the front of the queue; a
 *     room that stays busy is written alone by the statement that waits for it.
 *   - deadlock, serialisation, lock timeout: all was rolled back; the batch goes again.
 *   - a row that the database cannot take: batches are halved until it stands alone, and it alone
 *     is refused.
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
#include "gateway/pg_row.h"
#include "gateway/text_hash.h"
#include "gateway/timer_wheel.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    BATCH_MAX = 200,
    BUSY_ROUNDS = 3, /* then the room is waited for */
    RETRY_MS = 20,
    AWAY_TIMEOUT_MS = 1500,
    QUEUE_LIMIT = 20000, /* of one lane; beyond it, unavailable at once */
};

struct lane {
    struct writer *writer;
    struct pg_conn *conn;
    struct list_node queue; /* write::link */
    struct list_node batch; /* write::link, in the order they were sent */
    size_t queued;
    size_t batch_limit; /* halved to find a row that the database refuses */
    bool waits;         /* the batch is of one room and waits for its lock */
    struct timer_entry retry;
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

/* The columns of a batch, in the order of the statement's parameters. */
struct columns {
    size_t count;
    struct uuid ids[BATCH_MAX], rooms[BATCH_MAX], senders[BATCH_MAX], cids[BATCH_MAX];
    const char *texts[BATCH_MAX], *statuses[BATCH_MAX], *reasons[BATCH_MAX], *details[BATCH_MAX];
    size_t text_lengths[BATCH_MAX], status_lengths[BATCH_MAX], reason_lengths[BATCH_MAX],
        detail_lengths[BATCH_MAX];
    unsigned char hash_bytes[BATCH_MAX][TEXT_HASH_BYTES];
    const void *hashes[BATCH_MAX];
    size_t hash_lengths[BATCH_MAX];
};

static void add_row(struct columns *columns, const struct text_hasher *hasher,
                    const struct write *write)
{
    const struct message *message = &write->message;
    size_t i = columns->count++;

    columns->ids[i] = message->id;
    columns->rooms[i] = message->room;
    columns->senders[i] = message->sender;
    columns->cids[i] = message->cid;
    columns->texts[i] = message->text;
    columns->text_lengths[i] = message->text_length;
    columns->statuses[i] = message_status_name(message->status);
    columns->status_lengths[i] = strlen(columns->statuses[i]);
    columns->reasons[i] = message->reason;
    columns->reason_lengths[i] = message->reason ? strlen(message->reason) : 0;
    columns->details[i] = write->detail;
    columns->detail_lengths[i] = write->detail_length;
    text_hash(hasher, message->text, message->text_length, columns->hash_bytes[i]);
    columns->hashes[i] = columns->hash_bytes[i];
    columns->hash_lengths[i] = TEXT_HASH_BYTES;
}

static void bind_columns(struct pg_params *params, const struct columns *columns, int64_t rule_set,
                         const char *node_name)
{
    size_t n = columns->count;

    pg_params_uuid_array(params, columns->ids, n);
    pg_params_uuid_array(params, columns->rooms, n);
    pg_params_uuid_array(params, columns->senders, n);
    pg_params_uuid_array(params, columns->cids, n);
    pg_params_text_array(params, columns->texts, columns->text_lengths, n);
    pg_params_bytea_array(params, columns->hashes, columns->hash_lengths, n);
    pg_params_text_array(params, columns->statuses, columns->status_lengths, n);
    pg_params_text_array(params, columns->reasons, columns->reason_lengths, n);
    pg_params_jsonb_array(params, columns->details, columns->detail_lengths, n);
    pg_params_int8(params, rule_set);
    pg_params_cstring(params, node_name);
}

/* Moves the next batch from the queue: the oldest messages, all screened by one rule set, or a
 * single room that must be waited for. */
static void choose_batch(struct lane *lane, struct columns *columns)
{
    struct write *first = container_of(list_first(&lane->queue), struct write, link);

    lane->waits = first->busy_rounds >= BUSY_ROUNDS;
    LIST_FOREACH_SAFE (node, &lane->queue) {
        struct write *write = container_of(node, struct write, link);
        if (columns->count >= lane->batch_limit)
            break;
        if (lane->waits && !uuid_equal(&write->message.room, &first->message.room))
            continue;
        if (write->rule_set != first->rule_set)
            break;
        list_remove(&write->link);
        list_append(&lane->batch, &write->link);
        lane->queued--;
        add_row(columns, lane->writer->node->text_hasher, write);
    }
}

static void drop_overdue(struct lane *lane)
{
    uint64_t now = clock_now_ms();

    while (!list_empty(&lane->queue)) {
        struct write *write = container_of(list_first(&lane->queue), struct write, link);
        if (write->deadline_ms > now)
            return;
        lane->queued--;
        finish(write, WRITE_UNAVAILABLE);
    }
}

static void handle_batch_written(void *context, const struct pg_reply *reply);
static void retry_later(struct lane *lane, enum metric_label reason);

static void send_batch(struct lane *lane)
{
    static struct columns columns; /* the loop's thread only; too large for a stack */
    struct node *node = lane->writer->node;

    drop_overdue(lane);
    if (!list_empty(&lane->batch) || list_empty(&lane->queue) || lane->writer->closing ||
        timer_entry_armed(&lane->retry))
        return;
    if (!pg_conn_ready(lane->conn)) {
        retry_later(lane, LABEL_RETRY_CONNECTION_LOST);
        return;
    }
    columns.count = 0;
    choose_batch(lane, &columns);
    int64_t rule_set = container_of(list_first(&lane->batch), struct write, link)->rule_set;
    struct pg_params params = PG_PARAMS_INIT;
    bind_columns(&params, &columns, rule_set, node->name);
    metrics_observe(METRIC_WRITE_BATCH, (double)columns.count);
    pg_conn_query(lane->conn, lane->waits ? &sql_write_messages_wait : &sql_write_messages, &params,
                  handle_batch_written, lane);
}

/* --- answers --- */

/* Puts what is left of the batch back in front of the queue, in order. */
static void requeue(struct lane *lane)
{
    while (!list_empty(&lane->batch)) {
        struct list_node *last = list_last(&lane->batch);
        list_remove(last);
        list_prepend(&lane->queue, last);
        lane->queued++;
    }
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

/* The columns of sql/statements/write_messages.sql. */
enum column { ORD, RESULT, ID, STATUS, SEQ, AT_US, REASON, TEACHER, STUDENT };

static bool parse_result(const char *name, enum write_result *out)
{
    static const struct {
        const char *name;
        enum write_result result;
    } table[] = {
        {"new", WRITE_NEW},
        {"dup", WRITE_DUP},
        {"no_room", WRITE_NO_ROOM},
        {"not_member", WRITE_NOT_MEMBER},
        {"cid_conflict", WRITE_CID_CONFLICT},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strcmp(name, table[i].name)) {
            *out = table[i].result;
            return true;
        }
    }
    return false;
}

static void read_row(const PGresult *result, int row, struct write *write)
{
    struct message *message = &write->message;
    const char *status = pg_text(result, row, STATUS, NULL);
    const char *reason = pg_text(result, row, REASON, NULL);

    pg_uuid(result, row, ID, &message->id);
    if (status)
        message_status_parse(&message->status, status, strlen(status));
    message->seq = pg_int8(result, row, SEQ);
    message->at_us = pg_int8(result, row, AT_US);
    snprintf(write->reason, sizeof(write->reason), "%s", reason ? reason : "");
    message->reason = reason ? write->reason : NULL;
    pg_uuid(result, row, TEACHER, &write->teacher);
    pg_uuid(result, row, STUDENT, &write->student);
}

/* Answers every row of the batch but the busy ones, which stay in it. True if there were any. */
static bool read_answers(struct lane *lane, const PGresult *result)
{
    struct list_node *node = lane->batch.next;
    bool busy = false;

    for (int row = 0; row < PQntuples(result) && node != &lane->batch; row++) {
        struct write *write = container_of(node, struct write, link);
        enum write_result outcome;
        node = node->next;
        if (!parse_result(pg_text(result, row, RESULT, NULL), &outcome)) {
            write->busy_rounds++;
            busy = true;
            continue;
        }
        if (outcome == WRITE_NEW || outcome == WRITE_DUP)
            read_row(result, row, write);
        finish(write, outcome);
    }
    return busy;
}

static bool retryable(const char *sqlstate, enum metric_label *reason)
{
    static const struct {
        const char *prefix;
        enum metric_label reason;
    } table[] = {
        {"40P01", LABEL_RETRY_DEADLOCK},        {"40", LABEL_RETRY_SERIALIZATION},
        {"55P03", LABEL_RETRY_LOCK_TIMEOUT},    {"57", LABEL_RETRY_CONNECTION_LOST},
        {"53", LABEL_RETRY_CONNECTION_LOST},    {"08", LABEL_RETRY_CONNECTION_LOST},
        {"25006", LABEL_RETRY_CONNECTION_LOST},
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

static void handle_refused(struct lane *lane, const struct pg_reply *reply)
{
    enum metric_label reason;

    if (retryable(reply->sqlstate, &reason)) {
        requeue(lane);
        retry_later(lane, reason);
        return;
    }
    if (batch_is_single(lane)) {
        log_error("the database refused a message", LOG_STR("sqlstate", reply->sqlstate),
                  LOG_STR("detail", reply->message));
        finish_all(&lane->batch, WRITE_REFUSED);
        return;
    }
    metrics_add_label(METRIC_WRITE_RETRIES, LABEL_RETRY_DATA_ERROR, 1);
    lane->batch_limit = lane->batch_limit > 1 ? lane->batch_limit / 2 : 1;
    requeue(lane);
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
            retry_later(lane, LABEL_RETRY_BUSY);
        }
        lane->batch_limit = lane->batch_limit * 2 > BATCH_MAX ? BATCH_MAX : lane->batch_limit * 2;
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
    list_append(&lane->queue, &write->link);
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
    writer->node = node;
    writer->lane_count = (size_t)node->config->database.writers;
    writer->lanes = xcalloc(writer->lane_count, sizeof(*writer->lanes));
    for (size_t i = 0; i < writer->lane_count; i++) {
        struct lane *lane = &writer->lanes[i];
        lane->writer = writer;
        lane->batch_limit = BATCH_MAX;
        list_init(&lane->queue);
        list_init(&lane->batch);
        timer_entry_init(&lane->retry);
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
        finish_all(&writer->lanes[i].queue, WRITE_UNAVAILABLE);
        pg_conn_close(writer->lanes[i].conn, handle_lane_closed, writer);
    }
}
