/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be written, and what may be written next */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/list.h"
#include "protocol/uuid.h"

struct write;

enum {
    WRITE_QUEUE_LIMIT = 40000,
    WRITE_REST_MS = 4,      /* a room that another node holds is left alone for so long; */
    WRITE_BUSY_ROUNDS = 15, /* so often, then it is set aside */
    WRITE_ASIDE_MS = 500, /* between two waits in vain; each costs a connection its lock_timeout */
};

/* A set of rooms that has too many in it now and then, never too few: two rooms in 2,048 share a
 * bit. */
struct write_rooms {
    uint64_t bits[32];
};

struct write_queue {
    struct list_node ready;   /* write::link, in the order in which they go */
    struct list_node resting; /* write::link, were busy and go back in front of `ready` */
    struct list_node aside;   /* write::link, of rooms that stay busy */
    size_t count;             /* in the three */
    struct write_rooms in_flight, resting_rooms; /* not to be taken */
    uint64_t rested_ms;                          /* when `resting` goes back */
    uint64_t aside_ms;                           /* when a room that is aside may be tried */
    bool waiting;                                /* one is */
    struct uuid waited;
};

/* Times are clock_now_ms(). Batches are lists of write::link. */

void write_queue_init(struct write_queue *queue);
void write_queue_add(struct write_queue *queue, struct write *write);

/* In front of all, and overdue: the next take_overdue() has it. */
void write_queue_refuse(struct write_queue *queue, struct write *write);

/* Takes one whose deadline has passed, or NULL. */
struct write *write_queue_take_overdue(struct write_queue *queue, uint64_t now_ms);

/* What has rested by now may be taken again, or is aside if it has rested too often. */
void write_queue_end_rest(struct write_queue *queue, uint64_t now_ms);

/* Moves at most `limit` of the oldest to the empty `batch`, all screened by one rule set, none of
 * a room that is in another batch; `rooms` is the batch's until write_queue_settle(). How many. */
size_t write_queue_take(struct write_queue *queue, size_t limit, struct list_node *batch,
                        struct write_rooms *rooms);

/* The batch is no longer on its way, its rooms may be taken again. What is left of it goes
 * first, in order, or rests. */
void write_queue_settle(struct write_queue *queue, struct list_node *left,
                        struct write_rooms *rooms);
void write_queue_settle_busy(struct write_queue *queue, struct list_node *left,
                             struct write_rooms *rooms, uint64_t now_ms);

/* A room that is aside, to be waited for; one at a time. It ends by giving back what is left:
 * before the other rooms that are aside, or after them and after a while. */
size_t write_queue_take_aside(struct write_queue *queue, size_t limit, struct list_node *batch,
                              uint64_t now_ms);
void write_queue_settle_aside(struct write_queue *queue, struct list_node *left);
void write_queue_give_turn(struct write_queue *queue, struct list_node *left, uint64_t now_ms);

/* Sets the rooms aside that were busy for WRITE_BUSY_ROUNDS, each with all that is queued for it.
 */
void write_queue_set_aside(struct write_queue *queue);

/* When to look again though nothing was added or settled: UINT64_MAX = never. */
uint64_t write_queue_due_ms(const struct write_queue *queue);
