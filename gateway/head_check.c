/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep behind the bus.
 *
 * A round walks over the ids of all local rooms in slices, one query at a time, and asks for those
 * whose head moved. It compares numbers, never times: a transaction that commits late is found as
 * surely as any other. A round with Redis well is spread over a few seconds; with Redis away the
 * next round starts when the last one ends.
 *
 * What takes no number (pending messages, verdicts that block) is reread by time, with a window
 * that overlaps, and only what the node was not told of is sent.
 */
#include "gateway/head_check.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/own_sweep.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/room.h"
#include "gateway/room_watch.h"
#include "gateway/timer_wheel.h"
#include "gateway/uuid_map.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    SLICE = 1000,
    SPREAD_MS = 2000,     /* a calm round's slices are spread over this */
    EAGER_PAUSE_MS = 100, /* between rounds while Redis is away */
};

struct head_check {
    struct node *node;
    struct timer_entry timer;
    struct uuid *ids; /* this round's rooms */
    size_t count, next;
    bool reading;
    bool again; /* asked for while a round was under way */
    bool freed; /* while a read is under way */
    uint64_t slice_started_us;
};

static void start_round(struct head_check *check);
static void read_slice(struct head_check *check);

static bool eager(const struct head_check *check)
{
    return !bus_up(check->node->bus);
}

static void handle_timer(struct timer_entry *entry)
{
    struct head_check *check = container_of(entry, struct head_check, timer);
    if (check->next < check->count)
        read_slice(check);
    else
        start_round(check);
}

static void arm(struct head_check *check, uint64_t delay_ms)
{
    timer_wheel_arm(check->node->wheel, &check->timer, delay_ms, handle_timer);
}

/* --- a slice --- */

static void handle_slice(void *context, const struct pg_reply *reply)
{
    struct head_check *check = context;

    check->reading = false;
    if (check->freed) {
        free(check);
        return;
    }
    metrics_observe(METRIC_HEAD_CHECK_SECONDS,
                    (double)(clock_now_us() - check->slice_started_us) / 1e6);
    if (reply->outcome == PG_OK) {
        for (int row = 0; row < PQntuples(reply->result); row++) {
            struct uuid room;
            pg_uuid(reply->result, row, 0, &room);
            if (pg_bool(reply->result, row, 2))
                room_watch_closed(check->node, &room);
            else
                rooms_saw_head(check->node->rooms, &room, pg_int8(reply->result, row, 1));
        }
    }
    size_t slices = check->count / SLICE + 1;
    if (check->next < check->count)
        arm(check, eager(check) || check->again ? 1 : SPREAD_MS / slices);
    else if (check->again || eager(check))
        arm(check, EAGER_PAUSE_MS);
    else
        arm(check, (uint64_t)check->node->config->delivery.head_check_s * 1000);
}

static void read_slice(struct head_check *check)
{
    size_t left = check->count - check->next, n = left < SLICE ? left : SLICE;
    int64_t heads[SLICE];
    struct uuid ids[SLICE];
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        const struct room *room = rooms_find(check->node->rooms, &check->ids[check->next++]);
        if (!room)
            continue;
        ids[found] = room->id;
        heads[found++] = room->head;
    }
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid_array(&params, ids, found);
    pg_params_int8_array(&params, heads, found);
    check->reading = true;
    check->slice_started_us = clock_now_us();
    pg_pool_query(check->node->pool, &sql_heads_moved, &params, handle_slice, check);
}

/* --- a round --- */

static void start_round(struct head_check *check)
{
    const struct uuid_map *map = rooms_map(check->node->rooms);

    free(check->ids);
    check->ids = xmalloc((uuid_map_count(map) + 1) * sizeof(*check->ids));
    check->count = check->next = 0;
    check->again = false;
    UUID_MAP_FOREACH (value, map)
        check->ids[check->count++] = ((struct room *)value)->id;
    own_sweep_run(check->node);
    room_watch_sweep(check->node);
    read_slice(check);
}

void head_check_now(struct head_check *check)
{
    check->again = true;
    if (!check->reading)
        arm(check, 1);
}

struct head_check *head_check_new(struct node *node)
{
    struct head_check *check = xcalloc(1, sizeof(*check));

    check->node = node;
    timer_entry_init(&check->timer);
    arm(check, (uint64_t)node->config->delivery.head_check_s * 1000);
    return check;
}

struct head_check *head_check_free(struct head_check *check)
{
    if (!check)
        return NULL;
    timer_wheel_cancel(&check->timer);
    free(check->ids);
    check->ids = NULL;
    check->freed = true;
    if (!check->reading)
        free(check);
    return NULL;
}

/* --- one room --- */

static void handle_one(void *context, const struct pg_reply *reply)
{
    struct node *node = context;
    struct uuid room;

    if (reply->outcome != PG_OK || !PQntuples(reply->result))
        return; /* a failure is made good by the next round */
    pg_uuid(reply->result, 0, 0, &room);
    rooms_saw_head(node->rooms, &room, pg_int8(reply->result, 0, 1));
}

void head_check_room(struct head_check *check, const struct uuid *id)
{
    const struct room *room = rooms_find(check->node->rooms, id);
    struct pg_params params = PG_PARAMS_INIT;

    if (!room)
        return;
    pg_params_uuid_array(&params, &room->id, 1);
    pg_params_int8_array(&params, &room->head, 1);
    pg_pool_query(check->node->pool, &sql_heads_moved, &params, handle_one, check->node);
}
