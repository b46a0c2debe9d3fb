/* SPDX-License-Identifier: Apache-2.0 */
/* A hashed timer wheel
 *
 * A gateway has two timeouts for each of its connections, and nearly all of them are cancelled or
 * pushed back before they fire. A heap of timers pays log n for each such change; the wheel pays a
 * list operation (Varghese and Lauck, 1987, scheme 6). The price is precision: an entry fires at
 * the first tick at or after its time.
 *
 * Time is counted in ticks of slot_ms since the wheel was made. An entry lies in slot
 * due_tick modulo the number of slots; entries for a later turn lie there too and are passed over.
 * A tick takes its slot's list away before it fires anything, so that a callback may arm and cancel
 * whatever it likes: a cancelled entry just leaves the list that it is on, and an armed one goes to
 * a tick that is still to come. */
#include "gateway/timer_wheel.h"

#include <assert.h>
#include <stdlib.h>

#include "protocol/xalloc.h"

struct timer_wheel {
    uv_timer_t timer;
    uint64_t origin_ms; /* uv_now() at tick 0 */
    uint64_t tick;      /* the last one that was worked off */
    unsigned slot_ms;
    unsigned slot_count;
    size_t armed;
    struct list_node slots[]; /* timer_entry::link */
};

static uint64_t tick_now(const struct timer_wheel *wheel)
{
    return (uv_now(wheel->timer.loop) - wheel->origin_ms) / wheel->slot_ms;
}

static struct list_node *slot_of(struct timer_wheel *wheel, uint64_t tick)
{
    return &wheel->slots[tick % wheel->slot_count];
}

static void detach(struct timer_entry *entry)
{
    list_remove(&entry->link);
    entry->wheel->armed--;
    entry->wheel = NULL;
}

static void fire_slot(struct timer_wheel *wheel, uint64_t tick)
{
    struct list_node *slot = slot_of(wheel, tick);
    struct list_node taken = LIST_INIT(taken);
    struct list_node *node;

    list_splice(&taken, slot);
    while ((node = list_first(&taken)) != NULL) {
        struct timer_entry *entry = container_of(node, struct timer_entry, link);

        if (entry->due_tick > wheel->tick) {
            list_remove(&entry->link);
            list_append(slot, &entry->link);
            continue;
        }
        detach(entry);
        entry->fire(entry);
    }
}

/* After a long stall one turn visits every slot, so the rest of the missed ticks is skipped. */
static void handle_tick(uv_timer_t *timer)
{
    struct timer_wheel *wheel = container_of(timer, struct timer_wheel, timer);
    uint64_t first = wheel->tick + 1, last = tick_now(wheel);

    wheel->tick = last;
    if (last >= first + wheel->slot_count)
        first = last - wheel->slot_count + 1;
    for (uint64_t tick = first; tick <= last; tick++)
        fire_slot(wheel, tick);
    if (wheel->armed == 0)
        uv_timer_stop(timer);
}

void timer_entry_init(struct timer_entry *entry)
{
    *entry = (struct timer_entry)TIMER_ENTRY_INIT(*entry);
}

bool timer_entry_armed(const struct timer_entry *entry)
{
    return entry->wheel != NULL;
}

struct timer_wheel *timer_wheel_new(uv_loop_t *loop, unsigned slot_ms, unsigned slots)
{
    struct timer_wheel *wheel = xcalloc(1, sizeof(*wheel) + slots * sizeof(wheel->slots[0]));

    assert(slot_ms > 0 && slots > 0);
    wheel->origin_ms = uv_now(loop);
    wheel->slot_ms = slot_ms;
    wheel->slot_count = slots;
    for (unsigned i = 0; i < slots; i++)
        list_init(&wheel->slots[i]);
    uv_timer_init(loop, &wheel->timer);
    return wheel;
}

static void handle_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)handle, struct timer_wheel, timer));
}

struct timer_wheel *timer_wheel_free(struct timer_wheel *wheel)
{
    if (!wheel)
        return NULL;
    assert(wheel->armed == 0);
    uv_close((uv_handle_t *)&wheel->timer, handle_closed);
    return NULL;
}

/* The timer was stopped while nothing was armed: the ticks that passed meanwhile held nothing. */
static void start(struct timer_wheel *wheel)
{
    wheel->tick = tick_now(wheel);
    uv_timer_start(&wheel->timer, handle_tick, wheel->slot_ms, wheel->slot_ms);
}

void timer_wheel_arm(struct timer_wheel *wheel, struct timer_entry *entry, uint64_t delay_ms,
                     timer_fn fire)
{
    uint64_t due_ms = uv_now(wheel->timer.loop) - wheel->origin_ms + delay_ms;

    timer_wheel_cancel(entry);
    if (!uv_is_active((uv_handle_t *)&wheel->timer))
        start(wheel);
    entry->due_tick = (due_ms + wheel->slot_ms - 1) / wheel->slot_ms;
    if (entry->due_tick <= wheel->tick)
        entry->due_tick = wheel->tick + 1;
    entry->fire = fire;
    entry->wheel = wheel;
    wheel->armed++;
    list_append(slot_of(wheel, entry->due_tick), &entry->link);
}

void timer_wheel_cancel(struct timer_entry *entry)
{
    if (timer_entry_armed(entry))
        detach(entry);
}
