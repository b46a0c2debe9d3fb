/* SPDX-License-Identifier: Apache-2.0 */
/* A hashed timer wheel: many coarse timeouts on one uv_timer */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/list.h"

struct timer_wheel;
struct timer_entry;

/* Called on the loop. The entry is no longer armed: it may be armed again, or its owner freed. Any
 * other entry may be armed or cancelled too. */
typedef void (*timer_fn)(struct timer_entry *entry);

/* Embedded in its owner; disarm it before the owner goes. */
struct timer_entry {
    struct list_node link; /* timer_wheel::slots */
    struct timer_wheel *wheel;
    uint64_t due_tick;
    timer_fn fire;
};

/* TIMER_ENTRY_INIT(object.timer) */
#define TIMER_ENTRY_INIT(entry)                                                                    \
    {                                                                                              \
        .link = LIST_INIT((entry).link)                                                            \
    }

void timer_entry_init(struct timer_entry *entry);
bool timer_entry_armed(const struct timer_entry *entry);

/* A wheel of `slots` slots of `slot_ms` each. Delays longer than a turn are fine (their entries are
 * looked at once a turn). The uv_timer runs only while an entry is armed, and keeps the loop alive
 * while it does. */
struct timer_wheel *timer_wheel_new(uv_loop_t *loop, unsigned slot_ms, unsigned slots);

/* No entry may be armed. The memory goes when the loop has closed the uv_timer. Takes NULL, returns
 * NULL. */
struct timer_wheel *timer_wheel_free(struct timer_wheel *wheel);

/* Arms, or re-arms, `entry`: it fires no earlier than `delay_ms` after the loop's present time, and
 * at most about two slots later. O(1). */
void timer_wheel_arm(struct timer_wheel *wheel, struct timer_entry *entry, uint64_t delay_ms,
                     timer_fn fire);

/* Nothing happens if it is not armed. O(1). */
void timer_wheel_cancel(struct timer_entry *entry);
