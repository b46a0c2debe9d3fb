/* SPDX-License-Identifier: Apache-2.0 */
/* What one running gateway process consists of */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/address.h"
#include "gateway/admission.h"
#include "gateway/handle_table.h"
#include "gateway/pg_fence.h"
#include "protocol/json_writer.h"
#include "protocol/list.h"
#include "protocol/uuid.h"

struct access_watch;
struct bus;
struct config;
struct config_sources;
struct handover;
struct head_check;
struct jwt_keys;
struct listener;
struct login;
struct moderators;
struct own_sweep;
struct pg_conn;
struct pg_pool;
struct rate_table;
struct text_hasher;
struct presence;
struct room_watch;
struct rooms;
struct rule_ceiling;
struct rule_set;
struct rule_watch;
struct screener;
struct timer_wheel;
struct tls;
struct transport;
struct users;
struct screening_sweep;
struct windows;
struct worker;
struct writer;

enum { NODE_EPOCH_BYTES = 96 };

/* The parts, each made and freed by gateway.c in an order that its comments explain. Modules take
 * the node and use the parts that they need; nobody keeps a part past the node's life. All of it
 * belongs to the loop's thread. */
struct node {
    uv_loop_t *loop;
    struct config *config; /* the one in force; a reload replaces it between two callbacks */
    char name[64];
    char epoch[NODE_EPOCH_BYTES]; /* of the database, "" until it was first read */
    uint64_t epoch_tag;           /* its hash, as frames on the bus carry it */
    bool draining;                /* going down: no new connections, readyz says so */

    size_t connection_count;         /* of both listeners */
    struct address_counts addresses; /* connections by client address */
    struct list_node handshakes;     /* handshake::link */
    struct admission admission;      /* of clients, a second */
    struct handover *handover;       /* handshakes that succeeded */

    struct timer_wheel *wheel;
    struct worker *worker;
    struct jwt_keys *keys;
    struct rule_set *rules; /* in force: rule_watch.h; NULL until the first were read */
    struct screener *screener;

    struct pg_fence fence; /* of all connections to the database */
    struct pg_pool *pool;
    struct writer *writer;
    struct windows *windows;
    struct screening_sweep *screening_sweep;
    struct bus *bus;

    struct handle_table sessions; /* struct session */
    struct users *users;
    struct rooms *rooms;
    struct moderators *moderators;
    struct presence *presence;
    struct access_watch *access;
    struct head_check *head_check;
    struct own_sweep *own_sweep;
    struct room_watch *room_watch;
    struct rule_watch *rule_watch;
    struct rule_ceiling *rule_ceiling;
    struct pg_conn *hints; /* LISTENs to the database's hints */

    struct transport *transport;
    struct tls *tls; /* NULL: plain text */
    struct listener *public_listener, *admin_listener;
    struct handle_table exchanges; /* struct exchange: HTTP requests under way */
    struct login *login;

    struct text_hasher *text_hasher;
    struct rate_table *message_rates, *open_rates, *request_rates; /* by user */

    struct json_writer json; /* scratch: written, turned into a frame and reset in one callback */
};
