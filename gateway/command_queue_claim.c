/* SPDX-License-Identifier: Apache-2.0 */
/* queue.claim and queue.release: leases that keep two operators off one message */
#include <stdlib.h>
#include <string.h>

#include "gateway/command.h"
#include "gateway/config.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/request.h"
#include "protocol/command.h"
#include "protocol/event_queue.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

struct lease {
    struct request request;
    struct uuid message;
};

static const struct {
    const char *result;
    enum error_code code;
    const char *reason;
} refusals[] = {
    {"held", ERROR_CONFLICT, "claimed"},
    {"not_holder", ERROR_CONFLICT, "not_holder"},
    {"already_decided", ERROR_ALREADY_DECIDED, NULL},
    {"not_found", ERROR_NOT_FOUND, "message"},
    {"own_room", ERROR_FORBIDDEN, "own_room"},
};

/* True: the request was answered with a failure. */
static bool failed(const struct lease *lease, const struct pg_reply *reply)
{
    if (reply->outcome != PG_OK) {
        request_fail_database(&lease->request, reply);
        return true;
    }
    const char *result =
        PQntuples(reply->result) ? pg_text(reply->result, 0, 1, NULL) : "not_found";
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (!strcmp(result, refusals[i].result)) {
            request_fail(&lease->request, refusals[i].code, refusals[i].reason, 0);
            return true;
        }
    }
    return false;
}

/* The columns of sql/statements/queue_claim.sql. */
enum column { ORD, RESULT, ID, ROOM, CLAIMED_BY, CLAIM_UNTIL_US, CLAIM_TOKEN };

static void handle_claimed(void *context, const struct pg_reply *reply)
{
    struct lease *lease = context;
    const struct request *request = &lease->request;
    struct json_writer *json = &request->node->json;

    if (!failed(lease, reply)) {
        struct queue_claim claim = {
            .by = request->user,
            .until_us = pg_int8(reply->result, 0, CLAIM_UNTIL_US),
            .token = pg_int8(reply->result, 0, CLAIM_TOKEN),
        };
        json_writer_reset(json);
        event_queue_claimed(json, request->re, &lease->message, &claim);
        request_reply(request, json);
        moderators_announce(request->node, QUEUE_CLAIMED, &lease->message, &request->user);
    }
    free(lease);
}

static void handle_released(void *context, const struct pg_reply *reply)
{
    struct lease *lease = context;
    const struct request *request = &lease->request;
    struct json_writer *json = &request->node->json;

    if (!failed(lease, reply)) {
        json_writer_reset(json);
        event_queue_released(json, request->re, &lease->message);
        request_reply(request, json);
        moderators_announce(request->node, QUEUE_RELEASED, &lease->message, &request->user);
    }
    free(lease);
}

static struct lease *lease_new(const struct request *request, const struct uuid *message)
{
    struct lease *lease = xcalloc(1, sizeof(*lease));
    lease->request = *request;
    lease->message = *message;
    return lease;
}

void command_run_queue_claim(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_uuid(&params, &request->user);
    pg_params_uuid_array(&params, &command->queue_claim.mid, 1);
    pg_params_int4(&params, node->config->moderation.lease_s);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_queue_claim, &params, handle_claimed,
                  lease_new(request, &command->queue_claim.mid));
}

void command_run_queue_release(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_uuid(&params, &request->user);
    pg_params_uuid_array(&params, &command->queue_release.mid, 1);
    pg_params_int8_array(&params, &command->queue_release.claim, 1);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_queue_release, &params, handle_released,
                  lease_new(request, &command->queue_release.mid));
}
