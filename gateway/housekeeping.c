/* SPDX-License-Identifier: Apache-2.0 */
/* One timer, one step a second; each step's statement is done before the next is sent. */
#include "gateway/housekeeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/epoch.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/timer_wheel.h"
#include "gateway/tls.h"
#include "gateway/worker.h"
#include "gateway/writer.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { STEP_MS = 1000, SETTLE_ROOMS = 100 };

struct housekeeping {
    struct node *node;
    struct timer_entry timer;
    unsigned step;
    bool announced; /* to systemd: ready */
    bool reading, freed;
    uint64_t drops[2]; /* forged and malformed frames of the bus, as counted so far */
};

bool housekeeping_ready(const struct node *node)
{
    return !node->draining && *node->epoch && node->rules && pg_pool_ready(node->pool) &&
           writer_ready(node->writer);
}

/* --- statements --- */

static void read_epoch(struct node *node, const PGresult *result)
{
    epoch_set(node, pg_text(result, 0, 0, NULL));
}

static void read_gauges(struct node *node, const PGresult *result)
{
    int64_t oldest_us = pg_int8(result, 0, 1);
    double age_s = oldest_us ? (double)(clock_unix_us() - oldest_us) / 1e6 : 0;

    (void)node;
    metrics_set_label(METRIC_MODERATION_QUEUE, LABEL_CASE_PENDING, (double)pg_int8(result, 0, 0));
    metrics_set(METRIC_MODERATION_OLDEST_SECONDS, age_s);
}

static void read_settled(struct node *node, const PGresult *result)
{
    (void)node;
    if (PQntuples(result))
        log_notice("rows of other programs were numbered late",
                   LOG_INT("rooms", PQntuples(result)));
}

static void bind_nothing(struct pg_params *params)
{
    (void)params;
}

static void bind_settle(struct pg_params *params)
{
    pg_params_int4(params, SETTLE_ROOMS);
}

static const struct step {
    const struct sql_statement *statement;
    void (*bind)(struct pg_params *params);
    void (*read)(struct node *node, const PGresult *result);
} steps[] = {
    {&sql_epoch, bind_nothing, read_epoch},
    {&sql_queue_gauges, bind_nothing, read_gauges},
    {&sql_settle_rooms, bind_settle, read_settled},
};

static void handle_step(void *context, const struct pg_reply *reply)
{
    struct housekeeping *housekeeping = context;
    const struct step *step = &steps[housekeeping->step];

    housekeeping->reading = false;
    if (housekeeping->freed) {
        free(housekeeping);
        return;
    }
    if (reply->outcome == PG_OK && (PQntuples(reply->result) || step->read == read_settled)) {
        step->read(housekeeping->node, reply->result);
    } else if (reply->outcome == PG_REFUSED) {
        log_limited(LOG_LEVEL_ERROR,
                    "the database refused a statement; is it migrated? (chatgate migrate up)",
                    LOG_STR("statement", step->statement->name),
                    LOG_STR("sqlstate", reply->sqlstate), LOG_STR("detail", reply->message));
    }
    /* One that fails must not keep the others waiting; the epoch is needed before anything else. */
    if (*housekeeping->node->epoch)
        housekeeping->step = (housekeeping->step + 1) % (sizeof(steps) / sizeof(steps[0]));
    else
        housekeeping->step = 0;
}

/* --- this process --- */

/* The bus counts for itself; the metrics get what came since the last look. */
static void count_drops(struct housekeeping *housekeeping)
{
    static const unsigned labels[] = {LABEL_BUS_DROP_SIGNATURE, LABEL_BUS_DROP_MALFORMED};
    const struct bus_stats *stats = bus_get_stats(housekeeping->node->bus);
    const uint64_t counts[] = {stats->forged, stats->malformed};

    for (size_t i = 0; i < 2; i++) {
        metrics_add_label(METRIC_BUS_DROPPED, labels[i],
                          (int64_t)(counts[i] - housekeeping->drops[i]));
        housekeeping->drops[i] = counts[i];
    }
}

static void update_gauges(const struct node *node)
{
    size_t ready = pg_pool_ready_count(node->pool);

    metrics_set_label(METRIC_DB_POOL_CONNECTIONS, LABEL_DB_STATE_READY, (double)ready);
    metrics_set(METRIC_DB_IN_FLIGHT, (double)pg_pool_in_flight(node->pool));
    metrics_set(METRIC_REDIS_UP, bus_up(node->bus));
    metrics_set(METRIC_BUS_NODES, (double)bus_node_count(node->bus));
    metrics_set(METRIC_WRITE_QUEUE, (double)writer_queued(node->writer));
    metrics_set(METRIC_DRAINING, node->draining);
    metrics_set_label(METRIC_WORKER_JOBS, LABEL_JOB_RUNNING, worker_running(node->worker));
    metrics_set_label(METRIC_WORKER_JOBS, LABEL_JOB_QUEUED, worker_queued(node->worker));
    if (node->tls)
        metrics_set(METRIC_TLS_EXPIRY, (double)tls_certificate_expiry_s(node->tls));
}

static void tell_systemd(struct housekeeping *housekeeping)
{
    sd_notify(0, "WATCHDOG=1");
    if (housekeeping->announced || !housekeeping_ready(housekeeping->node))
        return;
    housekeeping->announced = true;
    log_notice("ready", LOG_STR("node", housekeeping->node->name));
    sd_notify(0, "READY=1\nSTATUS=Serving");
}

static void handle_timer(struct timer_entry *entry)
{
    struct housekeeping *housekeeping = container_of(entry, struct housekeeping, timer);
    struct node *node = housekeeping->node;

    update_gauges(node);
    count_drops(housekeeping);
    tell_systemd(housekeeping);
    if (!housekeeping->reading) {
        struct pg_params params = PG_PARAMS_INIT;
        const struct step *step = &steps[housekeeping->step];
        step->bind(&params);
        housekeeping->reading = true;
        pg_pool_query(node->pool, step->statement, &params, handle_step, housekeeping);
    }
    timer_wheel_arm(node->wheel, &housekeeping->timer, *node->epoch ? STEP_MS : 50, handle_timer);
}

struct housekeeping *housekeeping_new(struct node *node)
{
    struct housekeeping *housekeeping = xcalloc(1, sizeof(*housekeeping));

    housekeeping->node = node;
    timer_entry_init(&housekeeping->timer);
    timer_wheel_arm(node->wheel, &housekeeping->timer, 1, handle_timer);
    return housekeeping;
}

struct housekeeping *housekeeping_free(struct housekeeping *housekeeping)
{
    if (!housekeeping)
        return NULL;
    timer_wheel_cancel(&housekeeping->timer);
    housekeeping->freed = true;
    if (!housekeeping->reading)
        free(housekeeping);
    return NULL;
}
