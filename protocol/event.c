/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says: each function writes one JSON object
 *
 * The one place that knows how the server's state looks on the wire. Every object is written from
 * typed values; nothing that a client sent passes through except the text and the cid of a message.
 * A removed message never shows its text here, whatever the caller still holds of it.
 */
#include "protocol/event.h"

#include "protocol/json_writer.h"

/* Upper bound of an item of history without its text: keys, numbers, three UUIDs, a time. */
enum { ITEM_BYTES_MAX = 256 };

void event_begin(struct json_writer *writer, const char *t, int64_t re)
{
    json_object_begin(writer);
    if (re == EVENT_BODY)
        return;
    json_add_cstring(writer, "t", t);
    if (re > 0)
        json_add_int(writer, "re", re);
}

static void put_person(struct json_writer *writer, const struct person *person)
{
    json_object_begin(writer);
    json_add_uuid(writer, "id", &person->id);
    json_add_cstring(writer, "role", person->role);
    json_add_cstring(writer, "first_name", person->first_name);
    json_add_cstring(writer, "last_name", person->last_name);
    json_object_end(writer);
}

void event_add_person(struct json_writer *writer, const char *key, const struct person *person)
{
    json_key(writer, key);
    put_person(writer, person);
}

static void add_limits(struct json_writer *writer, const struct welcome_limits *limits)
{
    json_key(writer, "limits");
    json_object_begin(writer);
    json_add_int(writer, "frame_bytes", limits->frame_bytes);
    json_add_int(writer, "text_code_points", limits->text_code_points);
    json_add_int(writer, "messages_per_s", limits->messages_per_s);
    json_add_int(writer, "message_burst", limits->message_burst);
    json_add_int(writer, "requests_per_s", limits->requests_per_s);
    json_add_int(writer, "opens_per_minute", limits->opens_per_minute);
    json_add_int(writer, "connections_per_user", limits->connections_per_user);
    json_add_int(writer, "history_page", limits->history_page);
    json_add_int(writer, "rooms_per_sync", limits->rooms_per_sync);
    json_add_int(writer, "decisions", limits->decisions);
    json_add_int(writer, "outbound_bytes", limits->outbound_bytes);
    json_object_end(writer);
}

void event_welcome(struct json_writer *writer, int64_t re, const struct welcome *welcome)
{
    event_begin(writer, "welcome", re);
    event_add_person(writer, "user", &welcome->user);
    json_add_uuid(writer, "session", &welcome->session);
    json_add_cstring(writer, "epoch", welcome->epoch);
    json_add_int(writer, "heartbeat_s", welcome->heartbeat_s);
    json_add_time(writer, "expires_at", welcome->expires_at_us);
    add_limits(writer, &welcome->limits);
    json_key(writer, "retry");
    json_object_begin(writer);
    json_add_int(writer, "base_ms", welcome->retry_base_ms);
    json_add_int(writer, "cap_ms", welcome->retry_cap_ms);
    json_object_end(writer);
    json_object_end(writer);
}

static void add_cid(struct json_writer *writer, const struct message *message)
{
    if (message->has_cid)
        json_add_uuid(writer, "cid", &message->cid);
}

static void add_reason(struct json_writer *writer, const struct message *message)
{
    if (message->reason)
        json_add_cstring(writer, "reason", message->reason);
}

static void add_seq(struct json_writer *writer, const struct message *message)
{
    if (message->seq > 0)
        json_add_int(writer, "seq", message->seq);
}

static void add_status(struct json_writer *writer, const struct message *message)
{
    json_add_cstring(writer, "status", message_status_name(message->status));
    add_seq(writer, message);
    add_reason(writer, message);
}

void event_ok(struct json_writer *writer, int64_t re, const struct message *message, bool dup)
{
    event_begin(writer, "ok", re);
    json_add_uuid(writer, "mid", &message->id);
    add_cid(writer, message);
    add_status(writer, message);
    json_add_time(writer, "at", message->at_us);
    json_add_bool(writer, "dup", dup);
    json_object_end(writer);
}

/* What a member sees of a message that has a number, in a push, a history and a room's preview. */
static void add_delivered(struct json_writer *writer, const struct message *message, bool with_cid)
{
    json_add_int(writer, "seq", message->seq);
    json_add_uuid(writer, "mid", &message->id);
    if (message->removed) {
        json_add_bool(writer, "removed", true);
        return;
    }
    json_add_uuid(writer, "from", &message->sender);
    json_add_string(writer, "text", message->text, message->text_length);
    json_add_time(writer, "at", message->at_us);
    if (message->delayed)
        json_add_bool(writer, "delayed", true);
    if (with_cid)
        add_cid(writer, message);
}

void event_message(struct json_writer *writer, const struct message *message, bool with_cid)
{
    event_begin(writer, "message", EVENT_PUSH);
    json_add_uuid(writer, "room", &message->room);
    add_delivered(writer, message, with_cid);
    json_object_end(writer);
}

void event_removed(struct json_writer *writer, const struct uuid *room, int64_t seq,
                   const struct uuid *mid)
{
    event_begin(writer, "removed", EVENT_PUSH);
    json_add_uuid(writer, "room", room);
    json_add_int(writer, "seq", seq);
    json_add_uuid(writer, "mid", mid);
    json_object_end(writer);
}

void event_own(struct json_writer *writer, const struct message *message)
{
    event_begin(writer, "own", EVENT_PUSH);
    json_add_uuid(writer, "room", &message->room);
    json_add_uuid(writer, "mid", &message->id);
    add_cid(writer, message);
    if (message->removed)
        json_add_bool(writer, "removed", true);
    else
        json_add_string(writer, "text", message->text, message->text_length);
    json_add_time(writer, "at", message->at_us);
    add_status(writer, message);
    json_object_end(writer);
}

void event_status(struct json_writer *writer, const struct message *message)
{
    event_begin(writer, "status", EVENT_PUSH);
    json_add_uuid(writer, "room", &message->room);
    json_add_uuid(writer, "mid", &message->id);
    add_cid(writer, message);
    add_status(writer, message);
    json_object_end(writer);
}

static void add_last_message(struct json_writer *writer, const struct room_info *room)
{
    if (room->has_last_message_at)
        json_add_time(writer, "last_message_at", room->last_message_at_us);
    else
        json_add_null(writer, "last_message_at");
    json_key(writer, "last_message");
    if (!room->last_message) {
        json_put_null(writer);
        return;
    }
    json_object_begin(writer);
    add_delivered(writer, room->last_message, false);
    json_object_end(writer);
}

static void add_room(struct json_writer *writer, int64_t re, const struct room_info *room)
{
    if (re == EVENT_BODY)
        json_add_uuid(writer, "id", &room->room);
    json_add_uuid(writer, "room", &room->room);
    json_add_uuid(writer, "teacher_id", &room->teacher);
    json_add_uuid(writer, "student_id", &room->student);
    event_add_person(writer, "peer", &room->peer);
    json_add_int(writer, "head", room->head);
    json_add_int(writer, "unread", room->unread);
    json_add_int(writer, "read", room->read);
    json_add_int(writer, "peer_read", room->peer_read);
    json_add_bool(writer, "online", room->online);
    json_add_time(writer, "created_at", room->created_at_us);
    add_last_message(writer, room);
}

void event_room(struct json_writer *writer, int64_t re, const struct room_info *room)
{
    event_begin(writer, "room", re);
    add_room(writer, re, room);
    json_object_end(writer);
}

void event_room_closed(struct json_writer *writer, const struct uuid *room)
{
    event_begin(writer, "room_closed", EVENT_PUSH);
    json_add_uuid(writer, "room", room);
    json_object_end(writer);
}

void event_rooms_begin(struct json_writer *writer, int64_t re)
{
    event_begin(writer, "rooms", re);
    json_key(writer, "rooms");
    json_array_begin(writer);
}

void event_rooms_item(struct json_writer *writer, int64_t re, const struct room_info *room)
{
    json_object_begin(writer);
    add_room(writer, re, room);
    json_object_end(writer);
}

void event_rooms_end(struct json_writer *writer, const char *cursor)
{
    json_array_end(writer);
    json_add_cstring(writer, "cursor", cursor);
    json_object_end(writer);
}

static size_t item_bytes_max(const struct message *message)
{
    if (message->removed)
        return ITEM_BYTES_MAX;
    return ITEM_BYTES_MAX + json_string_bytes(message->text, message->text_length);
}

/* How many messages fit into the page, counted from the end that was asked for. */
static size_t fitting(const struct history_page *page)
{
    size_t count = 0, bytes = 0;

    while (count < page->count) {
        size_t at = page->backward ? page->count - 1 - count : count;

        bytes += item_bytes_max(&page->messages[at]);
        if (count > 0 && bytes > page->bytes_limit)
            break;
        count++;
    }
    return count;
}

void event_history(struct json_writer *writer, int64_t re, const struct history_page *page)
{
    size_t count = fitting(page), first = page->backward ? page->count - count : 0;

    event_begin(writer, "history", re);
    json_add_uuid(writer, "room", &page->room);
    json_key(writer, "messages");
    json_array_begin(writer);
    for (size_t i = first; i < first + count; i++) {
        const struct message *message = &page->messages[i];

        json_object_begin(writer);
        add_delivered(writer, message, uuid_equal(&message->sender, &page->viewer));
        json_object_end(writer);
    }
    json_array_end(writer);
    json_add_bool(writer, "more", page->more || count < page->count);
    json_object_end(writer);
}

void event_reset(struct json_writer *writer, const struct uuid *room, int64_t head)
{
    event_begin(writer, "reset", EVENT_PUSH);
    json_add_uuid(writer, "room", room);
    json_add_int(writer, "head", head);
    json_object_end(writer);
}

void event_synced(struct json_writer *writer, int64_t re, int64_t own_since_us)
{
    event_begin(writer, "synced", re);
    json_add_time(writer, "own_since", own_since_us);
    json_object_end(writer);
}

void event_read(struct json_writer *writer, int64_t re, const struct uuid *room,
                const struct uuid *user, int64_t seq)
{
    event_begin(writer, "read", re);
    json_add_uuid(writer, "room", room);
    json_add_uuid(writer, "user", user);
    json_add_int(writer, "seq", seq);
    json_object_end(writer);
}

void event_typing(struct json_writer *writer, const struct uuid *room, const struct uuid *user)
{
    event_begin(writer, "typing", EVENT_PUSH);
    json_add_uuid(writer, "room", room);
    json_add_uuid(writer, "user", user);
    json_object_end(writer);
}

void event_presence(struct json_writer *writer, const struct uuid *user, bool online)
{
    event_begin(writer, "presence", EVENT_PUSH);
    json_add_uuid(writer, "user", user);
    json_add_bool(writer, "online", online);
    json_object_end(writer);
}

void event_expiring(struct json_writer *writer, int64_t in_s)
{
    event_begin(writer, "expiring", EVENT_PUSH);
    json_add_int(writer, "in_s", in_s);
    json_object_end(writer);
}

void event_refreshed(struct json_writer *writer, int64_t re, int64_t expires_at_us)
{
    event_begin(writer, "refreshed", re);
    json_add_time(writer, "expires_at", expires_at_us);
    json_object_end(writer);
}

void event_error_members(struct json_writer *writer, enum error_code code, const char *reason,
                         const char *message, int64_t retry_after_ms)
{
    json_add_cstring(writer, "code", error_name(code));
    if (reason)
        json_add_cstring(writer, "reason", reason);
    json_add_cstring(writer, "message", message ? message : error_message(code));
    if (retry_after_ms > 0)
        json_add_int(writer, "retry_after_ms", retry_after_ms);
}

/* As a body the error is the member of an object, so that no answer can be taken for an error. */
static void begin_error(struct json_writer *writer, int64_t re)
{
    event_begin(writer, "error", re);
    if (re == EVENT_BODY) {
        json_key(writer, "error");
        json_object_begin(writer);
    }
}

static void end_error(struct json_writer *writer, int64_t re)
{
    if (re == EVENT_BODY)
        json_object_end(writer);
    json_object_end(writer);
}

void event_error(struct json_writer *writer, int64_t re, enum error_code code, const char *reason,
                 const char *message, int64_t retry_after_ms)
{
    begin_error(writer, re);
    event_error_members(writer, code, reason, message, retry_after_ms);
    end_error(writer, re);
}

void event_already_decided(struct json_writer *writer, int64_t re, enum message_status status,
                           const struct uuid *by)
{
    begin_error(writer, re);
    event_error_members(writer, ERROR_ALREADY_DECIDED, NULL, NULL, 0);
    json_add_cstring(writer, "status", message_status_name(status));
    if (by)
        json_add_uuid(writer, "by", by);
    end_error(writer, re);
}

void event_login(struct json_writer *writer, const char *token, int64_t expires_at_us,
                 const struct person *user)
{
    json_object_begin(writer);
    json_add_cstring(writer, "token", token);
    json_add_time(writer, "expires_at", expires_at_us);
    event_add_person(writer, "user", user);
    json_object_end(writer);
}
