/* SPDX-License-Identifier: Apache-2.0 */
/* Handles to objects that may die while an asynchronous answer is on its way */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slot and the generation it had. The zero handle names nothing. */
struct handle {
    uint32_t slot, generation;
};

/* Slots are used again, generations never (until 2^32 uses of one slot). Embedded by its owner. */
struct handle_table {
    struct handle_slot {
        void *object; /* NULL = free, then `generation` is the next one and `next_free` links */
        uint32_t generation, next_free;
    } * slots;
    size_t capacity, used;
    uint32_t first_free;
};

void handle_table_init(struct handle_table *table);
void handle_table_deinit(struct handle_table *table); /* asserts that it is empty */

struct handle handle_add(struct handle_table *table, void *object);
void *handle_get(const struct handle_table *table, struct handle handle); /* NULL if it is gone */
void handle_remove(struct handle_table *table, struct handle handle);

/* Steps through the live objects; `*cursor` starts as 0. NULL at the end. Objects may be removed
 * and added meanwhile; one that is added may or may not be seen. */
void *handle_next(const struct handle_table *table, size_t *cursor);
