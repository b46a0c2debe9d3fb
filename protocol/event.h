/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says: each function writes one JSON object */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error_code.h"
#include "protocol/message.h"
#include "protocol/uuid.h"

struct json_writer;

/* The first thing each writer is told is where the object goes, `re`:
 *   > 0          an answer over the socket to the request of this id: "t" and "re"
 *   EVENT_PUSH   a push over the socket: "t" alone
 *   EVENT_BODY   the body of a REST answer: neither
 * so that the socket and REST cannot drift apart. Strings of the arguments are only read. */
#define EVENT_PUSH INT64_C(0)
#define EVENT_BODY INT64_C(-1)

struct welcome_limits {
    int64_t frame_bytes, text_code_points, messages_per_s, message_burst, requests_per_s,
        opens_per_minute, connections_per_user, history_page, rooms_per_sync, decisions,
        outbound_bytes;
};

struct welcome {
    struct person user;
    struct uuid session;
    const char *epoch;
    int64_t heartbeat_s;
    int64_t expires_at_us;
    struct welcome_limits limits;
    int64_t retry_base_ms, retry_cap_ms;
};

/* A room as one of its members sees it. */
struct room_info {
    struct uuid room, teacher, student;
    struct person peer;
    int64_t head, unread, read, peer_read;
    bool online; /* the peer */
    int64_t created_at_us;
    bool has_last_message_at;
    int64_t last_message_at_us;
    const struct message *last_message; /* NULL: nothing delivered yet */
};

/* A page of a room's history. `messages` ascend by seq. */
struct history_page {
    struct uuid room;
    struct uuid viewer; /* sees the cid of own messages */
    const struct message *messages;
    size_t count;
    bool more;          /* there are messages beyond the page */
    bool backward;      /* the page was asked for by `before`: its end matters, not its start */
    size_t bytes_limit; /* the page is cut (more: true) when it would grow longer, never below one
                           message */
};

void event_welcome(struct json_writer *writer, int64_t re, const struct welcome *welcome);

/* The answer to a send: mid, cid, status, seq where delivered, reason where not, at, dup. */
void event_ok(struct json_writer *writer, int64_t re, const struct message *message, bool dup);

/* A delivered message on its way; {seq, mid, removed: true} if it was removed since. The cid is
 * for the sender's devices only. */
void event_message(struct json_writer *writer, const struct message *message, bool with_cid);

void event_removed(struct json_writer *writer, const struct uuid *room, int64_t seq,
                   const struct uuid *mid);

/* To the sender's devices: a message of theirs that has no number, or was decided while they were
 * away; and what became of one. */
void event_own(struct json_writer *writer, const struct message *message);
void event_status(struct json_writer *writer, const struct message *message);

/* In a REST body the room has its id under "id" too. */
void event_room(struct json_writer *writer, int64_t re, const struct room_info *room);
void event_room_closed(struct json_writer *writer, const struct uuid *room);

/* A page of rooms: begin, any number of rooms, end. The caller watches json_length() and ends the
 * page early; `cursor` is NULL on the last page. */
void event_rooms_begin(struct json_writer *writer, int64_t re);
void event_rooms_item(struct json_writer *writer, int64_t re, const struct room_info *room);
void event_rooms_end(struct json_writer *writer, const char *cursor);

void event_history(struct json_writer *writer, int64_t re, const struct history_page *page);

void event_reset(struct json_writer *writer, const struct uuid *room, int64_t head);
void event_synced(struct json_writer *writer, int64_t re, int64_t own_since_us);
void event_read(struct json_writer *writer, int64_t re, const struct uuid *room,
                const struct uuid *user, int64_t seq);
void event_typing(struct json_writer *writer, const struct uuid *room, const struct uuid *user);
void event_presence(struct json_writer *writer, const struct uuid *user, bool online);
void event_expiring(struct json_writer *writer, int64_t in_s);
void event_refreshed(struct json_writer *writer, int64_t re, int64_t expires_at_us);

/* `reason` and `message` may be NULL: no reason, and the table's message. `retry_after_ms` counts
 * where it is above 0. As a body: {"error": {code, reason, message, retry_after_ms}}. */
void event_error(struct json_writer *writer, int64_t re, enum error_code code, const char *reason,
                 const char *message, int64_t retry_after_ms);

/* already_decided with the winner's verdict: its status, and who decided. `by` may be NULL. */
void event_already_decided(struct json_writer *writer, int64_t re, enum message_status status,
                           const struct uuid *by);

/* REST only: the answer to a login or a refresh. */
void event_login(struct json_writer *writer, const char *token, int64_t expires_at_us,
                 const struct person *user);

/* Building blocks, for event_queue.c: begin opens the object and writes "t" and "re" as above; the
 * caller ends it with json_object_end(). */
void event_begin(struct json_writer *writer, const char *t, int64_t re);
void event_add_person(struct json_writer *writer, const char *key, const struct person *person);

/* The members of an error object, without its braces: an error inside another object. */
void event_error_members(struct json_writer *writer, enum error_code code, const char *reason,
                         const char *message, int64_t retry_after_ms);
