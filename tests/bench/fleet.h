/* SPDX-License-Identifier: Apache-2.0 */
/* All devices of a run: who dials, who talks, and whether everything arrived */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/json_writer.h"
#include "tests/bench/device.h"
#include "tests/bench/match.h"

struct plan;
struct tally;

enum { FLEET_EPOCH_BYTES = 201 };

/* Embedded. */
struct fleet {
    uv_loop_t *loop;
    const struct plan *plan;
    struct tally *tally;
    struct device *devices; /* one a client of the plan */
    struct match *matches;  /* one a room of the plan */
    struct fleet_sender {
        struct device *device;
        struct device_room *room;
    } * senders;
    size_t device_count, sender_count;
    size_t next_dial, last_dial;
    size_t dialling, live; /* dialling: on the way to live */
    size_t window;         /* of dials under way at once */
    size_t next_sender;
    struct json_writer json;
    char epoch[FLEET_EPOCH_BYTES];
    uint64_t first_dial_ns;
};

/* `plan` and `tally` outlive it. */
void fleet_init(struct fleet *fleet, uv_loop_t *loop, const struct plan *plan, struct tally *tally);
void fleet_deinit(struct fleet *fleet);

/* Dials the first `count` devices, those of them who are away, `window` at once. */
void fleet_dial(struct fleet *fleet, size_t count, size_t window);

/* Drops everyone who sends nowhere: the herd. */
void fleet_drop_listeners(struct fleet *fleet);

/* Drops everyone; the loop can end then. */
void fleet_drop_all(struct fleet *fleet);

/* The next sender, in turn, sends a message. */
void fleet_send_next(struct fleet *fleet, size_t text_bytes);

/* Sends without an answer, and numbers that acks have told of but that some live device has not
 * seen. */
size_t fleet_unanswered(const struct fleet *fleet);
uint64_t fleet_missing(const struct fleet *fleet);

/* --- for the devices --- */

void fleet_device_live(struct fleet *fleet);

/* A live one lost its connection. One that comes back by itself dials on its own. */
void fleet_device_gone(struct fleet *fleet, bool comes_back);
