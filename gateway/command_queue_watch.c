/* SPDX-License-Identifier: Apache-2.0 */
/* queue.watch: a page of the queue, then live; queue.unwatch; over REST the page alone */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/queue_row.h"
#include "gateway/request.h"
#include "gateway/session.h"
#include "protocol/command.h"
#include "protocol/event_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { CURSOR_BYTES = 64, PAGE_BYTES = 256 * 1024 };

struct watch {
    struct request request;
    int limit;
    int64_t pending, oldest_s;
    struct pg_params page; /* of the second statement */
};

/* "<microseconds>.<message>": the last row's place in the order. */
static bool parse_cursor(const char *cursor, int64_t *at_us, struct uuid *message)
{
    char *end;

    *at_us = strtoll(cursor, &end, 10);
    return end != cursor && *end == '.' && uuid_parse(message, end + 1, strlen(end + 1));
}

static void format_cursor(const struct queue_case *item, char out[static CURSOR_BYTES])
{
    int length = snprintf(out, CURSOR_BYTES - UUID_TEXT_BYTES - 1, "%" PRId64 ".", item->at_us);
    uuid_format(&item->mid, out + length);
}

static void reply_page(const struct watch *watch, const PGresult *result)
{
    const struct request *request = &watch->request;
    struct json_writer *json = &request->node->json;
    int rows = PQntuples(result), sent = 0;
    char cursor[CURSOR_BYTES];

    json_writer_reset(json);
    event_queue_snapshot_begin(json, request->re);
    while (sent < rows && sent < watch->limit && (!sent || json_length(json) < PAGE_BYTES / 2)) {
        struct queue_row row;
        queue_row_read(result, sent++, &request->user, &row);
        event_queue_snapshot_case(json, &row.item);
        format_cursor(&row.item, cursor);
        queue_row_deinit(&row);
    }
    event_queue_snapshot_end(json, watch->pending, watch->oldest_s, sent < rows ? cursor : NULL);
    request_reply(request, json);
}

static void handle_page(void *context, const struct pg_reply *reply)
{
    struct watch *watch = context;

    if (reply->outcome == PG_OK)
        reply_page(watch, reply->result);
    else
        request_fail_database(&watch->request, reply);
    free(watch);
}

static void handle_gauges(void *context, const struct pg_reply *reply)
{
    struct watch *watch = context;

    if (reply->outcome != PG_OK) {
        request_fail_database(&watch->request, reply);
        pg_params_deinit(&watch->page);
        free(watch);
        return;
    }
    watch->pending = pg_int8(reply->result, 0, 0);
    if (!pg_is_null(reply->result, 0, 1))
        watch->oldest_s = (clock_unix_us() - pg_int8(reply->result, 0, 1)) / 1000000;
    pg_pool_query(watch->request.node->pool, &sql_queue_page, &watch->page, handle_page, watch);
}

void command_run_queue_watch(const struct request *request, const struct command *command)
{
    const struct command_queue_watch *asked = &command->queue_watch;
    struct session *session = request_session(request);
    int64_t at_us = 0;
    struct uuid message = UUID_NIL;

    if (asked->cursor && !parse_cursor(asked->cursor, &at_us, &message)) {
        request_fail(request, ERROR_BAD_REQUEST, "field.cursor", 0);
        return;
    }
    /* Watch first, read then: what comes in between is told twice rather than never. */
    if (session)
        moderators_watch(session);
    struct watch *watch = xcalloc(1, sizeof(*watch));
    watch->request = *request;
    watch->limit = asked->limit;
    pg_params_int8_or_null(&watch->page, asked->cursor ? &at_us : NULL);
    pg_params_uuid_or_null(&watch->page, asked->cursor ? &message : NULL);
    pg_params_int4(&watch->page, asked->limit + 1);
    pg_params_uuid(&watch->page, &request->user);
    pg_pool_query(request->node->pool, &sql_queue_gauges, NULL, handle_gauges, watch);
}

void command_run_queue_unwatch(const struct request *request, const struct command *command)
{
    struct session *session = request_session(request);
    (void)command;

    if (session)
        moderators_unwatch(session);
    event_queue_unwatched(&request->node->json, request->re);
    request_reply(request, &request->node->json);
}
