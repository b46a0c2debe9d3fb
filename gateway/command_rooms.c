/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: a page of the user's rooms, the one that moved last first */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/request.h"
#include "gateway/room_row.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PAGE_BYTES = 65536, CURSOR_BYTES = 64 };

struct rooms_page {
    struct request request;
    int limit;
};

/* A cursor is the last row's place in the order: "<microseconds>.<room>". */
static void format_cursor(const struct room_row *row, char out[static CURSOR_BYTES])
{
    int length = snprintf(out, CURSOR_BYTES - UUID_TEXT_BYTES - 1, "%" PRId64 ".", row->sort_us);
    uuid_format(&row->info.room, out + length);
}

static bool parse_cursor(const char *cursor, int64_t *sort_us, struct uuid *room)
{
    char *end;

    *sort_us = strtoll(cursor, &end, 10);
    return end != cursor && *end == '.' && uuid_parse(room, end + 1, strlen(end + 1));
}

static void handle_page(void *context, const struct pg_reply *reply)
{
    struct rooms_page *page = context;
    const struct request *request = &page->request;
    struct json_writer *json = &request->node->json;
    char cursor[CURSOR_BYTES];
    struct room_row row;
    int sent = 0;

    if (reply->outcome != PG_OK) {
        request_fail_database(request, reply);
        free(page);
        return;
    }
    int rows = PQntuples(reply->result);
    json_writer_reset(json);
    event_rooms_begin(json, request->re);
    while (sent < rows && sent < page->limit && (!sent || json_length(json) < PAGE_BYTES)) {
        room_row_read(request->node, reply->result, sent++, &row);
        event_rooms_item(json, request->re, &row.info);
    }
    if (sent < rows)
        format_cursor(&row, cursor);
    event_rooms_end(json, sent < rows ? cursor : NULL);
    request_reply(request, json);
    free(page);
}

void command_run_rooms(const struct request *request, const struct command *command)
{
    const struct command_rooms *asked = &command->rooms;
    struct pg_params params = PG_PARAMS_INIT;
    int64_t sort_us = 0;
    struct uuid room = UUID_NIL;

    if (asked->cursor && !parse_cursor(asked->cursor, &sort_us, &room)) {
        request_fail(request, ERROR_BAD_REQUEST, "field.cursor", 0);
        return;
    }
    struct rooms_page *page = xcalloc(1, sizeof(*page));
    page->request = *request;
    page->limit = asked->limit;
    pg_params_uuid(&params, &request->user);
    pg_params_int8_or_null(&params, asked->cursor ? &sort_us : NULL);
    pg_params_uuid_or_null(&params, asked->cursor ? &room : NULL);
    pg_params_int4(&params, asked->limit + 1);
    pg_pool_query(request->node->pool, &sql_room_list, &params, handle_page, page);
}
