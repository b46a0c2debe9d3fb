/* SPDX-License-Identifier: Apache-2.0 */
/* send: screen a message, write it, acknowledge it after the commit, tell everyone concerned */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/announce.h"
#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/new_id.h"
#include "gateway/node.h"
#include "gateway/rate_limit.h"
#include "gateway/request.h"
#include "gateway/screening.h"
#include "gateway/session.h"
#include "gateway/writer.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"

enum { UNAVAILABLE_RETRY_MS = 1000 };

/* A send under way; the text (and the case's detail) follow it in the same allocation. */
struct send {
    struct write write;
    struct request request;
    char text[];
};

static void count(const struct send *send, enum write_result result)
{
    static const unsigned statuses[] = {
        [MESSAGE_PENDING] = LABEL_STATUS_PENDING,
        [MESSAGE_DELIVERED] = LABEL_STATUS_DELIVERED,
        [MESSAGE_BLOCKED] = LABEL_STATUS_BLOCKED,
    };
    if (result == WRITE_DUP)
        metrics_add(METRIC_MESSAGES_DUPLICATE, 1);
    else
        metrics_add_label(METRIC_MESSAGES, statuses[send->write.message.status], 1);
    metrics_observe(METRIC_MESSAGE_ACK_SECONDS,
                    (double)(clock_now_us() - send->request.started_us) / 1e6);
}

static void tell(struct send *send)
{
    struct node *node = send->request.node;
    const struct message *message = &send->write.message;

    switch (message->status) {
    case MESSAGE_DELIVERED:
        announce_message(node, message, &send->write.teacher, &send->write.student);
        break;
    case MESSAGE_PENDING:
        announce_own(node, message);
        moderators_announce(node, QUEUE_ADDED, &message->id, NULL);
        break;
    case MESSAGE_BLOCKED:
        announce_own(node, message);
        break;
    }
}

static void acknowledge(struct send *send, enum write_result result)
{
    struct json_writer *json = &send->request.node->json;

    count(send, result);
    json_writer_reset(json);
    event_ok(json, send->request.re, &send->write.message, result == WRITE_DUP);
    request_reply(&send->request, json);
    if (result == WRITE_NEW)
        tell(send);
}

static void handle_written(struct write *write, enum write_result result)
{
    struct send *send = container_of(write, struct send, write);
    const struct request *request = &send->request;

    switch (result) {
    case WRITE_NEW:
    case WRITE_DUP:
        acknowledge(send, result);
        break;
    case WRITE_CID_CONFLICT:
        request_fail(request, ERROR_CID_CONFLICT, NULL, 0);
        break;
    case WRITE_NO_ROOM:
    case WRITE_NOT_MEMBER:
        request_fail(request, ERROR_NOT_FOUND, "room", 0);
        break;
    case WRITE_UNAVAILABLE:
        request_fail(request, ERROR_UNAVAILABLE, "database", UNAVAILABLE_RETRY_MS);
        break;
    case WRITE_REFUSED:
        request_fail(request, ERROR_INTERNAL, NULL, 0);
        break;
    }
    free(send);
}

static struct send *send_new(const struct request *request, const struct command_send *said,
                             const struct screening *screening, const struct json_writer *detail)
{
    size_t detail_length = json_length(detail);
    struct send *send = xmalloc(sizeof(*send) + said->text_length + detail_length + 1);

    memset(send, 0, sizeof(*send));
    send->request = *request;
    memcpy(send->text, said->text, said->text_length);
    memcpy(send->text + said->text_length, json_text(detail), detail_length);
    list_init(&send->write.link);
    send->write.done = handle_written;
    send->write.rule_set = screening->rule_set;
    send->write.detail = detail_length ? send->text + said->text_length : NULL;
    send->write.detail_length = detail_length;
    /* The rules may be others before the database has answered. */
    snprintf(send->write.reason, sizeof(send->write.reason), "%s",
             screening->reason ? screening->reason : "");
    send->write.message = (struct message){
        .room = said->room,
        .sender = request->user,
        .cid = said->cid,
        .has_cid = true,
        .status = screening->status,
        .reason = screening->reason ? send->write.reason : NULL,
        .text = send->text,
        .text_length = said->text_length,
    };
    new_id(&send->write.message.id);
    return send;
}

/* False: refused. A client that goes on sending while it is refused is closed. */
static bool within_rate(const struct request *request)
{
    int64_t wait_ms = rate_table_take(request->node->message_rates, &request->user,
                                      sizeof(request->user), (int64_t)clock_now_ms());
    if (!wait_ms)
        return true;
    metrics_add_label(METRIC_RATE_LIMITED, LABEL_LIMIT_MESSAGES, 1);
    request_fail(request, ERROR_RATE_LIMITED, "messages", wait_ms);
    session_refused(request_session(request), wait_ms);
    return false;
}

void command_run_send(const struct request *request, const struct command *command)
{
    const struct command_send *said = &command->send;
    struct node *node = request->node;
    struct message message = {
        .sender = request->user, .text = said->text, .text_length = said->text_length};
    struct screening screening;

    if (!within_rate(request))
        return;
    if (!node->rules) { /* the node has just started */
        request_fail(request, ERROR_UNAVAILABLE, "rules", UNAVAILABLE_RETRY_MS);
        return;
    }
    json_writer_reset(&node->json);
    screening_run(node, &message, request->role, &screening, &node->json);
    struct send *send = send_new(request, said, &screening, &node->json);
    json_writer_reset(&node->json);
    writer_submit(node->writer, &send->write);
}
