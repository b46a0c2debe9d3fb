/* SPDX-License-Identifier: Apache-2.0 */
/* send: screen a message, write it, acknowledge it after the commit, tell everyone concerned */
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
#include "gateway/windows.h"
#include "gateway/writer.h"
#include "protocol/command.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"

enum { UNAVAILABLE_RETRY_MS = 1000 };

/* A send under way; the text follows it in the same allocation. */
struct send {
    struct write write;
    struct turn turn;
    struct request request;
    char *detail; /* the case's; owned */
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
    if (result == WRITE_NEW)
        screening_count_verdict(send->write.message.status);
    json_writer_reset(json);
    event_ok(json, send->request.re, &send->write.message, result == WRITE_DUP);
    request_reply(&send->request, json);
    if (result == WRITE_NEW)
        tell(send);
}

static struct send *send_free(struct send *send)
{
    free(send->detail);
    free(send);
    return NULL;
}

static enum turn_result turn_result_of(enum write_result result)
{
    switch (result) {
    case WRITE_NEW:
        return TURN_WRITTEN;
    case WRITE_STALE:
        return TURN_STALE;
    case WRITE_DUP:
    case WRITE_CID_CONFLICT:
    case WRITE_NO_ROOM:
    case WRITE_NOT_MEMBER:
    case WRITE_UNAVAILABLE:
    case WRITE_REFUSED:
        return TURN_OVER;
    }
    return TURN_OVER;
}

static void answer(struct send *send, enum write_result result)
{
    const struct request *request = &send->request;

    switch (result) {
    case WRITE_STALE:
        return;
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
    send_free(send);
}

static void handle_written(struct write *write, enum write_result result)
{
    struct send *send = container_of(write, struct send, write);

    turn_end(&send->turn, turn_result_of(result));
    if (result != WRITE_STALE) /* else its turn comes again */
        answer(send, result);
}

static struct send *send_new(const struct request *request, const struct command_send *said)
{
    struct send *send = xmalloc(sizeof(*send) + said->text_length + 1);

    memset(send, 0, sizeof(*send));
    send->request = *request;
    memcpy(send->text, said->text, said->text_length);
    list_init(&send->write.link);
    send->write.done = handle_written;
    send->write.message = (struct message){
        .room = said->room,
        .sender = request->user,
        .cid = said->cid,
        .has_cid = true,
        .text = send->text,
        .text_length = said->text_length,
    };
    new_id(&send->write.message.id);
    return send;
}

static void take_verdict(struct send *send, const struct screening *screening,
                         const struct json_writer *detail)
{
    struct write *write = &send->write;

    free(send->detail);
    send->detail = NULL;
    write->detail_length = json_length(detail);
    if (write->detail_length) {
        send->detail = xmalloc(write->detail_length);
        memcpy(send->detail, json_text(detail), write->detail_length);
    }
    write->detail = send->detail;
    write->rule_set = screening->rule_set;
    write->any = screening->any;
    write->after = screening->after;
    write->message.status = screening->status;
    memcpy(write->reason, screening->reason, sizeof(write->reason));
    write->message.reason = *write->reason ? write->reason : NULL;
}

static void handle_turn(struct turn *turn, struct window *window)
{
    struct send *send = container_of(turn, struct send, turn);
    struct node *node = send->request.node;
    struct screening screening;

    if (!window) {
        answer(send, WRITE_UNAVAILABLE);
        return;
    }
    json_writer_reset(&node->json);
    screening_run(node, turn, window, &send->write.message, &screening, &node->json);
    take_verdict(send, &screening, &node->json);
    json_writer_reset(&node->json);
    writer_submit(node->writer, &send->write);
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

    if (!within_rate(request))
        return;
    struct send *send = send_new(request, said);
    windows_enter(request->node->windows, &said->room, &request->user, &send->turn, handle_turn);
}
