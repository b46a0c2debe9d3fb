/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes' bus over Redis.
 *
 * Redis keeps nothing for us. What is published while a node is away is lost to it, and everything
 * above this module is made for that: Postgres is the truth, a publish only saves the wait for the
 * next look at it. So nothing is queued or repeated here; what can't be written now is dropped and
 * counted.
 *
 * Two connections, since a subscribed one may do little else: one subscribes, the other publishes
 * and runs commands. The bus is up when both are, and every wanted channel is confirmed on the
 * first. Subscriptions are told to Redis in commands of many channels, with a bounded number
 * awaiting confirmation: a hundred thousand after a reconnect neither fill our buffers nor keep
 * Redis from everything else.
 *
 * Each node publishes a heartbeat every second on "nodes". One that stops without a goodbye may
 * have died between a COMMIT and its publish, which is why somebody wants to know. While the bus is
 * down nobody is declared lost.
 *
 * A node that has heard no other for a while publishes nothing but its heartbeat: half of what a
 * message costs besides Postgres would go to nobody. Each heartbeat tells how many frames were
 * withheld so far. A node that hears the first one, or a higher number than before, looks into
 * Postgres; and one that was alone answers the first heartbeat of another at once. So whatever was
 * withheld while nobody knew of the other is followed by a heartbeat that makes up for it.
 *
 * Callbacks to be made later, subscriptions and going up are seen to by an idle handle, which runs
 * in the next turn of the loop and only when there is something to do.
 */

#include "gateway/bus.h"

#include "gateway/bus_channels.h"
#include "gateway/bus_nodes.h"
#include "gateway/redis_conn.h"
#include "gateway/redis_url.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEARTBEAT_MS = 1000,
    BATCH_CHANNELS = 256,     /* in one command */
    AWAITING_CHANNELS = 4096, /* confirmations */
};

/* Kinds of the bus's own frames. */
enum { KIND_HEARTBEAT = '{', KIND_GOODBYE = '}' };

static const char nodes_channel[] = "nodes";

struct bus {
    struct redis_url url;
    char *password;
    char *node_name;
    struct uuid node;
    struct bus_signer *signer;

    void *context;
    void (*on_message)(void *context, const char *channel, const struct bus_header *header,
                       const char *payload, size_t n);
    void (*on_state)(void *context, bool up, const char *reason);
    void (*on_node)(void *context, enum bus_node_event event, const char *name);

    struct redis_conn *subscriber, *publisher;
    struct bus_channels *channels;
    struct bus_nodes nodes;
    struct bus_stats stats;
    bool up, closing;

    unsigned char *frame; /* being encoded */
    size_t frame_capacity;

    uv_timer_t heartbeat;
    uv_idle_t deferred;
    int open; /* handles and connections not closed yet */
    void (*closed)(void *context);
    void *closed_context;
};

static void handle_deferred(uv_idle_t *idle);

static void defer(struct bus *bus)
{
    if (!bus->closing)
        uv_idle_start(&bus->deferred, handle_deferred);
}

/* --- publishing --- */

static bool publish(struct bus *bus, const char *channel, const struct bus_header *header,
                    const void *payload, size_t n)
{
    struct bus_header stamped = *header;
    size_t length = BUS_FRAME_HEADER_BYTES + n;

    if (bus->closing || n > BUS_FRAME_PAYLOAD_MAX || !redis_conn_up(bus->publisher)) {
        bus->stats.dropped++;
        return false;
    }
    if (length > bus->frame_capacity) {
        bus->frame = xrealloc(bus->frame, length);
        bus->frame_capacity = length;
    }
    stamped.node = bus->node;
    bus_frame_encode(bus->signer, channel, &stamped, payload, n, bus->frame);
    if (n > 0)
        memcpy(bus->frame + BUS_FRAME_HEADER_BYTES, payload, n);

    const char *argv[] = {"PUBLISH", channel, (const char *)bus->frame};
    const size_t argv_bytes[] = {7, strlen(channel), length};
    bool sent = redis_conn_command(bus->publisher, 3, argv, argv_bytes, NULL, NULL);
    if (sent)
        bus->stats.published++;
    else
        bus->stats.dropped++;
    return sent;
}

bool bus_publish(struct bus *bus, const char *channel, const struct bus_header *header,
                 const void *payload, size_t n)
{
    if (bus_nodes_alone(&bus->nodes)) {
        bus->stats.withheld++;
        return false;
    }
    return publish(bus, channel, header, payload, n);
}

static void beat(struct bus *bus, char kind)
{
    const struct bus_header header = {.kind = kind, .number = (int64_t)bus->stats.withheld};

    publish(bus, nodes_channel, &header, bus->node_name, strlen(bus->node_name));
}

void bus_command(struct bus *bus, int argc, const char *const *argv, const size_t *argv_bytes,
                 bus_reply_fn done, void *context)
{
    if (!bus->closing)
        redis_conn_command(bus->publisher, (size_t)argc, argv, argv_bytes, done, context);
    else if (done)
        done(context, NULL);
}

/* --- subscribing --- */

void bus_subscribe(struct bus *bus, const char *channel, bus_done_fn done, void *context)
{
    if (bus->closing) {
        if (done)
            done(context, false);
        return;
    }
    bus_channels_add(bus->channels, channel, done, context);
    defer(bus);
}

void bus_unsubscribe(struct bus *bus, const char *channel)
{
    if (bus->closing)
        return;
    bus_channels_remove(bus->channels, channel);
    defer(bus);
}

static void send_batch(struct bus *bus, enum bus_channels_command command, const char **names,
                       size_t count)
{
    const char *argv[BATCH_CHANNELS + 1] = {"SUBSCRIBE"};
    size_t argv_bytes[BATCH_CHANNELS + 1];

    if (command == BUS_CHANNELS_UNSUBSCRIBE)
        argv[0] = "UNSUBSCRIBE";
    memcpy(argv + 1, names, count * sizeof(*names));
    for (size_t i = 0; i <= count; i++)
        argv_bytes[i] = strlen(argv[i]);
    /* If it can't be sent the connection is about to be lost, and all is told again then. */
    redis_conn_command(bus->subscriber, count + 1, argv, argv_bytes, NULL, NULL);
}

static void tell_redis(struct bus *bus)
{
    const char *names[BATCH_CHANNELS];
    enum bus_channels_command command;
    size_t count;

    while (bus_channels_awaiting(bus->channels) < AWAITING_CHANNELS &&
           (count = bus_channels_next(bus->channels, &command, names, BATCH_CHANNELS)) > 0)
        send_batch(bus, command, names, count);
}

/* --- up and down --- */

static void go_up(struct bus *bus)
{
    bus->up = true;
    beat(bus, KIND_HEARTBEAT);
    if (bus->on_state)
        bus->on_state(bus->context, true, "");
}

static void handle_deferred(uv_idle_t *idle)
{
    struct bus *bus = idle->data;

    uv_idle_stop(idle);
    bus_channels_finish(bus->channels);
    tell_redis(bus);
    if (bus_channels_has_finished(bus->channels))
        defer(bus);
    if (!bus->up && !bus->closing && redis_conn_up(bus->publisher) &&
        bus_channels_settled(bus->channels))
        go_up(bus);
}

static void go_down(struct bus *bus, bool was_up, const char *reason)
{
    if (was_up)
        bus->stats.lost++;
    else
        bus->stats.connect_failures++;
    bus->up = false;
    bus_nodes_forgive(&bus->nodes);
    defer(bus);
    if (bus->on_state && !bus->closing)
        bus->on_state(bus->context, false, reason);
}

static void handle_publisher_up(void *context)
{
    struct bus *bus = context;

    bus->stats.connected++;
    defer(bus);
}

static void handle_publisher_down(void *context, bool was_up, const char *reason)
{
    go_down(context, was_up, reason);
}

static void handle_subscriber_up(void *context)
{
    struct bus *bus = context;

    bus->stats.connected++;
    bus_channels_connected(bus->channels);
    defer(bus);
}

static void handle_subscriber_down(void *context, bool was_up, const char *reason)
{
    struct bus *bus = context;

    bus_channels_disconnected(bus->channels);
    go_down(bus, was_up, reason);
}

/* --- receiving --- */

static void report_node(struct bus *bus, enum bus_node_event event, const char *name)
{
    if (bus->on_node && !bus->closing)
        bus->on_node(bus->context, event, name);
}

static void report_heard(struct bus *bus, enum bus_node_event event, const struct uuid *node)
{
    report_node(bus, event, bus_nodes_find(&bus->nodes, node)->name);
}

static void hear(struct bus *bus, const struct bus_header *header, const char *name, size_t length)
{
    switch (bus_nodes_hear(&bus->nodes, &header->node, header->number, name, length)) {
    case BUS_NODES_KNOWN:
        break;
    case BUS_NODES_NEW:
        if (bus->nodes.count == 1)
            beat(bus, KIND_HEARTBEAT);
        report_heard(bus, BUS_NODE_JOINED, &header->node);
        break;
    case BUS_NODES_WITHHELD:
        report_heard(bus, BUS_NODE_WITHHELD, &header->node);
        break;
    }
}

/* True: the frame was one of the bus's own. */
static bool take_nodes_frame(struct bus *bus, const struct bus_header *header, const char *name,
                             size_t length)
{
    struct bus_node node;

    if (header->kind != KIND_HEARTBEAT && header->kind != KIND_GOODBYE)
        return false;
    hear(bus, header, name, length);
    if (header->kind == KIND_GOODBYE && bus_nodes_leave(&bus->nodes, &header->node, &node))
        report_node(bus, BUS_NODE_LEFT, node.name);
    return true;
}

static void deliver(struct bus *bus, const char *channel, const struct bus_header *header,
                    const char *payload, size_t length)
{
    bus->stats.received++;
    if (strcmp(channel, nodes_channel) == 0 && take_nodes_frame(bus, header, payload, length))
        return;
    if (bus->on_message)
        bus->on_message(bus->context, channel, header, payload, length);
}

static void take_frame(struct bus *bus, const char *channel, const char *data, size_t length)
{
    struct bus_header header;
    const char *payload;
    size_t payload_bytes;

    if (!bus_channels_wanted(bus->channels, channel)) {
        bus->stats.stray++;
        return;
    }
    if (bus_frame_claims(data, length, &bus->node)) {
        bus->stats.own++;
        return;
    }
    switch (
        bus_frame_decode(bus->signer, channel, data, length, &header, &payload, &payload_bytes)) {
    case BUS_FRAME_OK_PREVIOUS:
        bus->stats.received_previous++;
        deliver(bus, channel, &header, payload, payload_bytes);
        break;
    case BUS_FRAME_OK:
        deliver(bus, channel, &header, payload, payload_bytes);
        break;
    case BUS_FRAME_MALFORMED:
        bus->stats.malformed++;
        break;
    case BUS_FRAME_FORGED:
        bus->stats.forged++;
        break;
    }
}

/* Pushes are arrays: "message", channel, data; "subscribe" or "unsubscribe", channel, count. */
static void handle_push(void *context, const redisReply *push)
{
    struct bus *bus = context;
    const char *type, *channel;

    if (bus->closing || push->type != REDIS_REPLY_ARRAY || push->elements != 3 ||
        push->element[0]->type != REDIS_REPLY_STRING ||
        push->element[1]->type != REDIS_REPLY_STRING)
        return;
    type = push->element[0]->str;
    channel = push->element[1]->str;
    if (strcmp(type, "message") == 0 && push->element[2]->type == REDIS_REPLY_STRING) {
        take_frame(bus, channel, push->element[2]->str, (size_t)push->element[2]->len);
        return;
    }
    if (strcmp(type, "subscribe") == 0)
        bus_channels_confirm(bus->channels, BUS_CHANNELS_SUBSCRIBE, channel);
    else if (strcmp(type, "unsubscribe") == 0)
        bus_channels_confirm(bus->channels, BUS_CHANNELS_UNSUBSCRIBE, channel);
    defer(bus);
}

static void handle_heartbeat(uv_timer_t *timer)
{
    struct bus *bus = timer->data;
    struct bus_node node;

    if (!bus->up)
        return;
    beat(bus, KIND_HEARTBEAT);
    bus_nodes_tick(&bus->nodes);
    while (bus_nodes_take_lost(&bus->nodes, &node))
        report_node(bus, BUS_NODE_LOST, node.name);
}

/* --- life --- */

static struct redis_conn *connect_redis(struct bus *bus, uv_loop_t *loop, bool subscribing)
{
    char client_name[BUS_NODE_NAME_BYTES + 16];
    struct redis_conn_options options = {
        .url = &bus->url,
        .password = bus->password,
        .client_name = client_name,
        .context = bus,
        .on_up = subscribing ? handle_subscriber_up : handle_publisher_up,
        .on_down = subscribing ? handle_subscriber_down : handle_publisher_down,
        .on_push = subscribing ? handle_push : NULL,
    };

    snprintf(client_name, sizeof(client_name), "chatgate-%s", subscribing ? "sub" : "pub");
    bus->open++;
    return redis_conn_new(loop, &options);
}

static void start(struct bus *bus, uv_loop_t *loop)
{
    bus->channels = bus_channels_new();
    bus_channels_add(bus->channels, nodes_channel, NULL, NULL);
    uv_timer_init(loop, &bus->heartbeat);
    uv_idle_init(loop, &bus->deferred);
    bus->heartbeat.data = bus->deferred.data = bus;
    bus->open = 2;
    uv_timer_start(&bus->heartbeat, handle_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
    bus->subscriber = connect_redis(bus, loop, true);
    bus->publisher = connect_redis(bus, loop, false);
}

struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options, const char **error)
{
    struct redis_url url;
    struct bus_signer *signer;
    struct bus *bus;

    if (redis_url_parse(&url, options->url, error) < 0)
        return NULL;
    signer = bus_signer_new(options->key, options->key_bytes, options->previous_key,
                            options->previous_key_bytes);
    if (!signer) {
        *error = "the bus's key is shorter than 16 bytes";
        redis_url_deinit(&url);
        return NULL;
    }
    bus = xcalloc(1, sizeof(*bus));
    bus->url = url;
    bus->signer = signer;
    bus->password = options->password ? xstrdup(options->password) : NULL;
    bus->node_name = xstrdup(options->node_name);
    bus->context = options->context;
    bus->on_message = options->on_message;
    bus->on_state = options->on_state;
    bus->on_node = options->on_node;
    if (RAND_bytes(bus->node.bytes, UUID_BYTES) != 1)
        abort();
    start(bus, loop);
    return bus;
}

bool bus_up(const struct bus *bus)
{
    return bus->up;
}

const struct uuid *bus_node_id(const struct bus *bus)
{
    return &bus->node;
}

size_t bus_node_count(const struct bus *bus)
{
    return bus->nodes.count + 1;
}

const struct bus_stats *bus_get_stats(const struct bus *bus)
{
    return &bus->stats;
}

bool bus_set_keys(struct bus *bus, const void *key, size_t key_bytes, const void *previous,
                  size_t previous_bytes)
{
    struct bus_signer *signer = bus_signer_new(key, key_bytes, previous, previous_bytes);

    if (!signer)
        return false;
    bus_signer_free(bus->signer);
    bus->signer = signer;
    return true;
}

static void free_bus(struct bus *bus)
{
    void (*closed)(void *context) = bus->closed;
    void *context = bus->closed_context;

    bus_channels_disconnected(bus->channels);
    while (bus_channels_has_finished(bus->channels))
        bus_channels_finish(bus->channels);
    bus_channels_free(bus->channels);
    bus_nodes_deinit(&bus->nodes);
    bus_signer_free(bus->signer);
    redis_url_deinit(&bus->url);
    free(bus->password);
    free(bus->node_name);
    free(bus->frame);
    free(bus);
    if (closed)
        closed(context);
}

static void handle_part_closed(void *context)
{
    struct bus *bus = context;

    if (--bus->open == 0)
        free_bus(bus);
}

static void handle_handle_closed(uv_handle_t *handle)
{
    handle_part_closed(handle->data);
}

void bus_close(struct bus *bus, void (*closed)(void *context), void *context)
{
    assert(!bus->closing);
    beat(bus, KIND_GOODBYE);
    bus->closing = true;
    bus->up = false;
    bus->closed = closed;
    bus->closed_context = context;
    uv_close((uv_handle_t *)&bus->heartbeat, handle_handle_closed);
    uv_close((uv_handle_t *)&bus->deferred, handle_handle_closed);
    redis_conn_close(bus->subscriber, handle_part_closed, bus);
    redis_conn_close(bus->publisher, handle_part_closed, bus);
}
