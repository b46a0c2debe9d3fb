/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes is read by looking for keys, without a parser: the frames are of our own gateway,
 * whose one encoder writes no spaces, and every text in them is our own chatter. Every number of
 * every room is held against the cursor, so a run that measures speed proves order and completeness
 * too.
 */
#include "tests/bench/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json_writer.h"
#include "protocol/list.h"
#include "protocol/xalloc.h"
#include "tests/bench/chatter.h"
#include "tests/bench/fleet.h"
#include "tests/bench/match.h"
#include "tests/bench/plan.h"
#include "tests/bench/tally.h"

enum { FIRST_FLIGHTS = 8, REDIAL_MS = 500 };

/* --- reading fields --- */

struct words {
    const char *text;
    size_t length;
};

/* What stands behind `key`, which is given as it is written: "\"seq\":". NULL: no such field. */
static const char *behind(const struct words *frame, const char *key)
{
    const char *found = memmem(frame->text, frame->length, key, strlen(key));
    return found ? found + strlen(key) : NULL;
}

/* -1: no such field, or null. The frame's last brace ends the digits. */
static int64_t number_of(const struct words *frame, const char *key)
{
    const char *at = behind(frame, key);
    return at && *at >= '0' && *at <= '9' ? strtoll(at, NULL, 10) : -1;
}

static bool is(const struct words *frame, const char *start)
{
    return frame->length > strlen(start) && !memcmp(frame->text, start, strlen(start));
}

/* Copies a string without escapes; empty if there is none, or too long a one. */
static void copy_string(const struct words *frame, const char *key, char *out, size_t capacity)
{
    const char *at = behind(frame, key);
    const char *end = at ? memchr(at, '"', (size_t)(frame->text + frame->length - at)) : NULL;
    size_t length = end ? (size_t)(end - at) : 0;

    if (length >= capacity)
        length = 0;
    if (length)
        memcpy(out, at, length);
    out[length] = '\0';
}

struct device_room *device_room(const struct device *device, const struct uuid *id)
{
    size_t from = 0, to = device->room_count;

    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = uuid_compare(&device->rooms[middle].id, id);
        if (!order)
            return &device->rooms[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static struct device_room *room_of(const struct device *device, const struct words *frame)
{
    const char *at = behind(frame, "\"room\":\"");
    struct uuid id;

    if (!at || frame->text + frame->length - at < UUID_TEXT_BYTES ||
        !uuid_parse(&id, at, UUID_TEXT_BYTES))
        return NULL;
    return device_room(device, &id);
}

/* --- flights --- */

static struct flight *flight_at(const struct device *device, int64_t id)
{
    return &device->flights[(size_t)id & (device->flight_capacity - 1)];
}

static void grow_flights(struct device *device)
{
    struct flight *old = device->flights;
    size_t old_capacity = device->flight_capacity;

    device->flight_capacity = old_capacity ? old_capacity * 2 : FIRST_FLIGHTS;
    device->flights = xcalloc(device->flight_capacity, sizeof(*device->flights));
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].id)
            *flight_at(device, old[i].id) = old[i];
    free(old);
}

static void take_off(struct device *device, struct device_room *room, uint64_t now_ns)
{
    int64_t id = ++device->last_id;

    while (!device->flight_capacity || flight_at(device, id)->id)
        grow_flights(device);
    *flight_at(device, id) = (struct flight){id, now_ns, room};
    device->in_flight++;
}

/* False: no such send. */
static bool land(struct device *device, int64_t id, struct flight *out)
{
    if (id <= 0 || !device->flight_capacity || flight_at(device, id)->id != id)
        return false;
    *out = *flight_at(device, id);
    flight_at(device, id)->id = 0;
    device->in_flight--;
    return true;
}

static void lose_flights(struct device *device)
{
    device->fleet->tally->unanswered += device->in_flight;
    for (size_t i = 0; i < device->flight_capacity; i++)
        device->flights[i].id = 0;
    device->in_flight = 0;
}

/* --- in --- */

static void handle_ok(struct device *device, const struct words *frame, uint64_t now_ns)
{
    struct tally *tally = device->fleet->tally;
    int64_t seq = number_of(frame, "\"seq\":");
    struct flight flight;

    if (!land(device, number_of(frame, "\"re\":"), &flight))
        return;
    if (tally_in_window(tally, now_ns))
        tally->acks++;
    if (tally_in_window(tally, flight.sent_ns))
        histogram_add(&tally->ack, (now_ns - flight.sent_ns) / 1000);
    if (seq < 0)
        tally->held++;
    else
        match_sent(flight.room->match, tally, seq, flight.sent_ns);
}

/* A message or a removal: the next number of its room, or something is wrong. */
static void handle_numbered(struct device *device, const struct words *frame, uint64_t now_ns)
{
    struct tally *tally = device->fleet->tally;
    struct device_room *room = room_of(device, frame);
    int64_t seq = number_of(frame, "\"seq\":");

    if (!room)
        return;
    if (seq <= room->cursor) {
        tally->repeats++;
        return;
    }
    if (seq != room->cursor + 1)
        tally->gaps++;
    room->cursor = seq;
    if (device->state != DEVICE_LIVE) {
        tally->resumed++;
        return;
    }
    if (tally_in_window(tally, now_ns))
        tally->deliveries++;
    match_arrived(room->match, tally, seq, now_ns);
}

static void handle_reset(struct device *device, const struct words *frame)
{
    struct device_room *room = room_of(device, frame);

    device->fleet->tally->resets++;
    if (room)
        room->cursor = number_of(frame, "\"head\":");
}

static void handle_welcome(struct device *device, const struct words *frame)
{
    copy_string(frame, "\"epoch\":\"", device->fleet->epoch, sizeof(device->fleet->epoch));
}

static void handle_synced(struct device *device, const struct words *frame, uint64_t now_ns)
{
    copy_string(frame, "\"own_since\":\"", device->own_since, sizeof(device->own_since));
    if (device->state != DEVICE_RESUMING)
        return;
    device->state = DEVICE_LIVE;
    histogram_add(&device->fleet->tally->live, (now_ns - device->dialled_ns) / 1000);
    fleet_device_live(device->fleet);
}

static void handle_error(struct device *device, const struct words *frame)
{
    struct tally *tally = device->fleet->tally;
    struct flight flight;

    tally->refusals++;
    tally_note(tally, frame->text, frame->length);
    land(device, number_of(frame, "\"re\":"), &flight);
}

static void handle_text(struct ws_client *ws, const char *text, size_t length)
{
    struct device *device = container_of(ws, struct device, ws);
    struct words frame = {text, length};
    uint64_t now_ns = uv_hrtime();

    if (is(&frame, "{\"t\":\"message\""))
        handle_numbered(device, &frame, now_ns);
    else if (is(&frame, "{\"t\":\"ok\""))
        handle_ok(device, &frame, now_ns);
    else if (is(&frame, "{\"t\":\"removed\""))
        handle_numbered(device, &frame, now_ns);
    else if (is(&frame, "{\"t\":\"welcome\""))
        handle_welcome(device, &frame);
    else if (is(&frame, "{\"t\":\"synced\""))
        handle_synced(device, &frame, now_ns);
    else if (is(&frame, "{\"t\":\"reset\""))
        handle_reset(device, &frame);
    else if (is(&frame, "{\"t\":\"error\""))
        handle_error(device, &frame);
}

/* --- out --- */

static void handle_opened(struct ws_client *ws)
{
    struct device *device = container_of(ws, struct device, ws);
    struct json_writer *json = &device->fleet->json;
    char room[UUID_TEXT_BYTES + 1];

    histogram_add(&device->fleet->tally->connect, (uv_hrtime() - device->dialled_ns) / 1000);
    device->state = DEVICE_RESUMING;
    json_writer_reset(json);
    json_object_begin(json);
    json_add_cstring(json, "t", "hello");
    json_add_int(json, "id", device->last_id = 1);
    json_add_cstring(json, "device", "chatgate-bench");
    if (*device->fleet->epoch)
        json_add_cstring(json, "epoch", device->fleet->epoch);
    if (*device->own_since)
        json_add_cstring(json, "own_since", device->own_since);
    json_key(json, "rooms");
    json_object_begin(json);
    for (size_t i = 0; i < device->room_count; i++) {
        uuid_format(&device->rooms[i].id, room);
        json_add_int(json, room, device->rooms[i].cursor);
    }
    json_object_end(json);
    json_object_end(json);
    ws_client_send(ws, json_text(json), json_length(json));
}

void device_send(struct device *device, struct device_room *room, size_t text_bytes)
{
    char frame[DEVICE_TEXT_BYTES_MAX + 256], id[UUID_TEXT_BYTES + 1], cid[UUID_TEXT_BYTES + 1];
    struct uuid random;
    uint64_t now_ns = uv_hrtime();

    if (device->state != DEVICE_LIVE || text_bytes > DEVICE_TEXT_BYTES_MAX)
        return;
    chatter_uuid(&random);
    uuid_format(&random, cid);
    uuid_format(&room->id, id);
    take_off(device, room, now_ns);
    int length = snprintf(frame, sizeof(frame),
                          "{\"t\":\"send\",\"id\":%lld,\"room\":\"%s\",\"cid\":\"%s\",\"text\":\"",
                          (long long)device->last_id, id, cid);
    chatter_text(frame + length, text_bytes);
    memcpy(frame + length + text_bytes, "\"}", 2);
    ws_client_send(&device->ws, frame, (size_t)length + text_bytes + 2);
    if (tally_in_window(device->fleet->tally, now_ns))
        device->fleet->tally->sent++;
}

/* --- coming and going --- */

static void handle_redial(uv_timer_t *timer)
{
    struct device *device = timer->data;

    device->fleet->tally->retries++;
    device_dial(device);
}

static void handle_closed(struct ws_client *ws, int code)
{
    struct device *device = container_of(ws, struct device, ws);
    struct tally *tally = device->fleet->tally;
    char words[64];

    lose_flights(device);
    if (device->state == DEVICE_LIVE)
        fleet_device_gone(device->fleet, !device->stays_away);
    device->state = DEVICE_AWAY;
    if (device->stays_away)
        return;
    snprintf(words, sizeof(words), "closed with %d", code);
    tally_note(tally, words, strlen(words));
    tally->closes++;
    uv_timer_start(&device->redial, handle_redial, (uint64_t)rand() % REDIAL_MS, 0);
}

static const struct ws_client_events events = {handle_opened, handle_text, handle_closed};

void device_dial(struct device *device)
{
    struct fleet *fleet = device->fleet;

    device->stays_away = false;
    device->state = DEVICE_DIALLING;
    device->dialled_ns = uv_hrtime();
    ws_client_connect(&device->ws, fleet->loop, &fleet->plan->nodes[device->client->node],
                      device->client->token);
}

void device_drop(struct device *device)
{
    device->stays_away = true;
    uv_timer_stop(&device->redial);
    ws_client_drop(&device->ws);
}

void device_init(struct device *device, struct fleet *fleet, const struct plan_client *client,
                 struct device_room *rooms, size_t room_count)
{
    *device = (struct device){.fleet = fleet, .client = client, .rooms = rooms};
    device->room_count = room_count;
    ws_client_init(&device->ws, &events);
    uv_timer_init(fleet->loop, &device->redial);
    device->redial.data = device;
}

void device_deinit(struct device *device)
{
    free(device->rooms);
    free(device->flights);
}
