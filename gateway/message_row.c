/* SPDX-License-Identifier: Apache-2.0 */
/* The columns that several statements share, in one place. */
#include "gateway/message_row.h"

#include <string.h>

#include "gateway/pg_row.h"

enum column {
    ID,
    ROOM,
    SENDER,
    CID,
    STATUS,
    SEQ,
    REMOVED_SEQ,
    TEXT,
    AT_US,
    DELAYED,
    REASON,
    VERSION,
    TEACHER,
    STUDENT,
};

void message_row_read(const PGresult *result, int row, struct message_row *out)
{
    struct message *message = &out->message;
    const char *status = pg_text(result, row, STATUS, NULL);

    *out = (struct message_row){
        .message =
            {
                .has_cid = !pg_is_null(result, row, CID),
                .seq = pg_int8(result, row, SEQ),
                .removed_seq = pg_int8(result, row, REMOVED_SEQ),
                .removed = pg_is_null(result, row, TEXT),
                .delayed = pg_bool(result, row, DELAYED),
                .at_us = pg_int8(result, row, AT_US),
                .reason = pg_text(result, row, REASON, NULL),
            },
        .version = pg_int4(result, row, VERSION),
    };
    pg_uuid(result, row, ID, &message->id);
    pg_uuid(result, row, ROOM, &message->room);
    pg_uuid(result, row, SENDER, &message->sender);
    pg_uuid(result, row, CID, &message->cid);
    pg_uuid(result, row, TEACHER, &out->teacher);
    pg_uuid(result, row, STUDENT, &out->student);
    message_status_parse(&message->status, status, strlen(status));
    if (!message->removed)
        message->text = pg_text(result, row, TEXT, &message->text_length);
}
