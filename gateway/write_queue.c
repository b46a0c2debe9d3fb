/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be written.
 *
 * Any connection takes from the same queue, so none idles while another has a backlog. What keeps
 * a room's messages in order is that a room is in one batch at a time: what is queued for a room
 * that is on its way, or that rests, is passed over. Messages that come back go to the front, where
 * they came from.
 *
 * Rooms are told apart by a bit of their hash: a stranger's room that shares it waits for a batch's
 * time, which is harmless and rare. Rooms that are aside may be waited for much longer; for these
 * the ids are compared. */
#include "gateway/write_queue.h"

#include <string.h>

#include "gateway/writer.h"

enum { LOOK_MAX = 1000 }; /* further back than this, nothing is looked for */

static struct write *write_at(const struct list_node *node)
{
    return container_of(node, struct write, link);
}

/* --- sets of rooms --- */

static unsigned bit_of(const struct uuid *room)
{
    return (unsigned)(uuid_hash(room) % (sizeof(struct write_rooms) * 8));
}

static bool has_room(const struct write_rooms *rooms, unsigned bit)
{
    return rooms->bits[bit / 64] >> bit % 64 & 1;
}

static void add_room(struct write_rooms *rooms, unsigned bit)
{
    rooms->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Moves the rooms of a batch to or from those in flight: no two batches share any. */
static void toggle_in_flight(struct write_queue *queue, const struct write_rooms *rooms)
{
    for (size_t i = 0; i < sizeof(rooms->bits) / sizeof(rooms->bits[0]); i++)
        queue->in_flight.bits[i] ^= rooms->bits[i];
}

static bool holds_room(const struct list_node *list, const struct uuid *room)
{
    LIST_FOREACH (node, list)
        if (uuid_equal(&write_at(node)->message.room, room))
            return true;
    return false;
}

/* --- in --- */

void write_queue_init(struct write_queue *queue)
{
    *queue = (struct write_queue){0};
    list_init(&queue->ready);
    list_init(&queue->resting);
    list_init(&queue->aside);
}

static bool is_aside(const struct write_queue *queue, const struct uuid *room)
{
    return (queue->waiting && uuid_equal(&queue->waited, room)) || holds_room(&queue->aside, room);
}

void write_queue_add(struct write_queue *queue, struct write *write)
{
    bool aside = is_aside(queue, &write->message.room);

    list_append(aside ? &queue->aside : &queue->ready, &write->link);
    queue->count++;
}

void write_queue_refuse(struct write_queue *queue, struct write *write)
{
    write->deadline_ms = 0;
    list_prepend(&queue->ready, &write->link);
    queue->count++;
}

/* Puts `left` in front of `list`, in order. */
static void put_back(struct write_queue *queue, struct list_node *list, struct list_node *left)
{
    while (!list_empty(left)) {
        struct list_node *last = list_last(left);
        list_remove(last);
        list_prepend(list, last);
        queue->count++;
    }
}

static void release_rooms(struct write_queue *queue, struct write_rooms *rooms)
{
    toggle_in_flight(queue, rooms);
    *rooms = (struct write_rooms){0};
}

void write_queue_settle(struct write_queue *queue, struct list_node *left,
                        struct write_rooms *rooms)
{
    release_rooms(queue, rooms);
    put_back(queue, &queue->ready, left);
}

void write_queue_settle_busy(struct write_queue *queue, struct list_node *left,
                             struct write_rooms *rooms, uint64_t now_ms)
{
    release_rooms(queue, rooms);
    if (list_empty(&queue->resting))
        queue->rested_ms = now_ms + WRITE_REST_MS;
    LIST_FOREACH (node, left) {
        add_room(&queue->resting_rooms, bit_of(&write_at(node)->message.room));
        queue->count++;
    }
    list_splice(&queue->resting, left);
}

/* --- out --- */

static struct write *take_out(struct write_queue *queue, struct write *write)
{
    list_remove(&write->link);
    queue->count--;
    return write;
}

struct write *write_queue_take_overdue(struct write_queue *queue, uint64_t now_ms)
{
    /* About in the order of deadlines. */
    struct list_node *first = list_first(&queue->ready);
    if (first && write_at(first)->deadline_ms <= now_ms)
        return take_out(queue, write_at(first));
    LIST_FOREACH (node, &queue->aside)
        if (write_at(node)->deadline_ms <= now_ms)
            return take_out(queue, write_at(node));
    return NULL;
}

void write_queue_end_rest(struct write_queue *queue, uint64_t now_ms)
{
    bool tired = false;

    if (list_empty(&queue->resting) || queue->rested_ms > now_ms)
        return;
    queue->resting_rooms = (struct write_rooms){0};
    while (!list_empty(&queue->resting)) {
        struct list_node *last = list_last(&queue->resting);
        list_remove(last);
        list_prepend(&queue->ready, last);
        tired = tired || write_at(last)->busy_rounds >= WRITE_BUSY_ROUNDS;
    }
    if (tired)
        write_queue_set_aside(queue);
}

static bool may_go(const struct write_queue *queue, unsigned bit)
{
    return !has_room(&queue->in_flight, bit) && !has_room(&queue->resting_rooms, bit);
}

size_t write_queue_take(struct write_queue *queue, size_t limit, struct list_node *batch,
                        struct write_rooms *rooms)
{
    int64_t rule_set = 0;
    size_t count = 0, looked = 0;

    LIST_FOREACH_SAFE (node, &queue->ready) {
        struct write *write = write_at(node);
        unsigned bit = bit_of(&write->message.room);
        if (count == limit || looked++ == LOOK_MAX)
            break;
        if (!may_go(queue, bit))
            continue;
        if (count && write->rule_set != rule_set)
            break;
        rule_set = write->rule_set;
        add_room(rooms, bit);
        list_append(batch, &take_out(queue, write)->link);
        count++;
    }
    toggle_in_flight(queue, rooms);
    return count;
}

/* --- rooms that stay busy --- */

void write_queue_set_aside(struct write_queue *queue)
{
    LIST_FOREACH_SAFE (node, &queue->ready) {
        struct write *write = write_at(node);
        if (write->busy_rounds < WRITE_BUSY_ROUNDS && !is_aside(queue, &write->message.room))
            continue;
        list_remove(node);
        list_append(&queue->aside, node);
    }
}

size_t write_queue_take_aside(struct write_queue *queue, size_t limit, struct list_node *batch,
                              uint64_t now_ms)
{
    size_t count = 0;

    if (queue->waiting || list_empty(&queue->aside) || queue->aside_ms > now_ms)
        return 0;
    int64_t rule_set = write_at(list_first(&queue->aside))->rule_set;
    queue->waiting = true;
    queue->waited = write_at(list_first(&queue->aside))->message.room;
    LIST_FOREACH_SAFE (node, &queue->aside) {
        struct write *write = write_at(node);
        if (!uuid_equal(&write->message.room, &queue->waited))
            continue;
        if (write->rule_set != rule_set || count == limit)
            break;
        list_append(batch, &take_out(queue, write)->link);
        count++;
    }
    return count;
}

void write_queue_settle_aside(struct write_queue *queue, struct list_node *left)
{
    queue->waiting = false;
    put_back(queue, &queue->aside, left);
}

void write_queue_give_turn(struct write_queue *queue, struct list_node *left, uint64_t now_ms)
{
    queue->waiting = false;
    queue->aside_ms = now_ms + WRITE_ASIDE_MS;
    LIST_FOREACH (node, left)
        queue->count++;
    list_splice(&queue->aside, left);
}

uint64_t write_queue_due_ms(const struct write_queue *queue)
{
    uint64_t due_ms = UINT64_MAX;

    if (!list_empty(&queue->resting))
        due_ms = queue->rested_ms;
    if (!list_empty(&queue->aside) && !queue->waiting && queue->aside_ms < due_ms)
        due_ms = queue->aside_ms;
    return due_ms;
}
