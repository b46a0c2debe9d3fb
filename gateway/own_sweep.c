/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sender must hear of has no number, so nothing shows a hole. The sweep rereads what changed
 * lately for all connected senders. A message's version rises with each transition, and the last
 * one told is remembered, so that each is told once, and none after a later one: answers of two
 * database connections may overtake each other.
 */
#include "gateway/own_sweep.h"

#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/message_row.h"
#include "gateway/node.h"
#include "gateway/own_events.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/user.h"
#include "gateway/uuid_map.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    OVERLAP_S = 300,  /* a change is stamped before its transaction commits */
    REMEMBER_S = 900, /* beyond every window */
    PAUSE_MS = 1000,  /* between two runs, however often they are asked for */
};

struct own_sweep {
    struct node *node;
    struct uuid_map told; /* message -> pack(version, second it was told) */
    uint64_t run_ms;      /* when the last one began */
    int64_t since_us;
    int64_t next_since_us;
    bool reading;
    bool freed;
};

/* Never 0: versions begin with 1. */
static void *pack(int32_t version, uint64_t second)
{
    return (void *)(uintptr_t)(second << 32 | (uint32_t)version);
}

static uint64_t now_s(void)
{
    return clock_now_ms() / 1000;
}

static int32_t told_version(const struct own_sweep *sweep, const struct uuid *message)
{
    return (int32_t)(uint32_t)(uintptr_t)uuid_map_get(&sweep->told, message);
}

bool own_sweep_tell(struct own_sweep *sweep, const struct uuid *message, int32_t version)
{
    if (told_version(sweep, message) >= version)
        return false;
    uuid_map_put(&sweep->told, message, pack(version, now_s()));
    return true;
}

bool own_sweep_outdated(const struct own_sweep *sweep, const struct uuid *message, int32_t version)
{
    return told_version(sweep, message) > version;
}

static void forget_old(struct own_sweep *sweep)
{
    struct uuid key;
    size_t position = 0;
    void *value;

    while ((value = uuid_map_next(&sweep->told, &position, &key)) != NULL)
        if (((uintptr_t)value >> 32) + REMEMBER_S < now_s())
            uuid_map_remove(&sweep->told, &key);
}

static void apply(struct own_sweep *sweep, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        struct message_row row;
        message_row_read(result, i, &row);
        own_events_send(sweep->node, &row.message, row.version);
    }
}

static void handle_changed(void *context, const struct pg_reply *reply)
{
    struct own_sweep *sweep = context;

    sweep->reading = false;
    if (sweep->freed) {
        own_sweep_free(sweep);
        return;
    }
    if (reply->outcome != PG_OK)
        return;
    apply(sweep, reply->result);
    sweep->since_us = sweep->next_since_us;
    forget_old(sweep);
}

void own_sweep_run(struct node *node)
{
    struct own_sweep *sweep = node->own_sweep;
    const struct uuid_map *map = users_map(node->users);
    struct uuid *senders;
    size_t count = 0;

    if (sweep->reading || !uuid_map_count(map) || clock_now_ms() < sweep->run_ms + PAUSE_MS)
        return;
    sweep->run_ms = clock_now_ms();
    senders = xmalloc(uuid_map_count(map) * sizeof(*senders));
    UUID_MAP_FOREACH (value, map) {
        struct user *user = value;
        if (!list_empty(&user->sessions))
            senders[count++] = user->id;
    }
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid_array(&params, senders, count);
    pg_params_int8(&params, sweep->since_us);
    sweep->reading = true;
    sweep->next_since_us = clock_unix_us() - (int64_t)OVERLAP_S * 1000000;
    pg_pool_query(node->pool, &sql_pending_changed, &params, handle_changed, sweep);
    free(senders);
}

struct own_sweep *own_sweep_new(struct node *node)
{
    struct own_sweep *sweep = xcalloc(1, sizeof(*sweep));
    sweep->node = node;
    sweep->since_us = clock_unix_us();
    uuid_map_init(&sweep->told);
    return sweep;
}

struct own_sweep *own_sweep_free(struct own_sweep *sweep)
{
    if (!sweep)
        return NULL;
    sweep->freed = true;
    if (sweep->reading)
        return NULL;
    struct uuid key;
    size_t position = 0;
    while (uuid_map_next(&sweep->told, &position, &key))
        uuid_map_remove(&sweep->told, &key);
    uuid_map_deinit(&sweep->told);
    free(sweep);
    return NULL;
}
