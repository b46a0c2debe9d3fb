/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says to moderators: the queue.* objects */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error_code.h"
#include "protocol/event.h"
#include "protocol/message.h"
#include "protocol/uuid.h"

struct json_writer;

struct queue_claim {
    struct uuid by;
    int64_t until_us;
    int64_t token; /* the fencing token; 0 = the reader is not its holder and does not see it */
};

/* A message that waits for a person. `rules`, `spans` and `earlier` are JSON text made by the
 * server
 * (["id", ...], [[from, to], ...] in code points and ["mid", ...]), NULL = none. */
struct queue_case {
    struct uuid mid, room;
    struct person sender;
    const char *text;
    size_t text_length;
    int64_t at_us;
    int64_t version;
    const char *reason; /* NULL = none */
    const char *rules, *spans, *earlier;
    const struct queue_claim *claim; /* NULL = free */
};

/* What became of one item of queue.decide. */
struct queue_result {
    struct uuid mid;
    enum error_code error; /* ERROR_NONE: decided, the next three count */
    enum message_status status;
    int64_t seq; /* 0 = none */
    int64_t version;
    const char *error_reason; /* may be NULL */
    bool has_by;              /* already_decided: who decided; and `status` is the winner's */
    struct uuid by;
};

/* A message as moderators see it in its conversation. */
struct queue_context_message {
    const struct message *message;
    bool subject; /* the one that was asked for */
    bool piece;   /* an earlier one that is part of what was found in it */
};

/* What is known of the sender of the message asked for: how their cases ended. */
struct queue_record {
    struct person user;
    bool has_member_since; /* users of other programs may lack it */
    int64_t member_since_us;
    int64_t pending, delivered, blocked, removed;
    int64_t overturned; /* verdicts on them that were undone */
};

/* From written to decided, by people only; -1 = no such verdict. */
struct queue_verdicts {
    int64_t delivered, blocked, undone, removed;
    int64_t p50_ms, p95_ms;
};

/* The verdicts of one operator (a UUID), reason code or rule; key NULL = automatic or none. */
struct queue_group {
    const char *key;
    struct queue_verdicts verdicts;
};

struct queue_stats {
    int64_t pending, oldest_s; /* now */
    int64_t window_s;          /* how far back the rest looks */
    struct queue_verdicts total;
    const struct queue_group *operators, *reasons, *rules;
    size_t operator_count, reason_count, rule_count;
};

/* A page of the queue: begin, any number of cases, end. `cursor` is NULL on the last page. */
void event_queue_snapshot_begin(struct json_writer *writer, int64_t re);
void event_queue_snapshot_case(struct json_writer *writer, const struct queue_case *item);
void event_queue_snapshot_end(struct json_writer *writer, int64_t pending, int64_t oldest_s,
                              const char *cursor);

void event_queue_unwatched(struct json_writer *writer, int64_t re);

/* Pushes to everyone who watches. */
void event_queue_added(struct json_writer *writer, const struct queue_case *item);

/* Answer to the holder (with the claim's token) or push (without). */
void event_queue_claimed(struct json_writer *writer, int64_t re, const struct uuid *mid,
                         const struct queue_claim *claim);
void event_queue_released(struct json_writer *writer, int64_t re, const struct uuid *mid);

/* The push: somebody decided. `by` NULL: the rules did; `reason` may be NULL. */
void event_queue_decided(struct json_writer *writer, const struct uuid *mid,
                         enum message_status status, const struct uuid *by, const char *reason);

/* The answer to queue.decide: begin, one result for each item in the order of the request, end. */
void event_queue_results_begin(struct json_writer *writer, int64_t re);
void event_queue_results_end(struct json_writer *writer);

/* One result as an object of its own: an element of the answer, or the body of the REST verdict. */
void event_queue_result(struct json_writer *writer, const struct queue_result *result);

/* Answer or push: an operator took a verdict back. `message` in its new state: delivered with its
 * number, or removed. */
void event_queue_undone(struct json_writer *writer, int64_t re, const struct message *message,
                        int64_t version, const struct uuid *by);

/* Answer or push: a delivered message was taken away. */
void event_queue_removed(struct json_writer *writer, int64_t re, const struct uuid *mid);

void event_queue_context(struct json_writer *writer, int64_t re, const struct uuid *mid,
                         const struct uuid *room, const struct queue_context_message *messages,
                         size_t count, const struct queue_record *sender);

void event_queue_stats(struct json_writer *writer, int64_t re, const struct queue_stats *stats);
