/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge from Postgres connections to logs and metrics. */
#include "gateway/database.h"

#include <string.h>

#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "sql/embedded.h"

void database_handle_state(void *context, bool up, const char *reason)
{
    (void)context;
    if (up)
        log_limited(LOG_LEVEL_NOTICE, "database connection ready");
    else
        log_limited(LOG_LEVEL_ERROR, "database connection lost", LOG_STR("reason", reason));
}

static void handle_query(void *context, const struct sql_statement *statement,
                         enum pg_outcome outcome, uint64_t elapsed_us)
{
    static const unsigned labels[] = {
        [PG_REFUSED] = LABEL_DB_ERROR_REFUSED,
        [PG_NOT_SENT] = LABEL_DB_ERROR_NOT_SENT,
        [PG_UNKNOWN] = LABEL_DB_ERROR_UNKNOWN,
    };
    (void)context;

    if (outcome != PG_OK)
        metrics_add_label(METRIC_DB_ERRORS, labels[outcome], 1);
    metrics_observe_label(METRIC_DB_QUERY_SECONDS,
                          metrics_label_find(METRIC_DB_QUERY_SECONDS, statement->name),
                          (double)elapsed_us / 1e6);
}

/* Plans are made once for any parameters: planning costs more than most statements. One that is
 * made while the tables are empty must not scan them for ever, and none is worth a parallel worker.
 */
static const char settings[] = "SET plan_cache_mode = force_generic_plan;"
                               "SET enable_seqscan = off;"
                               "SET max_parallel_workers_per_gather = 0";

void database_options(struct node *node, struct pg_conn_options *options)
{
    const struct config *config = node->config;

    *options = (struct pg_conn_options){
        .conninfo = config->database.url,
        .application_name = "chatgate",
        .settings = settings,
        .fence = &node->fence,
        .connect_timeout_ms = (uint32_t)config->database.connect_timeout_ms,
        .statement_timeout_ms = (uint32_t)config->database.statement_timeout_ms,
        .lock_timeout_ms = (uint32_t)config->database.lock_timeout_ms,
        .context = node,
        .on_state = database_handle_state,
        .on_query = handle_query,
    };
}
