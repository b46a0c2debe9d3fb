/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender said lately in a room, for the next message to be screened against */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/screen.h"
#include "protocol/list.h"
#include "protocol/uuid.h"

/* A message that was screened, as the next ones are screened against it. */
struct said {
    struct uuid message;
    struct screen_trace trace;
};

/* What is known of sender and pair. */
struct window_facts {
    enum screen_role role; /* 0 = unknown */
    bool booked;           /* an active or completed booking ties the two */
    uint32_t offences;     /* blocks that stood */
    uint32_t room_events;  /* delivered or removed in the room */
    int64_t created_us;    /* the room; 0 = unknown */
};

/* Embedded. Its memory grows with what it holds, up to SCREEN_WINDOW_MAX messages of the room and
 * WINDOW_OTHERS_MAX of other rooms. */
enum { WINDOW_OTHERS_MAX = 8 };

struct window {
    struct list_node of_sender; /* the list of all windows of the sender */
    struct uuid last;           /* the message that the next one follows; nil: none yet */
    struct window_facts facts;
    struct said *said; /* oldest first */
    size_t said_count, said_places;
    struct said *others; /* said in other rooms, as read from the database; oldest first */
    size_t other_count;
};

void window_init(struct window *window);
void window_deinit(struct window *window); /* must be on no list */
void window_clear(struct window *window);  /* forgets all that was said, and what is known */

/* A message was screened, and is on its way to be written: the next one follows it. */
void window_add(struct window *window, const struct uuid *message,
                const struct screen_trace *trace);

/* Something said in another room. Beyond WINDOW_OTHERS_MAX it is dropped. */
void window_add_other(struct window *window, const struct uuid *message,
                      const struct screen_trace *trace);

/* Copies what a message of `text_length` bytes is screened against at `now_ms` (unix time), oldest
 * first: what the sender said in other rooms, by the windows on the list `of_sender` and by what
 * was read, then in this one. A message that is too long to be a piece of something leaves more
 * place to the former. Returns how many. */
size_t window_earlier(const struct window *window, const struct list_node *of_sender,
                      size_t text_length, int64_t now_ms,
                      struct said out[static SCREEN_WINDOW_MAX]);
