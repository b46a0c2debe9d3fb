/* SPDX-License-Identifier: Apache-2.0 */
/* Which other nodes are alive, by their heartbeats. No I/O. */
#pragma once

#include "protocol/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUS_NODES_MAX = 1024,
    BUS_NODE_NAME_BYTES = 255,
    BUS_NODE_SILENT_TICKS = 4, /* ticks without a heartbeat after which a node is lost */
};

struct bus_node {
    struct uuid id;
    unsigned silent_ticks;
    int64_t withheld; /* as its last heartbeat told */
    char name[BUS_NODE_NAME_BYTES + 1];
};

/* Embedded. */
struct bus_nodes {
    struct bus_node *nodes;
    size_t count;
    unsigned alone_ticks; /* without any of them */
};

#define BUS_NODES_NULL ((struct bus_nodes){0})

void bus_nodes_deinit(struct bus_nodes *nodes);

enum bus_nodes_heard {
    BUS_NODES_KNOWN, /* or one more than BUS_NODES_MAX */
    BUS_NODES_NEW,
    BUS_NODES_WITHHELD, /* known, but it has kept frames from us since we last heard it */
};

/* A heartbeat; the name is cut to what fits. `withheld` counts the frames that the node did not
 * publish in its life, as nobody was there. */
enum bus_nodes_heard bus_nodes_hear(struct bus_nodes *nodes, const struct uuid *id,
                                    int64_t withheld, const char *name, size_t length);

/* Borrowed until the next call. NULL: it isn't known. */
const struct bus_node *bus_nodes_find(const struct bus_nodes *nodes, const struct uuid *id);

/* A goodbye. True, and the node in `out`: it was known, and isn't any more. */
bool bus_nodes_leave(struct bus_nodes *nodes, const struct uuid *id, struct bus_node *out);

/* A tick of heartbeats' interval has passed. */
void bus_nodes_tick(struct bus_nodes *nodes);

/* Takes one node out that has been silent for too long. False: there is none. */
bool bus_nodes_take_lost(struct bus_nodes *nodes, struct bus_node *out);

/* No other node was heard for so long that there is none. */
bool bus_nodes_alone(const struct bus_nodes *nodes);

/* Nobody can be heard for a while: all get their full time again. */
void bus_nodes_forgive(struct bus_nodes *nodes);
