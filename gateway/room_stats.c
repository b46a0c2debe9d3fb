/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most rooms are made by triggers and backfills, without this program, so they are counted from the
 * log that the database keeps: every change once, in slices, by an index; ten million bookings cost
 * no more than ten. Every node counts all of them, since a node that counted only a part would have
 * to agree with the others on which. What only a look at all bookings can tell is read from the
 * census that the last backfill took.
 */
#include "gateway/room_stats.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/timer_wheel.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    LOOK_MS = 5000,
    NEXT_SLICE_MS = 250, /* while there is more than a slice, as after a backfill */
    SLICE_ROWS = 5000,   /* a few milliseconds */
    LOOKED_UP = 100,     /* of a slice, for the lag */
};

struct room_stats {
    struct node *node;
    struct timer_entry timer;
    bool placed; /* whether what follows is known */
    int64_t after_xid, after_id;
    unsigned reading; /* statements on their way */
    bool freed;
};

/* --- changes --- */

/* The columns of sql/statements/room_changes.sql. */
enum change_column {
    NEXT_XID,
    NEXT_ID,
    CHANGES,
    CHANGE,
    WAY,
    SQLSTATE,
    AFTER_BOOKING,
    AFTER_LESSON
};

static unsigned failure_label(const char *sqlstate)
{
    if (!strcmp(sqlstate, "55P03"))
        return LABEL_ROOM_FAILURE_LOCK_TIMEOUT;
    if (!strcmp(sqlstate, "40P01"))
        return LABEL_ROOM_FAILURE_DEADLOCK;
    return LABEL_ROOM_FAILURE_OTHER;
}

static void observe_lag(const PGresult *result, int row, int column, unsigned since)
{
    if (pg_is_null(result, row, column))
        return;
    double lag_s = (double)pg_int8(result, row, column) / 1e6;
    for (int64_t n = pg_int8(result, row, CHANGES); n > 0; n--)
        metrics_observe_label(METRIC_ROOM_LAG_SECONDS, since, lag_s);
}

static void count_row(const PGresult *result, int row)
{
    int64_t changes = pg_int8(result, row, CHANGES);
    const char *change = changes ? pg_text(result, row, CHANGE, NULL) : "";

    if (!strcmp(change, "closed")) {
        metrics_add(METRIC_ROOMS_CLOSED, changes);
    } else if (!strcmp(change, "failed")) {
        const char *sqlstate = pg_text(result, row, SQLSTATE, NULL);
        metrics_add_label(METRIC_ROOM_FAILURES, failure_label(sqlstate ? sqlstate : ""), changes);
    } else if (changes) {
        unsigned made = strcmp(change, "revived") ? LABEL_MADE_CREATED : LABEL_MADE_REVIVED;
        unsigned way = metrics_label_find(METRIC_ROOMS_MADE, pg_text(result, row, WAY, NULL));
        metrics_add_labels(METRIC_ROOMS_MADE, way, made, changes);
        observe_lag(result, row, AFTER_BOOKING, LABEL_DUE_BOOKING);
        observe_lag(result, row, AFTER_LESSON, LABEL_DUE_LESSON_END);
    }
}

static void read_changes(struct room_stats *stats, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        count_row(result, row);
    stats->after_xid = pg_int8(result, 0, NEXT_XID);
    stats->after_id = pg_int8(result, 0, NEXT_ID);
    stats->placed = true;
}

/* --- the census --- */

/* The columns of sql/statements/room_census.sql. */
enum census_column { TAKEN, ACTIVE_BOOKINGS, ROOMS, MISSING };

static void read_census(struct room_stats *stats, const PGresult *result)
{
    (void)stats;
    metrics_set(METRIC_ROOM_CENSUS, (double)(pg_int8(result, 0, TAKEN) / 1000000));
    metrics_set(METRIC_ACTIVE_BOOKINGS, (double)pg_int8(result, 0, ACTIVE_BOOKINGS));
    metrics_set(METRIC_LIVE_ROOMS, (double)pg_int8(result, 0, ROOMS));
    metrics_set(METRIC_MISSING_ROOMS, (double)pg_int8(result, 0, MISSING));
}

/* --- looking --- */

static void handle_timer(struct timer_entry *entry);

/* Both statements end here; the last one arms the timer. */
static void handle_reply(struct room_stats *stats, const struct pg_reply *reply,
                         void (*read)(struct room_stats *stats, const PGresult *result))
{
    stats->reading--;
    if (stats->freed) {
        if (!stats->reading)
            free(stats);
        return;
    }
    if (reply->outcome == PG_OK && PQntuples(reply->result))
        read(stats, reply->result);
    else if (reply->outcome == PG_REFUSED)
        log_limited(LOG_LEVEL_ERROR, "rooms cannot be counted; is the database migrated?",
                    LOG_STR("sqlstate", reply->sqlstate), LOG_STR("detail", reply->message));
    if (!stats->reading)
        timer_wheel_arm(stats->node->wheel, &stats->timer,
                        stats->after_id ? NEXT_SLICE_MS : LOOK_MS, handle_timer);
}

static void handle_changes(void *context, const struct pg_reply *reply)
{
    handle_reply(context, reply, read_changes);
}

static void handle_census(void *context, const struct pg_reply *reply)
{
    handle_reply(context, reply, read_census);
}

static void handle_timer(struct timer_entry *entry)
{
    struct room_stats *stats = container_of(entry, struct room_stats, timer);
    struct pg_params params = PG_PARAMS_INIT, none = PG_PARAMS_INIT;

    stats->reading = 2;
    pg_params_int8_or_null(&params, stats->placed ? &stats->after_xid : NULL);
    pg_params_int8(&params, stats->after_id);
    pg_params_int4(&params, SLICE_ROWS);
    pg_params_int4(&params, LOOKED_UP);
    pg_pool_query(stats->node->pool, &sql_room_changes, &params, handle_changes, stats);
    pg_pool_query(stats->node->pool, &sql_room_census, &none, handle_census, stats);
}

struct room_stats *room_stats_new(struct node *node)
{
    struct room_stats *stats = xcalloc(1, sizeof(*stats));

    stats->node = node;
    timer_entry_init(&stats->timer);
    timer_wheel_arm(node->wheel, &stats->timer, 1, handle_timer);
    return stats;
}

struct room_stats *room_stats_free(struct room_stats *stats)
{
    if (!stats)
        return NULL;
    timer_wheel_cancel(&stats->timer);
    stats->freed = true;
    if (!stats->reading)
        free(stats);
    return NULL;
}
