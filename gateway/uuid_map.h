/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressing hash map from UUIDs to pointers */
#pragma once

#include <stddef.h>

#include "protocol/uuid.h"

struct uuid_map_slot;

/* Embedded; 24 bytes a slot, at most three quarters full. Holds borrowed pointers, never NULL. */
struct uuid_map {
    struct uuid_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    size_t used; /* slots that ever held something: count and the removed */
};

#define UUID_MAP_INIT                                                                              \
    {                                                                                              \
        0                                                                                          \
    }

void uuid_map_init(struct uuid_map *map);

/* The map must be empty (assert), so that nobody's pointer is dropped silently. */
void uuid_map_deinit(struct uuid_map *map);

static inline size_t uuid_map_count(const struct uuid_map *map)
{
    return map->count;
}

/* The value of `key`, or NULL. */
void *uuid_map_get(const struct uuid_map *map, const struct uuid *key);

/* Sets the value of `key`; returns the value that it had before, or NULL. */
void *uuid_map_put(struct uuid_map *map, const struct uuid *key, void *value);

/* Takes `key` out; returns its value, or NULL. Safe for any key while iterating. */
void *uuid_map_remove(struct uuid_map *map, const struct uuid *key);

/* Iteration in no order: start with `position` 0, call until NULL. Any key may be removed meanwhile
 * (a removed one does not come any more), none may be put. `key` may be NULL. */
void *uuid_map_next(const struct uuid_map *map, size_t *position, struct uuid *key);

/* for (each value of the map, as void *) */
#define UUID_MAP_FOREACH(value, map)                                                               \
    for (size_t value##_position = 0, value##_once = 1; value##_once; value##_once = 0)            \
        for (void *value; (value = uuid_map_next((map), &value##_position, NULL)) != NULL;)
