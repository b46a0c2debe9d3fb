/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window.
 *
 * Pieces of a contact count in one room only, so the room's own messages come first: other rooms
 * get the places that are left. A message that is longer than any piece is looked at for floods
 * alone, where it matters what was said elsewhere, so there they have half of the places.
 */
#include "gateway/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"

enum {
    PLACES_FIRST = 4, /* of a new window */
    OTHERS_RESERVED = 8,
    OTHERS_OF_ROOM = 2,
    OTHERS_AGE_MS = 600000, /* as sql/statements/screening_window.sql */
};

void window_init(struct window *window)
{
    *window = (struct window){.said = NULL};
    list_init(&window->of_sender);
}

void window_clear(struct window *window)
{
    window->last = UUID_NIL;
    window->facts = (struct window_facts){.created_us = 0};
    window->said_count = window->other_count = 0;
}

void window_deinit(struct window *window)
{
    assert(!list_linked(&window->of_sender));
    free(window->said);
    free(window->others);
}

void window_add(struct window *window, const struct uuid *message, const struct screen_trace *trace)
{
    if (window->said_count == SCREEN_WINDOW_MAX) {
        memmove(window->said, window->said + 1, (SCREEN_WINDOW_MAX - 1) * sizeof(*window->said));
        window->said_count--;
    } else if (window->said_count == window->said_places) {
        window->said_places = window->said_places ? window->said_places * 2 : PLACES_FIRST;
        window->said = xreallocarray(window->said, window->said_places, sizeof(*window->said));
    }
    window->said[window->said_count++] = (struct said){.message = *message, .trace = *trace};
    window->last = *message;
}

void window_add_other(struct window *window, const struct uuid *message,
                      const struct screen_trace *trace)
{
    if (window->other_count == WINDOW_OTHERS_MAX)
        return;
    if (!window->others)
        window->others = xcalloc(WINDOW_OTHERS_MAX, sizeof(*window->others));
    struct said *said = &window->others[window->other_count++];
    *said = (struct said){.message = *message, .trace = *trace};
    said->trace.other_room = true;
}

static bool holds(const struct said *said, size_t count, const struct uuid *message)
{
    for (size_t i = 0; i < count; i++)
        if (uuid_equal(&said[i].message, message))
            return true;
    return false;
}

/* The last ones that another window holds. */
static size_t take_last(const struct window *other, int64_t since_ms, struct said *out,
                        size_t places)
{
    size_t count = 0;

    for (size_t i = other->said_count; i-- > 0 && count < places && count < OTHERS_OF_ROOM;) {
        if (other->said[i].trace.at_ms < since_ms)
            break;
        out[count] = other->said[i];
        out[count++].trace.other_room = true;
    }
    return count;
}

static size_t take_others(const struct window *window, const struct list_node *of_sender,
                          int64_t since_ms, struct said *out, size_t places)
{
    size_t count = 0;

    LIST_FOREACH (node, of_sender) {
        const struct window *other = container_of(node, struct window, of_sender);
        if (other != window)
            count += take_last(other, since_ms, out + count, places - count);
    }
    for (size_t i = window->other_count; i-- > 0 && count < places;)
        if (window->others[i].trace.at_ms >= since_ms &&
            !holds(out, count, &window->others[i].message))
            out[count++] = window->others[i];
    return count;
}

size_t window_earlier(const struct window *window, const struct list_node *of_sender,
                      size_t text_length, int64_t now_ms, struct said out[static SCREEN_WINDOW_MAX])
{
    size_t own = window->said_count;

    if (text_length > SCREEN_FRAGMENT_BYTES && own > SCREEN_WINDOW_MAX - OTHERS_RESERVED)
        own = SCREEN_WINDOW_MAX - OTHERS_RESERVED;
    size_t others =
        take_others(window, of_sender, now_ms - OTHERS_AGE_MS, out, SCREEN_WINDOW_MAX - own);
    if (own)
        memcpy(out + others, window->said + window->said_count - own, own * sizeof(*out));
    return others + own;
}
