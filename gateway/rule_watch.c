/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the node's rule set the one that is in force in the database
 *
 *   rules_version   each second, or when a hint comes: is there another number?
 *   rules_current   its rules
 *   compile         over the shipped ones, on a worker thread
 *   node->rules     one assignment between two callbacks, so no message sees half a set
 *
 * A set that does not compile is refused with the place of its fault, counted and logged as an
 * error; the one before stays. A node that starts has none before, so it goes back through the
 * versions to the last good one: as the other nodes, which still have that. Until a node has
 * rules, nobody is admitted to it.
 *
 * Numbers only rise, but for a database that was restored; so another number is news, not a higher
 * one, and another history of the database is news whatever the number.
 */
#include "gateway/rule_watch.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/rule_rows.h"
#include "gateway/rule_store.h"
#include "gateway/timer_wheel.h"
#include "gateway/worker.h"
#include "moderation/rule_set.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    LOOK_MS = 1000,     /* between two looks, if no hint comes */
    FIRST_LOOK_MS = 20, /* a node that has no rules can't do anything else */
    NOTHING_REFUSED = -1,
};

/* One compilation. Owned by the worker thread while it runs. */
struct load {
    struct worker_job job;
    struct rule_watch *watch;
    int64_t version;
    char *text; /* JSON, or NULL: no rules but the shipped ones */
    size_t text_length;
    struct rule_store *store; /* the watch's; one job at a time */
    uint64_t elapsed_us;
    struct rule_set *set; /* out: NULL if it was refused */
    struct rule_error error;
};

struct rule_watch {
    struct node *node;
    struct rule_store *store;
    struct worker *worker; /* its own: a queue of logins must not hold rules up */
    struct timer_entry timer;
    uint64_t epoch_tag; /* of the database that the rules in force came from */
    int64_t refused;    /* the number that does not compile, or NOTHING_REFUSED */
    bool busy;          /* from the first question to the swap */
    bool again, freed;
};

static void look(struct rule_watch *watch);

static void handle_timer(struct timer_entry *entry)
{
    look(container_of(entry, struct rule_watch, timer));
}

/* The end of a round, well or ill. */
static void rest(struct rule_watch *watch)
{
    uint64_t wait_ms = watch->again ? 1 : watch->node->rules ? LOOK_MS : FIRST_LOOK_MS;

    watch->again = false;
    watch->busy = false;
    timer_wheel_arm(watch->node->wheel, &watch->timer, wait_ms, handle_timer);
}

/* What comes back from the database or the worker after the watch was freed: its memory goes. */
static bool is_over(struct rule_watch *watch)
{
    if (!watch->freed)
        return false;
    worker_free(watch->worker);
    rule_store_free(watch->store);
    free(watch);
    return true;
}

/* ---- compile, and swap ---- */

static void load_free(struct load *load)
{
    rule_set_unref(load->set);
    free(load->text);
    free(load);
}

static void run_load(struct worker_job *job)
{
    struct load *load = container_of(job, struct load, job);
    struct rule_cache cache = rule_store_cache(load->store);
    struct rule_rows rows = {.count = 0};
    struct rule_layer ships;
    uint64_t started_us = clock_now_us();

    ships.sources = rule_set_default_sources(&ships.count);
    if (!load->text || rule_rows_parse(&rows, load->text, load->text_length, &load->error)) {
        struct rule_layer own = rule_rows_layer(&rows);

        load->set = rule_set_compile_over(&ships, &own, load->version, &cache, &load->error);
    }
    rule_rows_deinit(&rows);
    load->elapsed_us = clock_now_us() - started_us;
}

static void use(struct rule_watch *watch, struct load *load)
{
    struct node *node = watch->node;

    rule_set_unref(node->rules);
    node->rules = load->set;
    load->set = NULL;
    metrics_set(METRIC_RULE_SET_VERSION, (double)load->version);
    metrics_set(METRIC_RULES, (double)rule_set_count(node->rules));
    metrics_observe(METRIC_RULE_LOAD_SECONDS, (double)load->elapsed_us / 1e6);
    log_notice("rules are in force", LOG_INT("version", load->version),
               LOG_INT("rules", rule_set_count(node->rules)),
               LOG_INT("elapsed_ms", load->elapsed_us / 1000));
    for (size_t i = 0; i < rule_set_orphan_count(node->rules); i++)
        log_warning("an override names a rule that is not there",
                    LOG_STR("rule", rule_set_orphan(node->rules, i)));
}

static void refuse(struct rule_watch *watch, const struct load *load)
{
    const struct rule_error *error = &load->error;

    watch->refused = watch->refused > load->version ? watch->refused : load->version;
    log_error("a rule set was refused; the one before stays in force",
              LOG_INT("version", load->version), LOG_STR("source", error->source),
              LOG_INT("line", error->line), LOG_INT("column", error->column),
              LOG_STR("reason", error->reason));
}

static void read_rules(struct rule_watch *watch, int64_t at_most);

static void handle_loaded(struct worker_job *job, bool ran)
{
    struct load *load = container_of(job, struct load, job);
    struct rule_watch *watch = load->watch;
    bool go_back = false;

    malloc_trim(0); /* compiling leaves megabytes behind */
    if (ran && !watch->freed) {
        metrics_add_label(METRIC_RULE_LOADS, load->set ? LABEL_RESULT_OK : LABEL_RESULT_FAILED, 1);
        if (load->set)
            use(watch, load);
        else
            refuse(watch, load);
        go_back = !watch->node->rules && load->version > 0;
    }
    int64_t before = load->version - 1;
    load_free(load);
    if (is_over(watch))
        return;
    if (go_back)
        read_rules(watch, before);
    else
        rest(watch);
}

/* ---- the database ---- */

/* The columns of sql/statements/rules_current.sql. */
enum column { RULE_SET, MADE_US, MADE_BY, DB_USER, NOTE, RULES };

static struct load *load_new(struct rule_watch *watch, const PGresult *result)
{
    struct load *load = xcalloc(1, sizeof(*load));

    load->watch = watch;
    load->store = watch->store;
    if (PQntuples(result) == 1) {
        const char *text = pg_text(result, 0, RULES, &load->text_length);

        load->version = pg_int8(result, 0, RULE_SET);
        load->text = xmemdup(text, load->text_length);
    }
    return load;
}

static void handle_rules(void *context, const struct pg_reply *reply)
{
    struct rule_watch *watch = context;

    if (is_over(watch))
        return;
    if (reply->outcome != PG_OK) {
        rest(watch);
        return;
    }
    struct load *load = load_new(watch, reply->result);
    if (worker_submit(watch->worker, &load->job, run_load, handle_loaded) != 0) {
        load_free(load);
        rest(watch);
    }
}

static void read_rules(struct rule_watch *watch, int64_t at_most)
{
    struct pg_params params = PG_PARAMS_INIT;

    watch->epoch_tag = watch->node->epoch_tag;
    pg_params_int8(&params, at_most);
    pg_pool_query(watch->node->pool, &sql_rules_current, &params, handle_rules, watch);
}

static bool is_news(const struct rule_watch *watch, int64_t stored)
{
    const struct node *node = watch->node;

    if (!node->rules || watch->epoch_tag != node->epoch_tag)
        return true;
    return stored != rule_set_version(node->rules) && stored != watch->refused;
}

static void handle_version(void *context, const struct pg_reply *reply)
{
    struct rule_watch *watch = context;

    if (is_over(watch))
        return;
    if (reply->outcome != PG_OK) {
        if (reply->outcome == PG_REFUSED)
            log_limited(LOG_LEVEL_ERROR, "the rules can't be read; is the database migrated?",
                        LOG_STR("sqlstate", reply->sqlstate), LOG_STR("detail", reply->message));
        rest(watch);
        return;
    }
    int64_t stored = pg_int8(reply->result, 0, 0);
    metrics_set(METRIC_RULE_SET_STORED, (double)stored);
    if (is_news(watch, stored))
        read_rules(watch, INT64_MAX);
    else
        rest(watch);
}

static void look(struct rule_watch *watch)
{
    struct node *node = watch->node;

    watch->busy = true;
    if (!*node->epoch) /* the database was never reached */
        rest(watch);
    else
        pg_pool_query(node->pool, &sql_rules_version, NULL, handle_version, watch);
}

void rule_watch_now(struct rule_watch *watch)
{
    if (watch->busy)
        watch->again = true;
    else
        timer_wheel_arm(watch->node->wheel, &watch->timer, 1, handle_timer);
}

struct rule_watch *rule_watch_new(struct node *node)
{
    struct rule_watch *watch = xcalloc(1, sizeof(*watch));

    watch->node = node;
    watch->store = rule_store_new(rule_store_folder(node->config->moderation.cache_dir));
    watch->worker = worker_new(node->loop, 1, 1);
    watch->refused = NOTHING_REFUSED;
    timer_entry_init(&watch->timer);
    timer_wheel_arm(node->wheel, &watch->timer, 1, handle_timer);
    return watch;
}

struct rule_watch *rule_watch_free(struct rule_watch *watch)
{
    if (!watch)
        return NULL;
    timer_wheel_cancel(&watch->timer);
    watch->freed = true;
    if (!watch->busy)
        is_over(watch);
    return NULL;
}
