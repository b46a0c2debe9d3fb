/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and the table of commands: one verb, one file. */
#include "gateway/request.h"

#include <string.h>

#include "gateway/command.h"
#include "gateway/http.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pages.h"
#include "gateway/pg_conn.h"
#include "gateway/session.h"
#include "protocol/command.h"
#include "protocol/event.h"

enum { DATABASE_RETRY_MS = 1000 };

struct session *request_session(const struct request *request)
{
    return session_get(request->node, request->session);
}

/* A request without an id wants no answer, but an error it gets. */
static void reply(const struct request *request, enum error_code code, int64_t retry_after_ms,
                  struct json_writer *json)
{
    struct session *session = request_session(request);

    if (request->re == EVENT_BODY)
        http_reply(request->node, request->exchange, error_http_status(code), retry_after_ms, json);
    else if (session && (request->re > 0 || code != ERROR_NONE))
        session_send_json(session, json);
    json_writer_reset(json);
    if (session && request->page)
        pages_answered(session);
}

void request_reply(const struct request *request, struct json_writer *json)
{
    reply(request, ERROR_NONE, 0, json);
}

void request_reply_error(const struct request *request, enum error_code code,
                         struct json_writer *json)
{
    metrics_add_label(METRIC_ERRORS, (unsigned)code - 1, 1);
    reply(request, code, 0, json);
}

void request_fail(const struct request *request, enum error_code code, const char *reason,
                  int64_t retry_after_ms)
{
    struct json_writer *json = &request->node->json;

    metrics_add_label(METRIC_ERRORS, (unsigned)code - 1, 1);
    json_writer_reset(json);
    event_error(json, request->re, code, reason, NULL, retry_after_ms);
    reply(request, code, retry_after_ms, json);
}

void request_fail_database(const struct request *request, const struct pg_reply *reply)
{
    bool ours = reply->outcome == PG_REFUSED && strncmp(reply->sqlstate, "57", 2) &&
                strncmp(reply->sqlstate, "53", 2) && strncmp(reply->sqlstate, "55", 2) &&
                strncmp(reply->sqlstate, "40", 2) && strcmp(reply->sqlstate, "25006");

    if (!ours) { /* away, overloaded, shutting down, a lock, a standby: all pass */
        request_fail(request, ERROR_UNAVAILABLE, "database", DATABASE_RETRY_MS);
        return;
    }
    log_error("the database refused a statement", LOG_STR("sqlstate", reply->sqlstate),
              LOG_STR("detail", reply->message));
    request_fail(request, ERROR_INTERNAL, NULL, 0);
}

typedef void (*command_fn)(const struct request *request, const struct command *command);

static const command_fn handlers[COMMAND_COUNT] = {
    [COMMAND_SYNC] = command_run_sync,
    [COMMAND_OPEN] = command_run_open,
    [COMMAND_SEND] = command_run_send,
    [COMMAND_HISTORY] = command_run_history,
    [COMMAND_ROOMS] = command_run_rooms,
    [COMMAND_READ] = command_run_read,
    [COMMAND_TYPING] = command_run_typing,
    [COMMAND_REFRESH] = command_run_refresh,
    [COMMAND_QUEUE_WATCH] = command_run_queue_watch,
    [COMMAND_QUEUE_UNWATCH] = command_run_queue_unwatch,
    [COMMAND_QUEUE_CLAIM] = command_run_queue_claim,
    [COMMAND_QUEUE_RELEASE] = command_run_queue_release,
    [COMMAND_QUEUE_DECIDE] = command_run_queue_decide,
    [COMMAND_QUEUE_UNDO] = command_run_queue_undo,
    [COMMAND_QUEUE_REMOVE] = command_run_queue_remove,
    [COMMAND_QUEUE_CONTEXT] = command_run_queue_context,
    [COMMAND_QUEUE_STATS] = command_run_queue_stats,
};

void request_run(const struct request *request, const struct command *command)
{
    metrics_add_label(METRIC_MESSAGES_RECEIVED, (unsigned)command->type, 1);
    if (command_staff_only(command->type) && !user_role_is_staff(request->role)) {
        request_fail(request, ERROR_FORBIDDEN, "wrong_role", 0);
        return;
    }
    handlers[command->type](request, command);
}
