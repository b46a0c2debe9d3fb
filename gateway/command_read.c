/* SPDX-License-Identifier: Apache-2.0 */
/* read: move the user's read mark, and tell both members' devices */
#include <stdlib.h>

#include "gateway/announce.h"
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

struct read {
    struct request request;
    struct uuid room;
};

static void push(const struct read *read, const struct uuid *to, int64_t seq)
{
    struct node *node = read->request.node;

    event_read(&node->json, EVENT_PUSH, &read->room, &read->request.user, seq);
    announce_event(node, to, &node->json, false);
}

/* The columns of sql/statements/read_mark.sql. */
enum column { SEQ, MOVED, PEER };

static void handle_moved(void *context, const struct pg_reply *reply)
{
    struct read *read = context;
    const struct request *request = &read->request;
    struct json_writer *json = &request->node->json;
    struct uuid peer;

    if (reply->outcome != PG_OK) {
        request_fail_database(request, reply);
    } else if (!PQntuples(reply->result)) {
        request_fail(request, ERROR_NOT_FOUND, "room", 0);
    } else {
        int64_t seq = pg_int8(reply->result, 0, SEQ);
        pg_uuid(reply->result, 0, PEER, &peer);
        json_writer_reset(json);
        event_read(json, request->re, &read->room, &request->user, seq);
        request_reply(request, json);
        if (pg_bool(reply->result, 0, MOVED)) {
            push(read, &request->user, seq);
            push(read, &peer, seq);
        }
    }
    free(read);
}

void command_run_read(const struct request *request, const struct command *command)
{
    struct read *read = xcalloc(1, sizeof(*read));
    struct pg_params params = PG_PARAMS_INIT;

    read->request = *request;
    read->room = command->read.room;
    pg_params_uuid(&params, &request->user);
    pg_params_uuid(&params, &read->room);
    pg_params_int8(&params, command->read.seq);
    pg_pool_query(request->node->pool, &sql_read_mark, &params, handle_moved, read);
}
