/* SPDX-License-Identifier: Apache-2.0 */
/* Columns out, rows in: what the writer's lanes know nothing of. */
#include "gateway/write_batch.h"

#include <stdio.h>
#include <string.h>

#include "gateway/pg_params.h"
#include "gateway/pg_row.h"
#include "gateway/text_hash.h"

/* The columns of a batch, in the order of the statement's parameters. */
struct columns {
    size_t count;
    struct uuid ids[WRITE_BATCH_MAX], rooms[WRITE_BATCH_MAX], senders[WRITE_BATCH_MAX],
        cids[WRITE_BATCH_MAX];
    const char *texts[WRITE_BATCH_MAX], *statuses[WRITE_BATCH_MAX], *reasons[WRITE_BATCH_MAX],
        *details[WRITE_BATCH_MAX];
    size_t text_lengths[WRITE_BATCH_MAX], status_lengths[WRITE_BATCH_MAX],
        reason_lengths[WRITE_BATCH_MAX], detail_lengths[WRITE_BATCH_MAX];
    unsigned char hash_bytes[WRITE_BATCH_MAX][TEXT_HASH_BYTES];
    const void *hashes[WRITE_BATCH_MAX];
    const struct uuid *after[WRITE_BATCH_MAX];
    size_t hash_lengths[WRITE_BATCH_MAX];
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
    columns->after[i] = write->any ? NULL : &write->after;
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
    pg_params_uuid_or_null_array(params, columns->after, n);
}

void write_batch_bind(struct pg_params *params, const struct list_node *batch,
                      const struct text_hasher *hasher, const char *node_name)
{
    static struct columns columns; /* the loop's thread only; too large for a stack */
    int64_t rule_set = container_of(list_first(batch), struct write, link)->rule_set;

    columns.count = 0;
    LIST_FOREACH (node, batch)
        add_row(&columns, hasher, container_of(node, struct write, link));
    bind_columns(params, &columns, rule_set, node_name);
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
        {"stale", WRITE_STALE},
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

static void read_values(const PGresult *result, int row, struct write *write)
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

bool write_batch_read(const PGresult *result, int row, struct write *write,
                      enum write_result *outcome)
{
    const struct uuid sent = write->message.id;

    if (!parse_result(pg_text(result, row, RESULT, NULL), outcome))
        return false;
    if (*outcome == WRITE_NEW || *outcome == WRITE_DUP)
        read_values(result, row, write);
    if (*outcome == WRITE_DUP && uuid_equal(&write->message.id, &sent))
        *outcome = WRITE_NEW;
    return true;
}
