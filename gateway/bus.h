/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes' bus over Redis: subscribe, publish, heartbeats. It wakes nodes up; it is no store. */
#pragma once

#include "gateway/bus_frame.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct bus;

enum bus_node_event {
    BUS_NODE_JOINED,   /* what it did before it knew of us was not published */
    BUS_NODE_WITHHELD, /* had lost sight of us, and published nothing meanwhile */
    BUS_NODE_LEFT,     /* said goodbye: everything it had to publish is published */
    BUS_NODE_LOST,     /* fell silent: it may have died between a COMMIT and its publish */
};

struct bus_stats {
    uint64_t published;         /* handed to Redis */
    uint64_t dropped;           /* not handed to Redis: away, or its buffer was full */
    uint64_t withheld;          /* not handed to Redis: no other node is there */
    uint64_t received;          /* good frames of other nodes */
    uint64_t received_previous; /* of those, signed with the previous key */
    uint64_t own;               /* our own, come back */
    uint64_t forged, malformed; /* dropped */
    uint64_t stray;             /* for a channel that is no longer subscribed */
    uint64_t connected;         /* connections that became usable */
    uint64_t lost;              /* connections that broke */
    uint64_t connect_failures;  /* tries that failed */
};

/* Strings and keys are copied. */
struct bus_options {
    const char *url;       /* redis://[[user]:password@]host[:port][/db] or unix:///path[?db=n] */
    const char *password;  /* overrides the URL's; or NULL */
    const char *node_name; /* for people; at most 255 bytes */
    const void *key, *previous_key; /* of the signature; previous may be NULL */
    size_t key_bytes, previous_key_bytes;

    void *context; /* handed to the callbacks; each may be NULL */
    /* A good frame of another node. All is borrowed for the call; header->kind tells what. */
    void (*on_message)(void *context, const char *channel, const struct bus_header *header,
                       const char *payload, size_t n);
    /* up: Redis can be reached and every subscription is confirmed. down: not; `reason` says
     * why, once per failed try of either connection. */
    void (*on_state)(void *context, bool up, const char *reason);
    void (*on_node)(void *context, enum bus_node_event event, const char *name);
};

/* Starts to connect at once, and again with backoff for as long as it lives. NULL only when the
 * options are wrong: `error` (static text) says how. */
struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options, const char **error);

/* ok: Redis has confirmed, so what is published from now on arrives. Not ok: Redis is away, or
 * the channel was unsubscribed meanwhile; if still wanted it is subscribed when Redis is back,
 * and on_state(up) comes only after that. Called exactly once, never from inside a bus_*()
 * call. May be NULL. */
typedef void (*bus_done_fn)(void *context, bool ok);

/* Subscriptions of one channel are counted: it is given up with the last. At most 255 bytes. */
void bus_subscribe(struct bus *bus, const char *channel, bus_done_fn done, void *context);
void bus_unsubscribe(struct bus *bus, const char *channel);

/* Publishes; header->node is ignored and ours put in. False: dropped, as Redis is away or doesn't
 * keep up, or withheld, as no other node is there. Written once a loop turn, together with all
 * others of that turn. */
bool bus_publish(struct bus *bus, const char *channel, const struct bus_header *header,
                 const void *payload, size_t n);

/* Any command but (un)subscribing, by argv, binary safe. `reply` is borrowed for the call;
 * NULL: Redis is away, or was lost before it answered (run, or not). An error reply has type
 * REDIS_REPLY_ERROR. Called exactly once, never from inside; may be NULL. */
typedef void (*bus_reply_fn)(void *context, const redisReply *reply);
void bus_command(struct bus *bus, int argc, const char *const *argv, const size_t *argv_bytes,
                 bus_reply_fn done, void *context);

bool bus_up(const struct bus *bus);
const struct uuid *bus_node_id(const struct bus *bus); /* 16 random bytes, new at each start */
size_t bus_node_count(const struct bus *bus); /* with this one; as last known while Redis is away */
const struct bus_stats *bus_get_stats(const struct bus *bus);

/* For reloads. The keys are as in bus_options; false: they are wrong, and nothing changed. */
bool bus_set_keys(struct bus *bus, const void *key, size_t key_bytes, const void *previous,
                  size_t previous_bytes);

/* Says goodbye to the other nodes if it can, gives up what waits (done false, reply NULL), frees
 * the bus, then calls `closed` (may be NULL); all of it later, from the loop. What is asked of the
 * bus in the meantime fails at once, from inside the call. */
void bus_close(struct bus *bus, void (*closed)(void *context), void *context);
