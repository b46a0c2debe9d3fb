/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an engine's result to a row.
 *
 * The rule set is taken from the node once a screening, so that none is done by two. What is kept
 * of a result is copied: the set may be replaced before the message is written.
 */
#include "gateway/screening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/rule_ceiling.h"
#include "gateway/windows.h"
#include "moderation/rule.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"

enum {
    BUDGET_US = 250000, /* of one screening, which takes a thousandth of it at most */
    ROUNDS_MAX = 64,    /* stale so often, a message is held */
};

enum screen_role screening_role(enum user_role role)
{
    switch (role) {
    case ROLE_STUDENT:
        return SCREEN_ROLE_STUDENT;
    case ROLE_TEACHER:
        return SCREEN_ROLE_TEACHER;
    case ROLE_MODERATOR:
    case ROLE_ADMIN:
        return SCREEN_ROLE_OTHER;
    }
    return SCREEN_ROLE_OTHER;
}

static enum message_status status_of(enum screen_verdict verdict)
{
    switch (verdict) {
    case SCREEN_DELIVER:
        return MESSAGE_DELIVERED;
    case SCREEN_HOLD:
        return MESSAGE_PENDING;
    case SCREEN_BLOCK:
        return MESSAGE_BLOCKED;
    }
    return MESSAGE_PENDING;
}

/* --- the case's detail --- */

static void write_rules(struct json_writer *json, const char *key,
                        const struct screen_result *result, bool shadow)
{
    json_key(json, key);
    json_array_begin(json);
    for (size_t i = 0; i < result->match_count; i++)
        if (result->matches[i].shadow == shadow)
            json_put_cstring(json, result->matches[i].rule);
    json_array_end(json);
}

/* Spans are told in code points, since that is what a page can count. */
static void write_spans(struct json_writer *json, const struct message *message,
                        const struct screen_result *result)
{
    json_key(json, "spans");
    json_array_begin(json);
    for (size_t i = 0; i < result->match_count; i++) {
        if (result->matches[i].shadow)
            continue;
        json_array_begin(json);
        json_put_int(json, (int64_t)utf8_count(message->text, result->matches[i].from));
        json_put_int(json, (int64_t)utf8_count(message->text, result->matches[i].to));
        json_array_end(json);
    }
    json_array_end(json);
}

/* The earlier messages that a match goes over, oldest first. */
static void write_earlier(struct json_writer *json, const struct said *said, size_t count,
                          const struct screen_result *result)
{
    uint32_t pieces = 0;

    for (size_t i = 0; i < result->match_count; i++)
        if (!result->matches[i].shadow)
            pieces |= result->matches[i].earlier;
    json_key(json, "earlier");
    json_array_begin(json);
    for (size_t i = 0; i < count; i++)
        if (pieces & (1U << (count - 1 - i)))
            json_put_uuid(json, &said[i].message);
    json_array_end(json);
}

/* A rule in shadow is recorded, and seen by nobody who decides. */
static void write_detail(struct json_writer *json, const struct message *message,
                         const struct said *said, size_t count, const struct screen_result *result)
{
    json_object_begin(json);
    write_rules(json, "rules", result, false);
    write_spans(json, message, result);
    write_earlier(json, said, count, result);
    write_rules(json, "shadow", result, true);
    json_object_end(json);
}

/* --- counting --- */

#define LABEL(NAME, label, reason, action, severity)                                               \
    _Static_assert((int)LABEL_MATCH_##NAME == (int)LABEL_##NAME, label);
#include "moderation/label_table.h"
#undef LABEL

static void count_labels(const struct screen_result *result)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < result->match_count; i++) {
        enum label label;
        if (!label_parse(&label, result->matches[i].label) || seen & (1U << label))
            continue;
        seen |= 1U << label;
        metrics_add_label(METRIC_SCREEN_LABELS, (unsigned)label, 1);
    }
}

static void count_screening(enum screen_verdict verdict)
{
    static const unsigned actions[] = {
        [SCREEN_DELIVER] = LABEL_VERDICT_DELIVER,
        [SCREEN_HOLD] = LABEL_VERDICT_HOLD,
        [SCREEN_BLOCK] = LABEL_VERDICT_BLOCK,
    };
    metrics_add_label(METRIC_SCREENINGS, actions[verdict], 1);
}

void screening_count_verdict(enum message_status status)
{
    static const unsigned actions[] = {
        [MESSAGE_DELIVERED] = LABEL_ACTION_DELIVER,
        [MESSAGE_PENDING] = LABEL_ACTION_HOLD,
        [MESSAGE_BLOCKED] = LABEL_ACTION_BLOCK,
    };
    metrics_add_labels(METRIC_MODERATION_DECISIONS, actions[status], LABEL_SOURCE_RULE, 1);
}

/* --- screening --- */

static void hold(struct screen_result *result, const char *reason)
{
    if (result->verdict == SCREEN_DELIVER) {
        result->verdict = SCREEN_HOLD;
        result->reason = reason;
    }
}

static void fail(struct screen_result *result, const struct message *message, unsigned why,
                 const char *reason, int error)
{
    metrics_add_label(METRIC_SCREEN_FAILURES, why, 1);
    log_error("the moderation engine failed; the message waits for a person",
              LOG_UUID("message", &message->id), LOG_STR("reason", reason), LOG_ERRNO(error));
    hold(result, reason);
}

/* Runs the engine, and judges it: by its error and its time. */
static void run_engine(struct node *node, const struct message *message,
                       const struct screen_input *input, struct screen_result *result)
{
    uint64_t started_us = clock_now_us();
    int error = screener_run(node->screener, node->rules, input, result);
    uint64_t took_us = clock_now_us() - started_us;

    metrics_observe(METRIC_SCREEN_SECONDS, (double)took_us / 1e6);
    if (error)
        fail(result, message, LABEL_ENGINE_ERROR, "engine.error", error);
    else if (took_us > BUDGET_US)
        fail(result, message, LABEL_ENGINE_TIMEOUT, "engine.timeout", -ETIMEDOUT);
}

static void fill_facts(const struct window_facts *facts, int64_t now_us, struct screen_input *input)
{
    input->role = facts->role;
    input->booked = facts->booked;
    input->offences = facts->offences;
    input->pair_messages = facts->room_events;
    if (facts->created_us && facts->created_us < now_us)
        input->room_age_s = (now_us - facts->created_us) / 1000000;
}

void screening_run(struct node *node, const struct turn *turn, struct window *window,
                   const struct message *message, struct screening *out, struct json_writer *detail)
{
    int64_t now_us = clock_unix_us();
    struct said said[SCREEN_WINDOW_MAX];
    struct screen_trace earlier[SCREEN_WINDOW_MAX];
    size_t count = turn_earlier(turn, message->text_length, now_us / 1000, said);
    struct screen_input input = {
        .text = message->text,
        .length = message->text_length,
        .at_ms = (message->at_us ? message->at_us : now_us) / 1000,
        .earlier = earlier,
        .earlier_count = count,
    };
    struct screen_result result;

    for (size_t i = 0; i < count; i++)
        earlier[i] = said[i].trace;
    fill_facts(&window->facts, now_us, &input);
    run_engine(node, message, &input, &result);
    if (turn->rounds >= ROUNDS_MAX)
        hold(&result, "engine.contended");
    if (!strcmp(node->config->moderation.default_verdict, "hold"))
        hold(&result, "policy.review");
    count_screening(result.verdict);
    count_labels(&result);
    rule_ceiling_note(node->rule_ceiling, &message->sender, &result);
    *out = (struct screening){
        .status = status_of(result.verdict),
        .rule_set = result.rule_set_version,
        .any = turn->rounds >= ROUNDS_MAX,
        .after = window->last,
    };
    if (out->status != MESSAGE_DELIVERED)
        snprintf(out->reason, sizeof(out->reason), "%s", result.reason);
    if (out->status != MESSAGE_DELIVERED || result.match_count)
        write_detail(detail, message, said, count, &result);
    window_add(window, &message->id, &result.trace);
}

void screening_trace(struct node *node, const char *text, size_t length, int64_t at_ms,
                     struct screen_trace *out)
{
    struct screen_input input = {.text = text, .length = length, .at_ms = at_ms};
    struct screen_result result;

    screener_run(node->screener, node->rules, &input, &result);
    *out = result.trace;
}
