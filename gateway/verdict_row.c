/* SPDX-License-Identifier: Apache-2.0 */
/* The three statements answer alike, so one place maps their outcomes and spreads the news. */
#include "gateway/verdict_row.h"

#include <string.h>

#include "gateway/announce.h"
#include "gateway/node.h"
#include "gateway/pg_row.h"

enum column {
    ORD,
    RESULT,
    ID,
    ROOM,
    SENDER,
    CID,
    STATUS,
    SEQ,
    VERSION,
    TEXT,
    AT_US,
    REASON,
    TEACHER,
    STUDENT,
    DECIDED_BY,
    REMOVED_SEQ,
};

static const struct {
    const char *result;
    bool done;
    enum error_code error;
    const char *reason;
} outcomes[] = {
    {"decided", true, ERROR_NONE, NULL},
    {"undone", true, ERROR_NONE, NULL},
    {"removed", true, ERROR_NONE, NULL},
    {"already_decided", false, ERROR_ALREADY_DECIDED, NULL},
    {"not_found", false, ERROR_NOT_FOUND, "message"},
    {"own_room", false, ERROR_FORBIDDEN, "own_room"},
    {"claimed", false, ERROR_CONFLICT, "claimed"},
    {"not_decided", false, ERROR_CONFLICT, "not_decided"},
    {"not_delivered", false, ERROR_CONFLICT, "not_delivered"},
    {"too_late", false, ERROR_CONFLICT, "too_late"},
};

static void read_outcome(const char *result, struct verdict_row *out)
{
    out->error = ERROR_INTERNAL;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (!strcmp(result, outcomes[i].result)) {
            out->done = outcomes[i].done;
            out->error = outcomes[i].error;
            out->error_reason = outcomes[i].reason;
        }
    }
}

void verdict_row_read(const PGresult *result, int row, struct verdict_row *out)
{
    struct message *message = &out->message;
    const char *status = pg_text(result, row, STATUS, NULL);

    *out = (struct verdict_row){
        .message =
            {
                .has_cid = !pg_is_null(result, row, CID),
                .seq = pg_int8(result, row, SEQ),
                .removed_seq = pg_int8(result, row, REMOVED_SEQ),
                .removed = pg_is_null(result, row, TEXT),
                .at_us = pg_int8(result, row, AT_US),
                .reason = pg_text(result, row, REASON, NULL),
                .delayed = true,
            },
        .version = pg_int4(result, row, VERSION),
        .has_by = !pg_is_null(result, row, DECIDED_BY),
    };
    read_outcome(pg_text(result, row, RESULT, NULL), out);
    pg_uuid(result, row, ID, &message->id);
    pg_uuid(result, row, ROOM, &message->room);
    pg_uuid(result, row, SENDER, &message->sender);
    pg_uuid(result, row, CID, &message->cid);
    pg_uuid(result, row, TEACHER, &out->teacher);
    pg_uuid(result, row, STUDENT, &out->student);
    pg_uuid(result, row, DECIDED_BY, &out->by);
    if (status)
        message_status_parse(&message->status, status, strlen(status));
    if (!message->removed)
        message->text = pg_text(result, row, TEXT, &message->text_length);
}

/* Numbers first: the member's event, then the sender's status. */
void verdict_row_announce(struct node *node, const struct verdict_row *row)
{
    const struct message *message = &row->message;

    if (message->removed_seq)
        announce_removal(node, message, &row->teacher, &row->student);
    else if (message->seq)
        announce_message(node, message, &row->teacher, &row->student);
    if (!message->removed_seq)
        announce_status(node, message, row->version);
}
