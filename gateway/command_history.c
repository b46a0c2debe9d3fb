/* SPDX-License-Identifier: Apache-2.0 */
/* history: a page of a room's delivered messages */
#include <stdlib.h>

#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/request.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PAGE_BYTES = 65536 };

struct history {
    struct request request;
    struct command_history asked;
};

/* The columns of sql/statements/history.sql. */
enum column { SEQ, ID, SENDER, CID, TEXT, AT_US, DELAYED, REMOVED };

static void read_message(const PGresult *result, int row, struct message *message)
{
    *message = (struct message){
        .status = MESSAGE_DELIVERED,
        .seq = pg_int8(result, row, SEQ),
        .at_us = pg_int8(result, row, AT_US),
        .delayed = pg_bool(result, row, DELAYED),
        .removed = pg_bool(result, row, REMOVED),
        .has_cid = !pg_is_null(result, row, CID),
    };
    pg_uuid(result, row, ID, &message->id);
    pg_uuid(result, row, SENDER, &message->sender);
    pg_uuid(result, row, CID, &message->cid);
    if (!message->removed)
        message->text = pg_text(result, row, TEXT, &message->text_length);
}

/* One row more than the page was asked for: it says that there is more, and is not sent. */
static void reply_page(const struct history *history, const PGresult *result)
{
    const struct command_history *asked = &history->asked;
    struct json_writer *json = &history->request.node->json;
    size_t rows = result ? (size_t)PQntuples(result) : 0, limit = (size_t)asked->limit;
    size_t count = rows < limit ? rows : limit;
    struct message *messages = xcalloc(count + 1, sizeof(*messages));

    for (size_t i = 0; i < count; i++) {
        size_t row = asked->has_after ? i : count - 1 - i;
        read_message(result, (int)row, &messages[i]);
    }
    struct history_page page = {
        .room = asked->room,
        .viewer = history->request.user,
        .messages = messages,
        .count = count,
        .more = rows > limit,
        .backward = !asked->has_after,
        .bytes_limit = PAGE_BYTES,
    };
    json_writer_reset(json);
    event_history(json, history->request.re, &page);
    request_reply(&history->request, json);
    free(messages);
}

/* An empty page is no answer yet: is it an empty room, or none of this user's? */
static void handle_member(void *context, const struct pg_reply *reply)
{
    struct history *history = context;

    if (reply->outcome != PG_OK)
        request_fail_database(&history->request, reply);
    else if (!PQntuples(reply->result))
        request_fail(&history->request, ERROR_NOT_FOUND, "room", 0);
    else
        reply_page(history, NULL);
    free(history);
}

static void handle_page(void *context, const struct pg_reply *reply)
{
    struct history *history = context;
    struct pg_params params = PG_PARAMS_INIT;

    if (reply->outcome != PG_OK) {
        request_fail_database(&history->request, reply);
        free(history);
        return;
    }
    if (PQntuples(reply->result)) {
        reply_page(history, reply->result);
        free(history);
        return;
    }
    pg_params_uuid(&params, &history->request.user);
    pg_params_uuid(&params, &history->asked.room);
    pg_pool_query(history->request.node->pool, &sql_member, &params, handle_member, history);
}

void command_run_history(const struct request *request, const struct command *command)
{
    const struct command_history *asked = &command->history;
    struct history *history = xcalloc(1, sizeof(*history));
    struct pg_params params = PG_PARAMS_INIT;

    history->request = *request;
    history->asked = *asked;
    pg_params_uuid(&params, &request->user);
    pg_params_uuid(&params, &asked->room);
    pg_params_int8_or_null(&params, asked->has_before ? &asked->before : NULL);
    pg_params_int8_or_null(&params, asked->has_after ? &asked->after : NULL);
    pg_params_int4(&params, asked->limit + 1);
    pg_pool_query(request->node->pool, &sql_history, &params, handle_page, history);
}
