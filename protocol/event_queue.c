/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says to moderators: the queue.* objects
 *
 * The only objects that carry text nobody but its author has seen. They are written for connections
 * of moderators alone; between nodes their ids travel, never these.
 */
#include "protocol/event_queue.h"

#include <string.h>

#include "protocol/json_writer.h"

static void put_empty_array(struct json_writer *writer)
{
    json_array_begin(writer);
    json_array_end(writer);
}

/* JSON made by the server, or an empty array. */
static void add_json_array(struct json_writer *writer, const char *key, const char *json)
{
    json_key(writer, key);
    if (json)
        json_put_raw(writer, json, strlen(json));
    else
        put_empty_array(writer);
}

static void add_claim_members(struct json_writer *writer, const struct queue_claim *claim)
{
    json_add_uuid(writer, "by", &claim->by);
    json_add_time(writer, "until", claim->until_us);
    if (claim->token > 0)
        json_add_int(writer, "token", claim->token);
}

static void add_claim(struct json_writer *writer, const struct queue_claim *claim)
{
    json_key(writer, "claim");
    if (!claim) {
        json_put_null(writer);
        return;
    }
    json_object_begin(writer);
    add_claim_members(writer, claim);
    json_object_end(writer);
}

static void put_case(struct json_writer *writer, const struct queue_case *item)
{
    json_object_begin(writer);
    json_add_uuid(writer, "mid", &item->mid);
    json_add_uuid(writer, "room", &item->room);
    event_add_person(writer, "sender", &item->sender);
    json_add_string(writer, "text", item->text, item->text_length);
    json_add_time(writer, "at", item->at_us);
    json_add_int(writer, "version", item->version);
    json_add_cstring(writer, "reason", item->reason);
    add_json_array(writer, "rules", item->rules);
    add_json_array(writer, "spans", item->spans);
    add_json_array(writer, "earlier", item->earlier);
    add_claim(writer, item->claim);
    json_object_end(writer);
}

void event_queue_snapshot_begin(struct json_writer *writer, int64_t re)
{
    event_begin(writer, "queue.snapshot", re);
    json_key(writer, "cases");
    json_array_begin(writer);
}

void event_queue_snapshot_case(struct json_writer *writer, const struct queue_case *item)
{
    put_case(writer, item);
}

void event_queue_snapshot_end(struct json_writer *writer, int64_t pending, int64_t oldest_s,
                              const char *cursor)
{
    json_array_end(writer);
    json_add_int(writer, "pending", pending);
    json_add_int(writer, "oldest_s", oldest_s);
    json_add_bool(writer, "more", cursor != NULL);
    json_add_cstring(writer, "cursor", cursor);
    json_object_end(writer);
}

void event_queue_unwatched(struct json_writer *writer, int64_t re)
{
    event_begin(writer, "queue.unwatched", re);
    json_object_end(writer);
}

void event_queue_added(struct json_writer *writer, const struct queue_case *item)
{
    event_begin(writer, "queue.added", EVENT_PUSH);
    json_key(writer, "case");
    put_case(writer, item);
    json_object_end(writer);
}

void event_queue_claimed(struct json_writer *writer, int64_t re, const struct uuid *mid,
                         const struct queue_claim *claim)
{
    event_begin(writer, "queue.claimed", re);
    json_add_uuid(writer, "mid", mid);
    add_claim_members(writer, claim);
    json_object_end(writer);
}

void event_queue_released(struct json_writer *writer, int64_t re, const struct uuid *mid)
{
    event_begin(writer, "queue.released", re);
    json_add_uuid(writer, "mid", mid);
    json_object_end(writer);
}

void event_queue_decided(struct json_writer *writer, const struct uuid *mid,
                         enum message_status status, const struct uuid *by, const char *reason)
{
    event_begin(writer, "queue.decided", EVENT_PUSH);
    json_add_uuid(writer, "mid", mid);
    json_add_cstring(writer, "status", message_status_name(status));
    if (by)
        json_add_uuid(writer, "by", by);
    if (reason)
        json_add_cstring(writer, "reason", reason);
    json_object_end(writer);
}

void event_queue_results_begin(struct json_writer *writer, int64_t re)
{
    event_begin(writer, "queue.decided", re);
    json_key(writer, "results");
    json_array_begin(writer);
}

void event_queue_results_end(struct json_writer *writer)
{
    json_array_end(writer);
    json_object_end(writer);
}

static void add_result_error(struct json_writer *writer, const struct queue_result *result)
{
    json_key(writer, "error");
    json_object_begin(writer);
    event_error_members(writer, result->error, result->error_reason, NULL, 0);
    if (result->error == ERROR_ALREADY_DECIDED)
        json_add_cstring(writer, "status", message_status_name(result->status));
    if (result->has_by)
        json_add_uuid(writer, "by", &result->by);
    json_object_end(writer);
}

void event_queue_result(struct json_writer *writer, const struct queue_result *result)
{
    json_object_begin(writer);
    json_add_uuid(writer, "mid", &result->mid);
    if (result->error != ERROR_NONE) {
        add_result_error(writer, result);
    } else {
        json_add_cstring(writer, "status", message_status_name(result->status));
        if (result->seq > 0)
            json_add_int(writer, "seq", result->seq);
        json_add_int(writer, "version", result->version);
    }
    json_object_end(writer);
}

/* "removed" is no status of the database: there the message stays delivered, without its text. */
static const char *shown_status(const struct message *message)
{
    return message->removed ? "removed" : message_status_name(message->status);
}

void event_queue_undone(struct json_writer *writer, int64_t re, const struct message *message,
                        int64_t version, const struct uuid *by)
{
    event_begin(writer, "queue.undone", re);
    json_add_uuid(writer, "mid", &message->id);
    json_add_cstring(writer, "status", shown_status(message));
    if (message->seq > 0)
        json_add_int(writer, "seq", message->seq);
    json_add_int(writer, "version", version);
    json_add_uuid(writer, "by", by);
    json_object_end(writer);
}

void event_queue_removed(struct json_writer *writer, int64_t re, const struct uuid *mid)
{
    event_begin(writer, "queue.removed", re);
    json_add_uuid(writer, "mid", mid);
    json_object_end(writer);
}

static void put_context_message(struct json_writer *writer,
                                const struct queue_context_message *item)
{
    const struct message *message = item->message;

    json_object_begin(writer);
    json_add_uuid(writer, "mid", &message->id);
    if (message->seq > 0)
        json_add_int(writer, "seq", message->seq);
    json_add_uuid(writer, "from", &message->sender);
    if (!message->removed)
        json_add_string(writer, "text", message->text, message->text_length);
    json_add_time(writer, "at", message->at_us);
    json_add_cstring(writer, "status", shown_status(message));
    if (message->reason)
        json_add_cstring(writer, "reason", message->reason);
    json_add_bool(writer, "subject", item->subject);
    if (item->piece)
        json_add_bool(writer, "piece", true);
    json_object_end(writer);
}

static void add_record(struct json_writer *writer, const struct queue_record *record)
{
    json_key(writer, "sender");
    json_object_begin(writer);
    event_add_person(writer, "user", &record->user);
    if (record->has_member_since)
        json_add_time(writer, "member_since", record->member_since_us);
    json_add_int(writer, "pending", record->pending);
    json_add_int(writer, "delivered", record->delivered);
    json_add_int(writer, "blocked", record->blocked);
    json_add_int(writer, "removed", record->removed);
    json_add_int(writer, "overturned", record->overturned);
    json_object_end(writer);
}

void event_queue_context(struct json_writer *writer, int64_t re, const struct uuid *mid,
                         const struct uuid *room, const struct queue_context_message *messages,
                         size_t count, const struct queue_record *sender)
{
    event_begin(writer, "queue.context", re);
    json_add_uuid(writer, "mid", mid);
    json_add_uuid(writer, "room", room);
    json_key(writer, "messages");
    json_array_begin(writer);
    for (size_t i = 0; i < count; i++)
        put_context_message(writer, &messages[i]);
    json_array_end(writer);
    add_record(writer, sender);
    json_object_end(writer);
}

static void add_ms_or_null(struct json_writer *writer, const char *key, int64_t ms)
{
    if (ms >= 0)
        json_add_int(writer, key, ms);
    else
        json_add_null(writer, key);
}

static void add_verdicts(struct json_writer *writer, const struct queue_verdicts *verdicts)
{
    json_add_int(writer, "delivered", verdicts->delivered);
    json_add_int(writer, "blocked", verdicts->blocked);
    json_add_int(writer, "undone", verdicts->undone);
    json_add_int(writer, "removed", verdicts->removed);
    add_ms_or_null(writer, "p50_ms", verdicts->p50_ms);
    add_ms_or_null(writer, "p95_ms", verdicts->p95_ms);
}

/* An array `list` of objects that carry the group's key under `name`. */
static void add_groups(struct json_writer *writer, const char *list, const char *name,
                       const struct queue_group *groups, size_t count)
{
    json_key(writer, list);
    json_array_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_object_begin(writer);
        json_add_cstring(writer, name, groups[i].key);
        add_verdicts(writer, &groups[i].verdicts);
        json_object_end(writer);
    }
    json_array_end(writer);
}

void event_queue_stats(struct json_writer *writer, int64_t re, const struct queue_stats *stats)
{
    event_begin(writer, "queue.stats", re);
    json_add_int(writer, "pending", stats->pending);
    json_add_int(writer, "oldest_s", stats->oldest_s);
    json_add_int(writer, "window_s", stats->window_s);
    json_key(writer, "total");
    json_object_begin(writer);
    add_verdicts(writer, &stats->total);
    json_object_end(writer);
    add_groups(writer, "operators", "user", stats->operators, stats->operator_count);
    add_groups(writer, "reasons", "reason", stats->reasons, stats->reason_count);
    add_groups(writer, "rules", "rule", stats->rules, stats->rule_count);
    json_object_end(writer);
}
