/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sender must hear of has no number, so nothing shows a hole. The sweep rereads what changed
 * lately for all connected senders, and remembers what was told, so that each thing is told once.
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
    OVERLAP_S = 60,   /* a change is stamped before its transaction commits */
    REMEMBER_S = 180, /* beyond every window */
    SENDERS_MAX = 10000,
};

struct own_sweep {
    struct node *node;
    struct uuid_map told; /* key_of(message, decided) -> second it was told */
    int64_t since_us;
    int64_t next_since_us;
    bool reading;
    bool freed;
};

/* Two facts of one message: two keys. */
static struct uuid key_of(const struct uuid *message, bool decided)
{
    struct uuid key = *message;
    key.bytes[0] ^= decided ? 0x80 : 0;
    return key;
}

void own_sweep_told(struct own_sweep *sweep, const struct uuid *message, bool decided)
{
    struct uuid key = key_of(message, decided);
    uuid_map_put(&sweep->told, &key, (void *)(uintptr_t)(clock_now_ms() / 1000 + 1));
}

static bool was_told(const struct own_sweep *sweep, const struct uuid *message, bool decided)
{
    struct uuid key = key_of(message, decided);
    return uuid_map_get(&sweep->told, &key) != NULL;
}

static void forget_old(struct own_sweep *sweep)
{
    uint64_t now_s = clock_now_ms() / 1000;
    struct uuid key;
    size_t position = 0;
    void *value;

    while ((value = uuid_map_next(&sweep->told, &position, &key)) != NULL)
        if ((uintptr_t)value + REMEMBER_S < now_s)
            uuid_map_remove(&sweep->told, &key);
}

static void apply(struct own_sweep *sweep, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        struct message_row row;
        message_row_read(result, i, &row);
        /* Whatever is not in its first state was decided; a message blocked at once looks the same,
         * and both frames say so. */
        bool decided = row.message.status != MESSAGE_PENDING && row.version > 1;
        if (!was_told(sweep, &row.message.id, decided))
            own_events_send(sweep->node, &row.message, decided);
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

    if (sweep->reading || !uuid_map_count(map))
        return;
    senders = xmalloc(uuid_map_count(map) * sizeof(*senders));
    UUID_MAP_FOREACH (value, map) {
        struct user *user = value;
        if (count < SENDERS_MAX && !list_empty(&user->sessions))
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
