/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages come whole most of the time and then are never copied. Only one that is longer than the
 * library's small receive buffer, or that the client fragments, is gathered here.
 */
#include "gateway/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/node.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "protocol/list.h"
#include "protocol/xalloc.h"

enum {
    FRAGMENTS_MAX = 256, /* of one message; browsers send one, libraries a handful */
    STALL_TIMEOUT_MS = 10000,
};

struct inbound {
    struct connection *connection;
    struct timer_entry deadline; /* for the whole message */
    size_t length, capacity;
    unsigned fragments;
    char *data;
};

static void handle_stall(struct timer_entry *entry)
{
    struct inbound *inbound = container_of(entry, struct inbound, deadline);
    session_close(inbound->connection->session, CLOSE_POLICY, 0);
}

static struct inbound *inbound_new(struct connection *connection)
{
    struct inbound *inbound = xcalloc(1, sizeof(*inbound));
    inbound->connection = connection;
    timer_entry_init(&inbound->deadline);
    timer_wheel_arm(connection->node->wheel, &inbound->deadline, STALL_TIMEOUT_MS, handle_stall);
    return inbound;
}

struct inbound *inbound_free(struct inbound *inbound)
{
    if (!inbound)
        return NULL;
    timer_wheel_cancel(&inbound->deadline);
    free(inbound->data);
    free(inbound);
    return NULL;
}

static void append(struct inbound *inbound, const struct inbound_piece *piece)
{
    size_t needed = inbound->length + piece->length;

    if (needed > inbound->capacity) {
        size_t whole = needed + piece->rest_of_frame;
        inbound->data = xrealloc(inbound->data, whole);
        inbound->capacity = whole;
    }
    if (piece->length)
        memcpy(inbound->data + inbound->length, piece->data, piece->length);
    inbound->length = needed;
}

/* 0, or the code to close with. */
static int check(const struct connection *connection, const struct inbound_piece *piece)
{
    const struct inbound *inbound = connection->inbound;
    size_t before = inbound ? inbound->length : 0;
    size_t limit = (size_t)connection->node->config->limits.frame_bytes;

    if (piece->binary)
        return CLOSE_UNSUPPORTED_DATA;
    if (piece->rest_of_frame > limit || before + piece->length + piece->rest_of_frame > limit)
        return CLOSE_TOO_BIG;
    if (inbound && inbound->fragments >= FRAGMENTS_MAX)
        return CLOSE_POLICY;
    return 0;
}

void inbound_receive(struct connection *connection, const struct inbound_piece *piece)
{
    struct session *session = connection->session;
    bool complete = piece->final && !piece->rest_of_frame;
    int code = check(connection, piece);

    session_heard(session);
    if (code) {
        session_close(session, (enum close_code)code, 0);
        return;
    }
    if (complete && !connection->inbound) {
        session_receive(session, piece->data, piece->length);
        return;
    }
    if (!connection->inbound)
        connection->inbound = inbound_new(connection);
    append(connection->inbound, piece);
    if (!piece->rest_of_frame)
        connection->inbound->fragments++;
    if (!complete)
        return;
    struct inbound *inbound = connection->inbound;
    connection->inbound = NULL;
    session_receive(session, inbound->data, inbound->length);
    inbound_free(inbound);
}
