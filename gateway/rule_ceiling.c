/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that hit more people than they may are made to hold only
 *
 * A rule that blocks what nearly everybody says is wrong, and nobody may be awake to see it. Its
 * ceiling says how many of 10,000 senders it may hit; above that, the node that sees it stores a
 * new version of the rules in which it holds (chatgate_hold_rule), and raises the alarm. So the
 * change acts on all nodes, names its reason in the audit log, and is taken back like any other:
 * `chatgate moderation rules enable ID`.
 *
 * Counting starts anew with each rule set, since rules may have been mended.
 */
#include "gateway/rule_ceiling.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/hit_rate.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/rule_watch.h"
#include "gateway/xasprintf.h"
#include "moderation/screen.h"
#include "protocol/uuid.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

struct rule_ceiling {
    struct node *node;
    struct hit_rate *rate; /* of the set below; NULL until the first message */
    const struct rule_set *set;
    int64_t version;
    bool asking, freed;
};

static void handle_held(void *context, const struct pg_reply *reply)
{
    struct rule_ceiling *ceiling = context;

    ceiling->asking = false;
    if (ceiling->freed) {
        free(ceiling);
        return;
    }
    if (reply->outcome != PG_OK)
        log_limited(LOG_LEVEL_ERROR, "a rule above its ceiling can't be made to hold",
                    LOG_STR("sqlstate", reply->sqlstate));
    else
        rule_watch_now(ceiling->node->rule_watch);
}

/* One at a time: the answer changes the rule set, and with it all that was counted. */
static void make_hold(struct rule_ceiling *ceiling, const struct rule_info *rule, size_t index)
{
    struct node *node = ceiling->node;
    struct pg_params params = PG_PARAMS_INIT;
    unsigned hits = hit_rate_hits(ceiling->rate, index), of = hit_rate_senders(ceiling->rate);
    char *note = xasprintf("%s hit %u of %u senders, above its ceiling of %u in 10,000", rule->id,
                           hits, of, rule->ceiling);

    metrics_add(METRIC_RULE_FALLBACKS, 1);
    log_error("a rule hits too many people; it only holds from now on", LOG_STR("rule", rule->id),
              LOG_INT("hits", hits), LOG_INT("senders", of), LOG_INT("ceiling", rule->ceiling),
              LOG_INT("version", ceiling->version));
    ceiling->asking = true;
    pg_params_cstring(&params, rule->id);
    pg_params_int8(&params, ceiling->version);
    pg_params_cstring(&params, note);
    pg_params_cstring(&params, node->name);
    pg_pool_query(node->pool, &sql_rules_hold, &params, handle_held, ceiling);
    free(note);
}

static void begin_set(struct rule_ceiling *ceiling)
{
    const struct node *node = ceiling->node;

    if (ceiling->rate && ceiling->set == node->rules &&
        ceiling->version == rule_set_version(node->rules))
        return;
    hit_rate_free(ceiling->rate);
    ceiling->set = node->rules;
    ceiling->version = rule_set_version(node->rules);
    ceiling->rate = hit_rate_new(rule_set_count(node->rules),
                                 (uint64_t)node->config->moderation.ceiling_window_s * 1000,
                                 (unsigned)node->config->moderation.ceiling_senders);
}

/* A rule that only holds, or does nothing, has nowhere to fall back to. */
static bool is_above(struct rule_ceiling *ceiling, const struct screen_match *match,
                     uint64_t sender, struct rule_info *rule)
{
    if (match->shadow)
        return false;
    *rule = rule_set_info(ceiling->set, match->rule_index);
    if (rule->action != RULE_BLOCK || rule->ceiling == 0)
        return false;
    return hit_rate_hit(ceiling->rate, match->rule_index, sender, rule->ceiling);
}

void rule_ceiling_note(struct rule_ceiling *ceiling, const struct uuid *sender,
                       const struct screen_result *result)
{
    uint64_t hash = uuid_hash(sender);

    begin_set(ceiling);
    hit_rate_wrote(ceiling->rate, clock_now_ms(), hash);
    for (size_t i = 0; i < result->match_count; i++) {
        struct rule_info rule;

        if (is_above(ceiling, &result->matches[i], hash, &rule) && !ceiling->asking)
            make_hold(ceiling, &rule, result->matches[i].rule_index);
    }
}

struct rule_ceiling *rule_ceiling_new(struct node *node)
{
    struct rule_ceiling *ceiling = xcalloc(1, sizeof(*ceiling));

    ceiling->node = node;
    return ceiling;
}

struct rule_ceiling *rule_ceiling_free(struct rule_ceiling *ceiling)
{
    if (!ceiling)
        return NULL;
    ceiling->rate = hit_rate_free(ceiling->rate);
    ceiling->freed = true;
    if (!ceiling->asking)
        free(ceiling);
    return NULL;
}
