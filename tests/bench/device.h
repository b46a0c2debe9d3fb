/* SPDX-License-Identifier: Apache-2.0 */
/* One device of one user, as chatgate.v1 wants it: hello, cursors, sends, resumes */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/uuid.h"
#include "tests/bench/ws_client.h"

struct fleet;
struct match;
struct plan_client;

enum device_state { DEVICE_AWAY, DEVICE_DIALLING, DEVICE_RESUMING, DEVICE_LIVE };

enum { DEVICE_TIME_BYTES = 40, DEVICE_TEXT_BYTES_MAX = 4000 };

/* A room as this device sees it. */
struct device_room {
    struct uuid id;
    struct match *match;
    int64_t cursor;
};

/* A send that waits for its answer. */
struct flight {
    int64_t id; /* 0: free */
    uint64_t sent_ns;
    struct device_room *room;
};

/* Embedded in its fleet. */
struct device {
    struct ws_client ws;
    uv_timer_t redial;
    struct fleet *fleet;
    const struct plan_client *client;
    struct device_room *rooms; /* sorted by id */
    size_t room_count;
    struct flight *flights; /* by id; capacity is a power of two */
    size_t flight_capacity, in_flight;
    int64_t last_id;
    uint64_t dialled_ns;
    enum device_state state;
    bool sends;      /* in some room */
    bool stays_away; /* closed because it was told to, and not to come back */
    char own_since[DEVICE_TIME_BYTES];
};

/* `rooms` are taken over. */
void device_init(struct device *device, struct fleet *fleet, const struct plan_client *client,
                 struct device_room *rooms, size_t room_count);
void device_deinit(struct device *device);

/* Connects with its cursors. Lost connections are dialled again after a moment, as the protocol
 * asks for, until device_drop(). */
void device_dial(struct device *device);

/* Goes away as a lost network does. */
void device_drop(struct device *device);

void device_send(struct device *device, struct device_room *room, size_t text_bytes);

struct device_room *device_room(const struct device *device, const struct uuid *id);
