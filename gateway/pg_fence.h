/* SPDX-License-Identifier: Apache-2.0 */
/* Which history of the database a process believes in. No I/O. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/list.h"

enum { PG_SYSTEM_BYTES = 24 };

/* What a server says of itself. */
struct pg_history {
    char system[PG_SYSTEM_BYTES]; /* its identifier, decimal; given at initdb, kept by standbys */
    uint32_t timeline;            /* counts promotions and recoveries */
};

/* Embedded in the node, shared by all its connections, which it must outlive. */
struct pg_fence {
    struct pg_history known; /* timeline 0: none yet */
    unsigned generation;     /* how often it became another one */
    struct list_node conns;  /* pg_conn::fenced */

    /* The database has another history than before. Comes before any statement runs in it. */
    void (*on_change)(void *context, const struct pg_history *history);
    void *context;
};

void pg_fence_init(struct pg_fence *fence);

enum pg_fence_verdict {
    PG_FENCE_SAME,  /* or the first */
    PG_FENCE_OTHER, /* now the known one; connections of an earlier generation are of the past */
    PG_FENCE_PAST,  /* a timeline that was left: the server must not be used */
};

/* Judges the server that a new connection has found. */
enum pg_fence_verdict pg_fence_judge(struct pg_fence *fence, const struct pg_history *history);

/* Reads what pg_session asked for: the decimal identifier, and the timeline in hexadecimal. False:
 * it is neither. */
bool pg_history_parse(struct pg_history *history, const char *system, const char *timeline);
