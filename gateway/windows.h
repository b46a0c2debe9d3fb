/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of this node, and the turns that messages take in them */
#pragma once

#include "gateway/window.h"
#include "protocol/list.h"
#include "protocol/uuid.h"

struct node;
struct seat;
struct turn;
struct windows;

/* The turn has come: screen the message, window_add() it, and have it written; then turn_end(),
 * later from the loop. `window` is NULL where the database could not be read: the message cannot
 * be screened now, the turn is over already, and this may come from inside windows_enter(). */
typedef void (*turn_fn)(struct turn *turn, struct window *window);

/* One message on its way through its window; embedded in its owner. */
struct turn {
    struct list_node link; /* seat::waiting */
    struct seat *seat;     /* from windows_enter() to its end */
    turn_fn run;
    uint64_t ticket;
    unsigned rounds; /* how often it was stale */
};

enum turn_result {
    TURN_WRITTEN, /* the message is the sender's last one there now */
    TURN_STALE,   /* not written: another one was the last. Its turn comes again */
    TURN_OVER,    /* not written, or not known to be */
};

struct windows *windows_new(struct node *node);

/* From now on turns are run without a window, those that wait at once: the database goes. */
void windows_close(struct windows *windows);
struct windows *windows_free(struct windows *windows); /* no turn may be left. Takes NULL */

/* Queues for the window of a sender in a room; turns come in the order of the calls, those that
 * were stale before those that came later. */
void windows_enter(struct windows *windows, const struct uuid *room, const struct uuid *sender,
                   struct turn *turn, turn_fn run);
void turn_end(struct turn *turn, enum turn_result result);

/* What a message is screened against in this turn: window_earlier(). */
size_t turn_earlier(const struct turn *turn, size_t text_length, int64_t now_ms,
                    struct said out[static SCREEN_WINDOW_MAX]);

/* The sender wrote there through another node. */
void windows_moved(struct windows *windows, const struct uuid *room, const struct uuid *sender);

/* The database has another history: all are read anew. */
void windows_forget(struct windows *windows);
