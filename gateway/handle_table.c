/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: an array of slots with a free list through it. Slot 0 is never given out. */
#include "gateway/handle_table.h"

#include <assert.h>
#include <stdlib.h>

#include "protocol/xalloc.h"

enum { NO_SLOT = 0, FIRST_CAPACITY = 64 };

void handle_table_init(struct handle_table *table)
{
    *table = (struct handle_table){0};
}

void handle_table_deinit(struct handle_table *table)
{
    assert(!table->used);
    free(table->slots);
    *table = (struct handle_table){0};
}

static void grow(struct handle_table *table)
{
    size_t old = table->capacity, capacity = old ? old * 2 : FIRST_CAPACITY;

    table->slots = xreallocarray(table->slots, capacity, sizeof(*table->slots));
    table->capacity = capacity;
    for (size_t i = capacity - 1; i >= (old ? old : 1); i--) {
        table->slots[i] = (struct handle_slot){.generation = 1, .next_free = table->first_free};
        table->first_free = (uint32_t)i;
    }
    if (!old)
        table->slots[NO_SLOT] = (struct handle_slot){0};
}

struct handle handle_add(struct handle_table *table, void *object)
{
    if (table->first_free == NO_SLOT)
        grow(table);
    uint32_t index = table->first_free;
    struct handle_slot *slot = &table->slots[index];
    table->first_free = slot->next_free;
    slot->object = object;
    table->used++;
    return (struct handle){.slot = index, .generation = slot->generation};
}

void *handle_get(const struct handle_table *table, struct handle handle)
{
    if (!handle.slot || handle.slot >= table->capacity)
        return NULL;
    const struct handle_slot *slot = &table->slots[handle.slot];
    return slot->generation == handle.generation ? slot->object : NULL;
}

void handle_remove(struct handle_table *table, struct handle handle)
{
    assert(handle_get(table, handle));
    struct handle_slot *slot = &table->slots[handle.slot];
    slot->object = NULL;
    slot->generation++;
    slot->next_free = table->first_free;
    table->first_free = handle.slot;
    table->used--;
}

void *handle_next(const struct handle_table *table, size_t *cursor)
{
    while (++*cursor < table->capacity)
        if (table->slots[*cursor].object)
            return table->slots[*cursor].object;
    return NULL;
}
