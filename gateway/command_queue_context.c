/* SPDX-License-Identifier: Apache-2.0 */
/* queue.context: the conversation around a message, and the record of its sender */
#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/request.h"
#include "protocol/command.h"
#include "protocol/event_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { TEXT_BYTES = 128 * 1024 }; /* of all texts of an answer; the nearest ones are kept */

struct context {
    struct request request;
    struct command_queue_context asked;
    PGresult *conversation; /* a copy: it waits for the sender's record */
};

/* The columns of sql/statements/queue_context.sql. */
enum column {
    ID,
    ROOM,
    SENDER,
    STATUS,
    SEQ,
    REMOVED,
    TEXT,
    AT_US,
    DELAYED,
    REASON,
    VERSION,
    FOCUS,
    TEACHER,
    STUDENT,
    PIECE
};

/* Those of sql/statements/queue_record.sql. */
enum record_column {
    USER,
    ROLE,
    FIRST_NAME,
    LAST_NAME,
    CREATED_US,
    DELETED,
    SUSPENDED_UNTIL_US,
    PENDING,
    DELIVERED,
    BLOCKED,
    REMOVED_COUNT,
    OVERTURNED,
};

static void context_free(struct context *context)
{
    PQclear(context->conversation);
    free(context);
}

/* --- which messages --- */

/* Rows of the conversation, `last` included. */
struct range {
    int first, last;
};

static int find_subject(const PGresult *result)
{
    int row = 0;
    while (row + 1 < PQntuples(result) && !pg_bool(result, row, FOCUS))
        row++;
    return row;
}

/* Whether the row's text still fits; it is then taken from the budget. */
static bool afford(const PGresult *result, int row, size_t *budget)
{
    size_t length = (size_t)PQgetlength(result, row, TEXT);

    if (length > *budget)
        return false;
    *budget -= length;
    return true;
}

/* The statement counts messages with and without a number apart, so it may bring twice what was
 * asked for. Grows from the subject to both sides in turn. */
static struct range choose_rows(const PGresult *result, int subject,
                                const struct command_queue_context *asked)
{
    int lowest = subject > asked->before ? subject - asked->before : 0;
    int rows = PQntuples(result);
    int highest = rows - subject > asked->after ? subject + asked->after : rows - 1;
    struct range range = {subject, subject};
    size_t budget = TEXT_BYTES;
    bool grew = true;

    while (grew) {
        grew = false;
        if (range.first > lowest && afford(result, range.first - 1, &budget))
            range.first--, grew = true;
        if (range.last < highest && afford(result, range.last + 1, &budget))
            range.last++, grew = true;
    }
    return range;
}

/* --- the answer --- */

static void read_message(const PGresult *result, int row, struct message *message)
{
    const char *status = pg_text(result, row, STATUS, NULL);

    *message = (struct message){
        .seq = pg_int8(result, row, SEQ),
        .removed = pg_bool(result, row, REMOVED),
        .at_us = pg_int8(result, row, AT_US),
        .delayed = pg_bool(result, row, DELAYED),
        .reason = pg_text(result, row, REASON, NULL),
    };
    pg_uuid(result, row, ID, &message->id);
    pg_uuid(result, row, ROOM, &message->room);
    pg_uuid(result, row, SENDER, &message->sender);
    message_status_parse(&message->status, status, strlen(status));
    if (!message->removed)
        message->text = pg_text(result, row, TEXT, &message->text_length);
}

static void read_record(const PGresult *result, struct queue_record *record)
{
    *record = (struct queue_record){
        .user = {.role = pg_text(result, 0, ROLE, NULL),
                 .first_name = pg_text(result, 0, FIRST_NAME, NULL),
                 .last_name = pg_text(result, 0, LAST_NAME, NULL)},
        .has_member_since = !pg_is_null(result, 0, CREATED_US),
        .member_since_us = pg_int8(result, 0, CREATED_US),
        .pending = pg_int8(result, 0, PENDING),
        .delivered = pg_int8(result, 0, DELIVERED),
        .blocked = pg_int8(result, 0, BLOCKED),
        .removed = pg_int8(result, 0, REMOVED_COUNT),
        .overturned = pg_int8(result, 0, OVERTURNED),
    };
    pg_uuid(result, 0, USER, &record->user.id);
}

static void reply_context(const struct context *context, const PGresult *record_result)
{
    const PGresult *result = context->conversation;
    struct json_writer *json = &context->request.node->json;
    int subject = find_subject(result);
    struct range range = choose_rows(result, subject, &context->asked);
    size_t count = (size_t)(range.last - range.first + 1);
    struct message *messages = xcalloc(count, sizeof(*messages));
    struct queue_context_message *items = xcalloc(count, sizeof(*items));
    struct queue_record record;

    for (size_t i = 0; i < count; i++) {
        int row = range.first + (int)i;
        read_message(result, row, &messages[i]);
        items[i] = (struct queue_context_message){&messages[i], row == subject,
                                                  pg_bool(result, row, PIECE)};
    }
    read_record(record_result, &record);
    json_writer_reset(json);
    event_queue_context(json, context->request.re, &context->asked.mid, &messages[0].room, items,
                        count, &record);
    request_reply(&context->request, json);
    free(items);
    free(messages);
}

/* --- the statements --- */

static void handle_record(void *data, const struct pg_reply *reply)
{
    struct context *context = data;

    if (reply->outcome != PG_OK)
        request_fail_database(&context->request, reply);
    else if (!PQntuples(reply->result))
        request_fail(&context->request, ERROR_NOT_FOUND, "user", 0);
    else
        reply_context(context, reply->result);
    context_free(context);
}

static void read_sender(struct context *context, const PGresult *result)
{
    struct pg_params params = PG_PARAMS_INIT;
    struct uuid sender;

    context->conversation = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (!context->conversation) {
        request_fail(&context->request, ERROR_INTERNAL, NULL, 0);
        context_free(context);
        return;
    }
    pg_uuid(result, find_subject(result), SENDER, &sender);
    pg_params_uuid(&params, &sender);
    pg_pool_query(context->request.node->pool, &sql_queue_record, &params, handle_record, context);
}

static void handle_conversation(void *data, const struct pg_reply *reply)
{
    struct context *context = data;

    if (reply->outcome == PG_OK && PQntuples(reply->result)) {
        read_sender(context, reply->result);
        return;
    }
    if (reply->outcome == PG_OK)
        request_fail(&context->request, ERROR_NOT_FOUND, "message", 0);
    else
        request_fail_database(&context->request, reply);
    context_free(context);
}

void command_run_queue_context(const struct request *request, const struct command *command)
{
    const struct command_queue_context *asked = &command->queue_context;
    struct context *context = xcalloc(1, sizeof(*context));
    struct pg_params params = PG_PARAMS_INIT;

    context->request = *request;
    context->asked = *asked;
    pg_params_uuid(&params, &request->user);
    pg_params_uuid(&params, &asked->mid);
    pg_params_int4(&params, asked->before);
    pg_params_int4(&params, asked->after);
    pg_params_cstring(&params, request->node->name);
    pg_pool_query(request->node->pool, &sql_queue_context, &params, handle_conversation, context);
}
