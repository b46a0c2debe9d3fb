/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of sql/statements/queue_page.sql and queue_get.sql. */
#include "gateway/queue_row.h"

#include <jansson.h>
#include <stdlib.h>

#include "gateway/pg_row.h"

enum column {
    ID,
    ROOM,
    SENDER,
    FIRST_NAME,
    LAST_NAME,
    ROLE,
    TEXT,
    AT_US,
    VERSION,
    REASON,
    DETAIL,
    CLAIMED_BY,
    CLAIM_UNTIL_US,
    CLAIM_TOKEN,
};

static char *member_text(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);
    return json_is_array(member) ? json_dumps(member, JSON_COMPACT) : NULL;
}

/* The case's detail as the writer stored it: {"rules": [...], "spans": [...], "earlier": [...]}. */
static void read_detail(const PGresult *result, int row, struct queue_row *out)
{
    size_t length;
    const char *text = pg_text(result, row, DETAIL, &length);
    json_t *detail = text ? json_loadb(text, length, 0, NULL) : NULL;

    out->rules = member_text(detail, "rules");
    out->spans = member_text(detail, "spans");
    out->earlier = member_text(detail, "earlier");
    out->item.rules = out->rules;
    out->item.spans = out->spans;
    out->item.earlier = out->earlier;
    json_decref(detail);
}

static void read_claim(const PGresult *result, int row, const struct uuid *viewer,
                       struct queue_row *out)
{
    if (pg_is_null(result, row, CLAIMED_BY))
        return;
    pg_uuid(result, row, CLAIMED_BY, &out->claim.by);
    out->claim.until_us = pg_int8(result, row, CLAIM_UNTIL_US);
    if (viewer && uuid_equal(viewer, &out->claim.by))
        out->claim.token = pg_int8(result, row, CLAIM_TOKEN);
    out->item.claim = &out->claim;
}

void queue_row_read(const PGresult *result, int row, const struct uuid *viewer,
                    struct queue_row *out)
{
    struct queue_case *item = &out->item;

    *out = (struct queue_row){
        .item =
            {
                .sender = {.role = pg_text(result, row, ROLE, NULL),
                           .first_name = pg_text(result, row, FIRST_NAME, NULL),
                           .last_name = pg_text(result, row, LAST_NAME, NULL)},
                .at_us = pg_int8(result, row, AT_US),
                .version = pg_int4(result, row, VERSION),
                .reason = pg_text(result, row, REASON, NULL),
            },
    };
    pg_uuid(result, row, ID, &item->mid);
    pg_uuid(result, row, ROOM, &item->room);
    pg_uuid(result, row, SENDER, &item->sender.id);
    item->text = pg_text(result, row, TEXT, &item->text_length);
    read_detail(result, row, out);
    read_claim(result, row, viewer, out);
}

void queue_row_deinit(struct queue_row *row)
{
    free(row->rules);
    free(row->spans);
    free(row->earlier);
}
