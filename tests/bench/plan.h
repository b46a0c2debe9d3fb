/* SPDX-License-Identifier: Apache-2.0 */
/* Who connects where and talks in which rooms, as the runner wrote it down
 *
 *     node 127.0.0.1:8080
 *     client NODE USER TOKEN              NODE: index of a node line
 *     room UUID HEAD SENDERS CLIENT...    CLIENT: index of a client line; the first SENDERS of them
 *                                         send there
 *
 * HEAD is the last number handed out in the room. Blank lines and lines that begin with # say
 * nothing. */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/uuid.h"

struct plan_client {
    size_t node;
    struct uuid user;
    char *token;
};

struct plan_room {
    struct uuid id;
    int64_t head;
    size_t sender_count, client_count;
    size_t *clients;
};

/* Embedded. */
struct plan {
    struct sockaddr_in *nodes;
    struct plan_client *clients;
    struct plan_room *rooms;
    size_t node_count, client_count, room_count;
};

/* Reads a plan. Returns 0, -errno, or the number of the first line that is wrong. */
int plan_read(struct plan *plan, const char *path);
void plan_deinit(struct plan *plan);
