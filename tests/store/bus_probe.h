/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes' buses on one Redis, for tests. */
#pragma once

#include "gateway/bus.h"
#include "tests/store/redis_server.h"

enum { BUS_PROBE_WAIT_MS = 10000 };

static const char bus_probe_key[] = "a key of the bus, for tests";

/* One node's bus and what it has seen. */
struct bus_probe_node {
    struct bus *bus;
    int up, down, messages, joined, withheld, left, lost, closed;
    int confirmed, refused;
    char reason[256], channel[256], payload[256], peer[256];
    struct bus_header header;
    size_t payload_bytes;
};

/* The state of a cmocka test. */
struct bus_probe {
    uv_loop_t loop;
    struct redis_server server;
    char url[200];
    struct bus_probe_node a, b;
    redisContext *control;
    int replies;
    long long reply_integer;
    int reply_type; /* -1: NULL */
};

int bus_probe_set_up(void **state);
int bus_probe_set_up_password(void **state); /* Redis asks for "p@ss word" */
int bus_probe_tear_down(void **state);

struct bus_options bus_probe_options(struct bus_probe *f, struct bus_probe_node *node);
void bus_probe_open_with(struct bus_probe *f, struct bus_probe_node *node,
                         const struct bus_options *options);
void bus_probe_open(struct bus_probe *f, struct bus_probe_node *node);
void bus_probe_open_both(struct bus_probe *f); /* and waits until they are up */
void bus_probe_wait_up(struct bus_probe *f, struct bus_probe_node *node, int times);
void bus_probe_close(struct bus_probe *f, struct bus_probe_node *node);

/* Waits for the confirmation. */
void bus_probe_subscribe(struct bus_probe *f, struct bus_probe_node *node, const char *channel);
void bus_probe_handle_subscribed(void *context, bool ok);
void bus_probe_handle_closed(void *context);

/* A frame of kind 'm', number 42, room 010203..., epoch "epoch". */
bool bus_probe_publish(struct bus_probe_node *node, const char *channel, const char *text);

/* By node a; the reply comes to f->replies and the fields after it. */
void bus_probe_command(struct bus_probe *f, int argc, const char *const *argv);

/* Past the bus, as a stranger would. */
void bus_probe_publish_raw(struct bus_probe *f, const char *channel, const void *data,
                           size_t length);
