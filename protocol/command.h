/* SPDX-License-Identifier: Apache-2.0 */
/* Client frames and REST bodies, parsed and checked */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error_code.h"
#include "protocol/uuid.h"

struct json_t;

enum command_type {
#define COMMAND_ROW(NAME, member, wire, id, who) COMMAND_##NAME,
#include "protocol/command_table.h"
#undef COMMAND_ROW
};

#define COMMAND_ROW(NAME, member, wire, id, who) +1
enum {
    COMMAND_COUNT = 0
#include "protocol/command_table.h"
};
#undef COMMAND_ROW

/* The name on the wire, also the label of metrics. */
const char *command_name(enum command_type type);

/* Only for moderators and admins? The session checks the role. */
bool command_staff_only(enum command_type type);

/* A cursor: send me what follows number `after` of this room. */
struct command_room {
    struct uuid room;
    int64_t after; /* >= 0 */
};

struct command_hello {
    const char *token, *device, *epoch; /* NULL where absent */
    struct command_room *rooms;         /* owned by the command; sorted by room, no doubles */
    size_t room_count;
    bool has_own_since;
    int64_t own_since_us;
    bool batch; /* caps: the server may join objects by newline */
};

struct command_sync {
    struct command_room *rooms; /* as in hello; at least one */
    size_t room_count;
};

struct command_open {
    struct uuid with;
};

struct command_send {
    struct uuid room, cid;
    const char *text; /* 1 to limits.text_code_points code points, not blank */
    size_t text_length;
};

struct command_history {
    struct uuid room;
    bool has_before, has_after; /* never both */
    int64_t before, after;
    int limit; /* 1 to limits.page; default 50 */
};

struct command_rooms {
    const char *cursor; /* opaque, from the last answer; NULL = from the start */
    int limit;          /* 1 to limits.page; default 50 */
};

struct command_read {
    struct uuid room;
    int64_t seq; /* >= 0 */
};

struct command_typing {
    struct uuid room;
};

struct command_refresh {
    const char *token;
};

struct command_queue_watch {
    int limit;          /* 1 to limits.page; default 50 */
    const char *cursor; /* opaque, from the last snapshot; NULL = from the start */
};

struct command_queue_unwatch {
    char nothing;
};

struct command_queue_claim {
    struct uuid mid;
};

struct command_queue_release {
    struct uuid mid;
    int64_t claim; /* the fencing token of queue.claimed */
};

enum verdict { VERDICT_DELIVER, VERDICT_BLOCK };

const char *verdict_name(enum verdict verdict);

struct command_decision {
    struct uuid mid;
    int32_t version; /* 0 = whatever it is */
    enum verdict verdict;
    const char *reason, *note; /* NULL where absent */
    int64_t claim;             /* 0 = none */
};

struct command_queue_decide {
    struct command_decision *items; /* owned by the command; at least one, no mid twice */
    size_t count;
    bool many; /* the client sent `items` */
};

struct command_queue_undo {
    struct uuid mid;
    const char *reason, *note; /* NULL where absent */
};

struct command_queue_remove {
    struct uuid mid;
    const char *reason, *note; /* NULL where absent */
};

struct command_queue_context {
    struct uuid mid;
    int before, after; /* messages around it: 0 to 50, default 10 */
};

struct command_queue_stats {
    char nothing;
};

struct command_login {
    const char *email, *password;
};

/* One request. Strings live in `root` or `text`, which the command owns, and are valid UTF-8
 * without U+0000, NUL-terminated. */
struct command {
    enum command_type type;
    int64_t id; /* 0 = none: no answer is wanted */
    union {
#define COMMAND_ROW(NAME, member, wire, id, who) struct command_##member member;
#include "protocol/command_table.h"
#undef COMMAND_ROW
    };
    struct json_t *root;
    char *text; /* of a send that needed no `root` */
};

/* What the operator configures; the rest is fixed in command.c. */
struct command_limits {
    size_t text_code_points;
    size_t rooms_per_sync; /* in one hello or sync */
    size_t page;           /* longest page of history, rooms, the queue; longer ones are cut */
    size_t decisions;      /* in one queue.decide */
};

struct command_error {
    enum error_code code;
    const char *reason; /* static: "json.duplicate_key", "field.cid", "text.too_long", ... */
    int64_t id;         /* the frame's id if it had a usable one, else 0 */
};

/* Parses one client frame of `bytes` bytes. Returns 0 and fills `out`, which the caller ends with
 * command_deinit(); or returns the code that is also in `error`, and `out` needs no end. That ids
 * rise is the session's to check. */
int command_parse(struct command *out, const char *text, size_t bytes,
                  const struct command_limits *limits, struct command_error *error);

/* Parses the body of a REST request: the same fields without `t` and `id`, and without `room`,
 * `mid` and `cid`, which the path and the headers carry; the caller puts them into `out`. In it, an
 * open's `with` is called other_user_id. For OPEN, SEND, READ, QUEUE_DECIDE (one decision) and
 * LOGIN. Returns as command_parse(). */
int command_parse_body(struct command *out, enum command_type type, const char *text, size_t bytes,
                       const struct command_limits *limits, struct command_error *error);

void command_deinit(struct command *command);
