/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressing hash map from UUIDs to pointers
 *
 * Key and value lie together in one array and collisions go to the next slot, so that a look-up
 * costs one cache miss as a rule. A removed entry leaves a mark behind (unless its run of entries
 * ends there anyway), so that nothing moves: removal while iterating is safe, and the usual sweep
 * "close every session of this kind" needs no list of its own. Marks are counted as used and go
 * when the array is rebuilt, which may make it smaller too. */
#include "gateway/uuid_map.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "protocol/xalloc.h"

enum { MIN_CAPACITY = 16 };

struct uuid_map_slot {
    struct uuid key;
    void *value; /* NULL: free; REMOVED: a mark; else an entry */
};

static char removed_mark;
#define REMOVED ((void *)&removed_mark)

static bool slot_holds_entry(const struct uuid_map_slot *slot)
{
    return slot->value != NULL && slot->value != REMOVED;
}

static size_t home_of(const struct uuid_map *map, const struct uuid *key)
{
    return (size_t)uuid_hash(key) & (map->capacity - 1);
}

static size_t next_of(const struct uuid_map *map, size_t i)
{
    return (i + 1) & (map->capacity - 1);
}

static struct uuid_map_slot *find(const struct uuid_map *map, const struct uuid *key)
{
    if (map->count == 0)
        return NULL;
    for (size_t i = home_of(map, key); map->slots[i].value != NULL; i = next_of(map, i)) {
        struct uuid_map_slot *slot = &map->slots[i];

        if (slot->value != REMOVED && uuid_equal(&slot->key, key))
            return slot;
    }
    return NULL;
}

/* `key` is not in the map, and there is a free slot. */
static void insert_new(struct uuid_map *map, const struct uuid *key, void *value)
{
    size_t i = home_of(map, key);

    while (slot_holds_entry(&map->slots[i]))
        i = next_of(map, i);
    if (map->slots[i].value == NULL)
        map->used++;
    map->slots[i] = (struct uuid_map_slot){.key = *key, .value = value};
    map->count++;
}

static void rebuild(struct uuid_map *map, size_t capacity)
{
    struct uuid_map old = *map;

    map->slots = xcalloc(capacity, sizeof(*map->slots));
    map->capacity = capacity;
    map->count = map->used = 0;
    for (size_t i = 0; i < old.capacity; i++)
        if (slot_holds_entry(&old.slots[i]))
            insert_new(map, &old.slots[i].key, old.slots[i].value);
    free(old.slots);
}

/* Rebuilt at half full, so that at least a quarter of the array is filled before the next time. */
static void reserve_one(struct uuid_map *map)
{
    size_t capacity = MIN_CAPACITY;

    if (map->used < map->capacity / 4 * 3)
        return;
    while (capacity / 2 < map->count + 1)
        capacity *= 2;
    rebuild(map, capacity);
}

void uuid_map_init(struct uuid_map *map)
{
    *map = (struct uuid_map)UUID_MAP_INIT;
}

void uuid_map_deinit(struct uuid_map *map)
{
    assert(map->count == 0);
    free(map->slots);
    uuid_map_init(map);
}

void *uuid_map_get(const struct uuid_map *map, const struct uuid *key)
{
    const struct uuid_map_slot *slot = find(map, key);

    return slot ? slot->value : NULL;
}

void *uuid_map_put(struct uuid_map *map, const struct uuid *key, void *value)
{
    struct uuid_map_slot *slot = find(map, key);

    assert(value != NULL);
    if (slot) {
        void *old = slot->value;

        slot->value = value;
        return old;
    }
    reserve_one(map);
    insert_new(map, key, value);
    return NULL;
}

/* Marks at the end of a run are not needed: nobody searches past them. */
static void trim_marks(struct uuid_map *map, size_t i)
{
    if (map->slots[next_of(map, i)].value != NULL)
        return;
    while (map->slots[i].value == REMOVED) {
        map->slots[i].value = NULL;
        map->used--;
        i = (i - 1) & (map->capacity - 1);
    }
}

void *uuid_map_remove(struct uuid_map *map, const struct uuid *key)
{
    struct uuid_map_slot *slot = find(map, key);
    void *value;

    if (!slot)
        return NULL;
    value = slot->value;
    slot->value = REMOVED;
    map->count--;
    trim_marks(map, (size_t)(slot - map->slots));
    return value;
}

void *uuid_map_next(const struct uuid_map *map, size_t *position, struct uuid *key)
{
    while (*position < map->capacity) {
        const struct uuid_map_slot *slot = &map->slots[(*position)++];

        if (!slot_holds_entry(slot))
            continue;
        if (key)
            *key = slot->key;
        return slot->value;
    }
    return NULL;
}
