/* SPDX-License-Identifier: Apache-2.0 */
/* Which other nodes are alive, by their heartbeats.
 *
 * Time is counted in ticks of our own timer and not by the clock. If our loop stalls, the others'
 * heartbeats wait in the socket while the clock goes on; the timer ticks once.
 */

#include "gateway/bus_nodes.h"

#include "protocol/xalloc.h"

#include <stdlib.h>
#include <string.h>

void bus_nodes_deinit(struct bus_nodes *nodes)
{
    free(nodes->nodes);
    *nodes = BUS_NODES_NULL;
}

static struct bus_node *find(const struct bus_nodes *nodes, const struct uuid *id)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (uuid_equal(&nodes->nodes[i].id, id))
            return &nodes->nodes[i];
    return NULL;
}

static void take_out(struct bus_nodes *nodes, struct bus_node *node, struct bus_node *out)
{
    *out = *node;
    *node = nodes->nodes[--nodes->count];
}

static enum bus_nodes_heard hear_again(struct bus_node *node, int64_t withheld)
{
    bool more = withheld != node->withheld;

    node->silent_ticks = 0;
    node->withheld = withheld;
    return more ? BUS_NODES_WITHHELD : BUS_NODES_KNOWN;
}

enum bus_nodes_heard bus_nodes_hear(struct bus_nodes *nodes, const struct uuid *id,
                                    int64_t withheld, const char *name, size_t length)
{
    struct bus_node *node = find(nodes, id);

    if (node)
        return hear_again(node, withheld);
    if (nodes->count == BUS_NODES_MAX)
        return BUS_NODES_KNOWN;
    nodes->nodes = xreallocarray(nodes->nodes, nodes->count + 1, sizeof(*nodes->nodes));
    node = &nodes->nodes[nodes->count++];
    *node = (struct bus_node){.id = *id, .withheld = withheld};
    if (length > BUS_NODE_NAME_BYTES)
        length = BUS_NODE_NAME_BYTES;
    memcpy(node->name, name, length);
    return BUS_NODES_NEW;
}

bool bus_nodes_leave(struct bus_nodes *nodes, const struct uuid *id, struct bus_node *out)
{
    struct bus_node *node = find(nodes, id);

    if (!node)
        return false;
    take_out(nodes, node, out);
    return true;
}

void bus_nodes_tick(struct bus_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        nodes->nodes[i].silent_ticks++;
    nodes->alone_ticks = nodes->count ? 0 : nodes->alone_ticks + 1;
}

bool bus_nodes_take_lost(struct bus_nodes *nodes, struct bus_node *out)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (nodes->nodes[i].silent_ticks >= BUS_NODE_SILENT_TICKS) {
            take_out(nodes, &nodes->nodes[i], out);
            return true;
        }
    }
    return false;
}

const struct bus_node *bus_nodes_find(const struct bus_nodes *nodes, const struct uuid *id)
{
    return find(nodes, id);
}

void bus_nodes_forgive(struct bus_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        nodes->nodes[i].silent_ticks = 0;
    nodes->alone_ticks = 0;
}

bool bus_nodes_alone(const struct bus_nodes *nodes)
{
    return nodes->count == 0 && nodes->alone_ticks >= BUS_NODE_SILENT_TICKS;
}
