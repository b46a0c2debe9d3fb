/* SPDX-License-Identifier: Apache-2.0 */
/* open: get or create the room of two people (spec/chat-rooms, "Lazily") */
#include <stdlib.h>
#include <string.h>

#include "gateway/announce.h"
#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/rate_limit.h"
#include "gateway/request.h"
#include "gateway/room_row.h"
#include "gateway/room_watch.h"
#include "gateway/session.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

struct open {
    struct request request;
    bool made;
};

/* Every outcome but existing, created and revived. */
static const struct {
    const char *outcome;
    enum error_code code;
} refusals[] = {
    {"same_user", ERROR_UNPROCESSABLE},
    {"user_missing", ERROR_NOT_FOUND},
    {"wrong_role", ERROR_FORBIDDEN},
    {"no_lesson", ERROR_FORBIDDEN},
};

static bool refused(const struct request *request, const char *outcome)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (!strcmp(outcome, refusals[i].outcome)) {
            request_fail(request, refusals[i].code, refusals[i].outcome, 0);
            return true;
        }
    }
    return false;
}

static void handle_room(void *context, const struct pg_reply *reply)
{
    struct open *open = context;
    const struct request *request = &open->request;
    struct json_writer *json = &request->node->json;
    struct room_row row;

    if (reply->outcome != PG_OK) {
        request_fail_database(request, reply);
    } else if (!PQntuples(reply->result)) { /* closed between the two statements */
        request_fail(request, ERROR_NOT_FOUND, "room", 0);
    } else {
        room_row_read(request->node, reply->result, 0, &row);
        if (open->made)
            announce_room(request->node, &row.info.room, &row.info.teacher, &row.info.student);
        else /* a session that began while it was made is not in it yet */
            room_watch_look(request->node, &row.info.room, &request->user);
        json_writer_reset(json);
        event_room(json, request->re, &row.info);
        request_reply(request, json);
    }
    free(open);
}

static void handle_opened(void *context, const struct pg_reply *reply)
{
    struct open *open = context;
    const struct request *request = &open->request;
    struct pg_params params = PG_PARAMS_INIT;
    struct uuid room;

    if (reply->outcome != PG_OK) {
        request_fail_database(request, reply);
        free(open);
        return;
    }
    const char *outcome = pg_text(reply->result, 0, 0, NULL);
    if (refused(request, outcome)) {
        free(open);
        return;
    }
    pg_uuid(reply->result, 0, 1, &room);
    open->made = strcmp(outcome, "existing") != 0;
    if (open->made)
        log_info("chat room made", LOG_STR("way", "lazy"), LOG_STR("outcome", outcome),
                 LOG_UUID("room", &room));
    pg_params_uuid(&params, &request->user);
    pg_params_uuid_array(&params, &room, 1);
    pg_pool_query(request->node->pool, &sql_room_get, &params, handle_room, open);
}

void command_run_open(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    int64_t wait_ms = rate_table_take(node->open_rates, &request->user, sizeof(request->user),
                                      (int64_t)clock_now_ms());
    if (wait_ms) {
        metrics_add_label(METRIC_RATE_LIMITED, LABEL_LIMIT_OPENS, 1);
        request_fail(request, ERROR_RATE_LIMITED, "opens", wait_ms);
        session_refused(request_session(request), wait_ms);
        return;
    }
    struct open *open = xcalloc(1, sizeof(*open));
    struct pg_params params = PG_PARAMS_INIT;
    open->request = *request;
    pg_params_uuid(&params, &request->user);
    pg_params_uuid(&params, &command->open.with);
    pg_params_bool(&params, node->config->rooms.require_lesson);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_room_open, &params, handle_opened, open);
}
