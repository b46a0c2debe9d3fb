/* SPDX-License-Identifier: Apache-2.0 */
/* Which other nodes are alive, by their heartbeats. No I/O. */
#pragma once

#include "protocol/uuid.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BUS_NODES_MAX = 1024,
    BUS_NODE_NAME_BYTES = 255,
    BUS_NODE_SILENT_TICKS = 4, /* ticks without a heartbeat after which a node is lost */
};

struct bus_node {
    struct uuid id;
    unsigned silent_ticks;
    char name[BUS_NODE_NAME_BYTES + 1];
};

/* Embedded. */
struct bus_nodes {
    struct bus_node *nodes;
    size_t count;
};

#define BUS_NODES_NULL ((struct bus_nodes){0})

void bus_nodes_deinit(struct bus_nodes *nodes);

/* A heartbeat; the name is cut to what fits. True: a new node. */
bool bus_nodes_hear(struct bus_nodes *nodes, const struct uuid *id, const char *name,
                    size_t length);

/* A goodbye. True, and the node in `out`: it was known, and isn't any more. */
bool bus_nodes_leave(struct bus_nodes *nodes, const struct uuid *id, struct bus_node *out);

/* A tick of heartbeats' interval has passed. */
void bus_nodes_tick(struct bus_nodes *nodes);

/* Takes one node out that has been silent for too long. False: there is none. */
bool bus_nodes_take_lost(struct bus_nodes *nodes, struct bus_node *out);

/* Nobody could be heard for a while: all get their full time again. */
void bus_nodes_forgive(struct bus_nodes *nodes);
