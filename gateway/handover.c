/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking over.
 *
 * What libwebsockets does to take a socket over and upgrade it is the dearest step of a handshake.
 * When thousands come back at once their handshakes end within one turn of the loop, and libuv
 * calls what ends them in one go, without a look at any socket in between: those who talk would
 * wait for all of them. So they queue here, and each turn takes a few. The idle handle keeps the
 * loop from sleeping while any are left.
 */
#include "gateway/handover.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/connection.h"
#include "gateway/node.h"
#include "gateway/transport.h"
#include "protocol/list.h"
#include "protocol/xalloc.h"

enum { A_TURN = 64 };

struct arrival {
    struct list_node link; /* handover::arrivals */
    struct connection *connection;
    int fd;
    char *received;
    size_t length;
};

struct handover {
    struct node *node;
    struct list_node arrivals; /* arrival::link */
    uv_idle_t idle;
    bool closed;
};

static struct arrival *take_first(struct handover *handover)
{
    struct arrival *arrival = container_of(list_first(&handover->arrivals), struct arrival, link);

    list_remove(&arrival->link);
    return arrival;
}

static void free_arrival(struct arrival *arrival)
{
    free(arrival->received);
    free(arrival);
}

static void handle_idle(uv_idle_t *idle)
{
    struct handover *handover = idle->data;

    for (int i = 0; i < A_TURN && !list_empty(&handover->arrivals); i++) {
        struct arrival *arrival = take_first(handover);

        transport_adopt(handover->node->transport, arrival->connection, arrival->fd,
                        arrival->received, arrival->length);
        free_arrival(arrival);
    }
    if (list_empty(&handover->arrivals))
        uv_idle_stop(idle);
}

static void drop(struct arrival *arrival)
{
    connection_free(arrival->connection);
    close(arrival->fd);
    free_arrival(arrival);
}

void handover_add(struct handover *handover, struct connection *connection, int fd, char *received,
                  size_t length)
{
    struct arrival *arrival = xcalloc(1, sizeof(*arrival));

    *arrival = (struct arrival){
        .connection = connection, .fd = fd, .received = received, .length = length};
    list_init(&arrival->link);
    if (handover->closed) {
        drop(arrival);
        return;
    }
    list_append(&handover->arrivals, &arrival->link);
    uv_idle_start(&handover->idle, handle_idle);
}

struct handover *handover_new(struct node *node)
{
    struct handover *handover = xcalloc(1, sizeof(*handover));

    handover->node = node;
    list_init(&handover->arrivals);
    uv_idle_init(node->loop, &handover->idle);
    handover->idle.data = handover;
    return handover;
}

void handover_close(struct handover *handover)
{
    if (!handover)
        return;
    handover->closed = true;
    while (!list_empty(&handover->arrivals))
        drop(take_first(handover));
    uv_close((uv_handle_t *)&handover->idle, NULL);
}

struct handover *handover_free(struct handover *handover)
{
    free(handover);
    return NULL;
}
