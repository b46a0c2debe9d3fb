/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows and turns.
 *
 * A contact may be split over messages that come from any device and node, so a message is screened
 * against the sender's last ones in the room. A node keeps them in a window, which is right as long
 * as all of them pass through this node. The write checks that: it names the message that the
 * window had last, and is refused as stale if the room knows another one. Then, and when a write
 * fails or its outcome is unknown, the window is read anew, after the writes under way have ended:
 * whatever named a message that was not written has come back by then, and takes its turn again, in
 * the order in which it first came.
 *
 * What is known of sender and pair is read by the same statement, so a window is also read anew
 * when it is a minute old, between two messages.
 *
 * Windows are found by sender, since what was said in other rooms matters for floods. Those longest
 * unused are dropped; a dropped one costs a read.
 */
#include "gateway/windows.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/screening.h"
#include "gateway/user.h"
#include "gateway/uuid_map.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    FACTS_AGE_MS = 60000,
    WAITING_MAX = 20000, /* turns that wait, together; further ones are run without a window */
};

struct sender {
    struct uuid id;
    struct list_node windows; /* window::of_sender */
};

/* A window's place in the node: who uses it, and whether it may be used. */
struct seat {
    struct window window;
    struct windows *windows;
    struct sender *sender;
    struct uuid room;
    struct list_node idle;    /* windows::idle, while no turn is in it */
    struct list_node waiting; /* turn::link, by ticket */
    size_t under_way;         /* turns that were run and have not ended */
    uint64_t read_ms;
    bool fresh; /* what it holds may be used */
    bool reading;
    bool member; /* the database knows the sender as a member of the room */
};

struct windows {
    struct node *node;
    struct uuid_map senders;
    struct list_node idle; /* seat::idle, longest unused first */
    size_t count;
    size_t waiting;
    uint64_t last_ticket;
    bool closed;
};

/* --- finding, making, dropping --- */

static struct seat *seat_at(struct list_node *of_sender)
{
    return container_of(container_of(of_sender, struct window, of_sender), struct seat, window);
}

static struct seat *find(const struct windows *windows, const struct uuid *room,
                         const struct uuid *sender_id)
{
    struct sender *sender = uuid_map_get(&windows->senders, sender_id);

    if (!sender)
        return NULL;
    LIST_FOREACH (node, &sender->windows)
        if (uuid_equal(&seat_at(node)->room, room))
            return seat_at(node);
    return NULL;
}

static struct sender *sender_of(struct windows *windows, const struct uuid *id)
{
    struct sender *sender = uuid_map_get(&windows->senders, id);

    if (sender)
        return sender;
    sender = xcalloc(1, sizeof(*sender));
    sender->id = *id;
    list_init(&sender->windows);
    uuid_map_put(&windows->senders, id, sender);
    return sender;
}

static struct seat *seat_new(struct windows *windows, const struct uuid *room,
                             const struct uuid *sender)
{
    struct seat *seat = xcalloc(1, sizeof(*seat));

    window_init(&seat->window);
    seat->windows = windows;
    seat->room = *room;
    seat->sender = sender_of(windows, sender);
    list_init(&seat->idle);
    list_init(&seat->waiting);
    list_prepend(&seat->sender->windows, &seat->window.of_sender);
    metrics_set(METRIC_SCREEN_WINDOWS, (double)++windows->count);
    return seat;
}

static void seat_free(struct seat *seat)
{
    struct windows *windows = seat->windows;
    struct sender *sender = seat->sender;

    list_remove(&seat->idle);
    list_remove(&seat->window.of_sender);
    window_deinit(&seat->window);
    free(seat);
    metrics_set(METRIC_SCREEN_WINDOWS, (double)--windows->count);
    if (!list_empty(&sender->windows))
        return;
    uuid_map_remove(&windows->senders, &sender->id);
    free(sender);
}

static void drop_unused(struct windows *windows, size_t limit)
{
    while (windows->count > limit && !list_empty(&windows->idle))
        seat_free(container_of(list_first(&windows->idle), struct seat, idle));
}

/* --- reading --- */

static void read_facts(struct seat *seat, const PGresult *result, int row)
{
    enum column { LAST, ROLE, BOOKED, OFFENCES, EVENTS, CREATED_US };
    const char *name = pg_text(result, row, ROLE, NULL);
    int64_t events = pg_int8(result, row, EVENTS);
    enum user_role role;

    seat->window.facts = (struct window_facts){
        .role = name && user_role_parse(&role, name) ? screening_role(role) : 0,
        .booked = pg_bool(result, row, BOOKED),
        .offences = (uint32_t)pg_int8(result, row, OFFENCES),
        .room_events = events < UINT32_MAX ? (uint32_t)events : UINT32_MAX,
        .created_us = pg_int8(result, row, CREATED_US),
    };
}

/* Rows come newest first. */
static void read_said(struct seat *seat, const PGresult *result)
{
    enum column { ID = 6, OTHER_ROOM, TEXT, AT_US };

    for (int row = PQntuples(result); row-- > 0;) {
        struct screen_trace trace;
        struct uuid id;
        size_t length;
        const char *text = pg_text(result, row, TEXT, &length);
        if (!text)
            continue;
        pg_uuid(result, row, ID, &id);
        screening_trace(seat->windows->node, text, length, pg_int8(result, row, AT_US) / 1000,
                        &trace);
        if (pg_bool(result, row, OTHER_ROOM))
            window_add_other(&seat->window, &id, &trace);
        else
            window_add(&seat->window, &id, &trace);
    }
}

static void read_window(struct seat *seat, const PGresult *result)
{
    window_clear(&seat->window);
    seat->member = PQntuples(result) > 0;
    if (seat->member) {
        read_facts(seat, result, 0);
        read_said(seat, result);
        pg_uuid(result, 0, 0, &seat->window.last); /* after what was added */
    }
    seat->fresh = true;
    seat->read_ms = clock_now_ms();
}

/* --- turns --- */

static void run_without(struct windows *windows, struct turn *turn)
{
    if (list_linked(&turn->link)) {
        list_remove(&turn->link);
        windows->waiting--;
    }
    turn->seat = NULL;
    turn->run(turn, NULL);
}

static void give_up(struct seat *seat)
{
    while (!list_empty(&seat->waiting))
        run_without(seat->windows, container_of(list_first(&seat->waiting), struct turn, link));
}

static void pump(struct seat *seat);

static void handle_read(void *context, const struct pg_reply *reply)
{
    struct seat *seat = context;

    seat->reading = false;
    if (reply->outcome == PG_OK)
        read_window(seat, reply->result);
    else
        give_up(seat);
    if (reply->outcome == PG_REFUSED)
        log_limited(LOG_LEVEL_ERROR, "messages can't be screened: the database refused a statement",
                    LOG_STR("sqlstate", reply->sqlstate), LOG_STR("detail", reply->message));
    pump(seat);
}

static void read_anew(struct seat *seat)
{
    struct pg_params params = PG_PARAMS_INIT;

    seat->reading = true;
    metrics_add(METRIC_SCREEN_WINDOW_READS, 1);
    pg_params_uuid(&params, &seat->room);
    pg_params_uuid(&params, &seat->sender->id);
    pg_params_int4(&params, SCREEN_WINDOW_MAX);
    pg_pool_query(seat->windows->node->pool, &sql_screening_window, &params, handle_read, seat);
}

/* Nobody is in it: it goes to the end of those that may be dropped; of no member's, at once. */
static void rest(struct seat *seat)
{
    struct windows *windows = seat->windows;

    if (!seat->member) {
        seat_free(seat);
        return;
    }
    list_append(&windows->idle, &seat->idle);
    drop_unused(windows, (size_t)windows->node->config->moderation.windows);
}

/* Lets in who waits, or has the window read first. May free the seat. */
static void pump(struct seat *seat)
{
    if (seat->reading)
        return;
    if (!seat->under_way && clock_now_ms() >= seat->read_ms + FACTS_AGE_MS)
        seat->fresh = false;
    while (seat->fresh && !list_empty(&seat->waiting)) {
        struct turn *turn = container_of(list_first(&seat->waiting), struct turn, link);
        list_remove(&turn->link);
        seat->windows->waiting--;
        seat->under_way++;
        turn->run(turn, &seat->window);
    }
    if (seat->under_way)
        return;
    if (list_empty(&seat->waiting))
        rest(seat);
    else
        read_anew(seat);
}

static void wait_in(struct seat *seat, struct turn *turn)
{
    struct list_node *before = seat->waiting.previous;

    while (before != &seat->waiting &&
           container_of(before, struct turn, link)->ticket > turn->ticket)
        before = before->previous;
    list_insert_after(before, &turn->link);
    seat->windows->waiting++;
}

void windows_enter(struct windows *windows, const struct uuid *room, const struct uuid *sender,
                   struct turn *turn, turn_fn run)
{
    *turn = (struct turn){.run = run, .ticket = ++windows->last_ticket};
    list_init(&turn->link);
    if (windows->closed || !windows->node->rules || windows->waiting >= WAITING_MAX) {
        run_without(windows, turn);
        return;
    }
    turn->seat = find(windows, room, sender);
    if (!turn->seat)
        turn->seat = seat_new(windows, room, sender);
    list_remove(&turn->seat->idle);
    wait_in(turn->seat, turn);
    pump(turn->seat);
}

void turn_end(struct turn *turn, enum turn_result result)
{
    struct seat *seat = turn->seat;

    seat->under_way--;
    if (result != TURN_WRITTEN)
        seat->fresh = false;
    if (result != TURN_STALE) {
        turn->seat = NULL;
    } else if (seat->windows->closed) {
        run_without(seat->windows, turn);
    } else {
        turn->rounds++;
        metrics_add(METRIC_RESCREENS, 1);
        wait_in(seat, turn);
    }
    pump(seat);
}

size_t turn_earlier(const struct turn *turn, size_t text_length, int64_t now_ms,
                    struct said out[static SCREEN_WINDOW_MAX])
{
    return window_earlier(&turn->seat->window, &turn->seat->sender->windows, text_length, now_ms,
                          out);
}

/* --- all of them --- */

void windows_moved(struct windows *windows, const struct uuid *room, const struct uuid *sender)
{
    struct seat *seat = find(windows, room, sender);

    if (seat)
        seat->fresh = false;
}

void windows_forget(struct windows *windows)
{
    UUID_MAP_FOREACH (value, &windows->senders) {
        struct sender *sender = value;
        LIST_FOREACH (node, &sender->windows)
            seat_at(node)->fresh = false;
    }
}

struct windows *windows_new(struct node *node)
{
    struct windows *windows = xcalloc(1, sizeof(*windows));

    windows->node = node;
    uuid_map_init(&windows->senders);
    list_init(&windows->idle);
    return windows;
}

void windows_close(struct windows *windows)
{
    windows->closed = true;
    UUID_MAP_FOREACH (value, &windows->senders) {
        struct sender *sender = value;
        LIST_FOREACH (node, &sender->windows)
            give_up(seat_at(node));
    }
}

struct windows *windows_free(struct windows *windows)
{
    if (!windows)
        return NULL;
    drop_unused(windows, 0);
    uuid_map_deinit(&windows->senders);
    free(windows);
    return NULL;
}
