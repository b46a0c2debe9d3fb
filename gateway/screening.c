/* SPDX-License-Identifier: Apache-2.0 */
/* From an engine's result to a row. */
#include "gateway/screening.h"

#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/rule_ceiling.h"
#include "moderation/screen.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"

static enum screen_role role_of(enum user_role role)
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

static void write_rules(struct json_writer *json, const char *key,
                        const struct screen_result *result, bool shadow)
{
    json_key(json, key);
    json_array_begin(json);
    for (size_t i = 0; i < result->match_count; i++) {
        if (result->matches[i].shadow == shadow)
            json_put_cstring(json, result->matches[i].rule);
    }
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

/* A rule in shadow is recorded, and seen by nobody who decides. */
static void write_detail(struct json_writer *json, const struct message *message,
                         const struct screen_result *result)
{
    json_object_begin(json);
    write_rules(json, "rules", result, false);
    write_spans(json, message, result);
    write_rules(json, "shadow", result, true);
    json_object_end(json);
}

static void count_verdict(enum screen_verdict verdict)
{
    static const unsigned actions[] = {
        [SCREEN_DELIVER] = LABEL_ACTION_DELIVER,
        [SCREEN_HOLD] = LABEL_ACTION_HOLD,
        [SCREEN_BLOCK] = LABEL_ACTION_BLOCK,
    };
    metrics_add_labels(METRIC_MODERATION_DECISIONS, actions[verdict], LABEL_SOURCE_RULE, 1);
}

void screening_run(struct node *node, const struct message *message, enum user_role role,
                   struct screening *out, struct json_writer *detail)
{
    struct screen_input input = {
        .text = message->text,
        .length = message->text_length,
        .role = role_of(role),
        .at_ms = clock_unix_us() / 1000,
    };
    struct screen_result result;
    uint64_t started_us = clock_now_us();

    int error = screener_run(node->screener, node->rules, &input, &result);
    if (error)
        log_error("the moderation engine failed; the message waits for a person",
                  LOG_UUID("message", &message->id), LOG_ERRNO(error));
    if (result.verdict == SCREEN_DELIVER &&
        !strcmp(node->config->moderation.default_verdict, "hold")) {
        result.verdict = SCREEN_HOLD;
        result.reason = "policy.review";
    }
    metrics_observe(METRIC_SCREEN_SECONDS, (double)(clock_now_us() - started_us) / 1e6);
    count_verdict(result.verdict);
    rule_ceiling_note(node->rule_ceiling, &message->sender, &result);
    *out = (struct screening){
        .status = status_of(result.verdict),
        .reason = result.verdict == SCREEN_DELIVER ? NULL : result.reason,
        .rule_set = rule_set_version(node->rules),
    };
    if (out->status != MESSAGE_DELIVERED || result.match_count > 0)
        write_detail(detail, message, &result);
}
