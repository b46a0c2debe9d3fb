/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked lists */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* A list is a ring through its head. The node lives inside the object that is on the list, so
 * linking allocates nothing and unlinking needs no search. A list head names its link in a comment:
 *
 *     struct list_node members; // room_member::link
 *
 * An unlinked node points at itself (after list_init and after list_remove), so removing twice is
 * harmless and list_linked() can be asked at any time. */
struct list_node {
    struct list_node *previous, *next;
};

#define LIST_INIT(node)                                                                            \
    {                                                                                              \
        &(node), &(node)                                                                           \
    }

/* The object of type `type` whose member `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
    ((type *)((char *)(1 ? (pointer) : &((type *)0)->member) - offsetof(type, member)))

static inline void list_init(struct list_node *node)
{
    node->previous = node->next = node;
}

static inline bool list_empty(const struct list_node *list)
{
    return list->next == list;
}

static inline bool list_linked(const struct list_node *node)
{
    return node->next != node;
}

static inline void list_insert_after(struct list_node *place, struct list_node *node)
{
    assert(!list_linked(node));
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

static inline void list_append(struct list_node *list, struct list_node *node)
{
    list_insert_after(list->previous, node);
}

static inline void list_prepend(struct list_node *list, struct list_node *node)
{
    list_insert_after(list, node);
}

static inline void list_remove(struct list_node *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* Moves every node of `source` to the end of `list`, in order; `source` is empty afterwards. */
static inline void list_splice(struct list_node *list, struct list_node *source)
{
    if (list_empty(source))
        return;
    source->next->previous = list->previous;
    source->previous->next = list;
    list->previous->next = source->next;
    list->previous = source->previous;
    list_init(source);
}

/* The first or last node, NULL if the list is empty. */
static inline struct list_node *list_first(const struct list_node *list)
{
    return list_empty(list) ? NULL : list->next;
}

static inline struct list_node *list_last(const struct list_node *list)
{
    return list_empty(list) ? NULL : list->previous;
}

/* for (each node of the list); the body must not remove a node. */
#define LIST_FOREACH(node, list)                                                                   \
    for (struct list_node *node = (list)->next; node != (list); node = node->next)

/* The same; the body may remove (and free) the present node, but no other. */
#define LIST_FOREACH_SAFE(node, list)                                                              \
    for (struct list_node *node = (list)->next, *node##_next = node->next; node != (list);         \
         node = node##_next, node##_next = node->next)
