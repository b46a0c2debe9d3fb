/* SPDX-License-Identifier: Apache-2.0 */
/* The connection object's life; its writing and closing are the transport's */
#include "gateway/connection.h"

#include <stdlib.h>

#include "gateway/address.h"
#include "gateway/http.h"
#include "gateway/inbound.h"
#include "gateway/node.h"
#include "gateway/session.h"
#include "protocol/xalloc.h"

struct connection *connection_new(struct node *node)
{
    struct connection *connection = xcalloc(1, sizeof(*connection));

    connection->node = node;
    list_init(&connection->dirty);
    node->connection_count++;
    return connection;
}

size_t connection_enter_address(struct connection *connection)
{
    struct address_counts *counts = &connection->node->addresses;

    connection->counted = true;
    address_enter(counts, &connection->address);
    return address_count(counts, &connection->address);
}

struct connection *connection_free(struct connection *connection)
{
    if (!connection)
        return NULL;
    http_handle_closed(connection);
    connection->session = session_free(connection->session);
    connection->inbound = inbound_free(connection->inbound);
    if (connection->counted)
        address_leave(&connection->node->addresses, &connection->address);
    list_remove(&connection->dirty);
    free(connection->grant);
    connection->node->connection_count--;
    free(connection);
    return NULL;
}
