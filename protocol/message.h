/* SPDX-License-Identifier: Apache-2.0 */
/* The values that travel: a message and a person */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/uuid.h"

enum message_status { MESSAGE_PENDING, MESSAGE_DELIVERED, MESSAGE_BLOCKED };

/* The name in the database and on the wire: pending_moderation, delivered, blocked. */
const char *message_status_name(enum message_status status);

/* Leaves `out` alone and returns false for any other name. */
bool message_status_parse(enum message_status *out, const char *name, size_t bytes);

/* One row of messages as a client may see it. Strings are borrowed. */
struct message {
    struct uuid id, room, sender, cid;
    bool has_cid; /* rows of other programs have none */
    enum message_status status;
    int64_t seq;         /* its number in the room, 0 = none (not delivered) */
    int64_t removed_seq; /* the number of its removal, 0 = none */
    bool removed;        /* text is gone; shown as {seq, mid, removed: true} */
    bool delayed;        /* a person decided it: it came later than it was written */
    int64_t at_us;       /* when it was written: microseconds since 1970, UTC */
    const char *text;    /* NULL where removed */
    size_t text_length;  /* bytes */
    const char *reason;  /* reason code of a pending or blocked one, or NULL */
};

/* A user as other users see them: never an e-mail address. Strings are borrowed. */
struct person {
    struct uuid id;
    const char *role, *first_name, *last_name;
};
