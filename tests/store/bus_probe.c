/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes' buses on one Redis, for tests. */

#include "tests/store/bus_probe.h"

#include "protocol/xalloc.h"
#include "tests/store/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void handle_message(void *context, const char *channel, const struct bus_header *header,
                           const char *payload, size_t n)
{
    struct bus_probe_node *node = context;

    node->messages++;
    node->header = *header;
    node->payload_bytes = n;
    snprintf(node->channel, sizeof(node->channel), "%s", channel);
    snprintf(node->payload, sizeof(node->payload), "%.*s", (int)n, payload);
}

static void handle_state(void *context, bool up, const char *reason)
{
    struct bus_probe_node *node = context;

    if (up)
        node->up++;
    else
        node->down++;
    if (!up)
        snprintf(node->reason, sizeof(node->reason), "%s", reason);
}

static void handle_node(void *context, enum bus_node_event event, const char *name)
{
    struct bus_probe_node *node = context;

    snprintf(node->peer, sizeof(node->peer), "%s", name);
    switch (event) {
    case BUS_NODE_JOINED:
        node->joined++;
        break;
    case BUS_NODE_WITHHELD:
        node->withheld++;
        break;
    case BUS_NODE_LEFT:
        node->left++;
        break;
    case BUS_NODE_LOST:
        node->lost++;
        break;
    }
}

void bus_probe_handle_subscribed(void *context, bool ok)
{
    struct bus_probe_node *node = context;

    if (ok)
        node->confirmed++;
    else
        node->refused++;
}

void bus_probe_handle_closed(void *context)
{
    struct bus_probe_node *node = context;

    node->closed++;
    node->bus = NULL;
}

struct bus_options bus_probe_options(struct bus_probe *f, struct bus_probe_node *node)
{
    return (struct bus_options){
        .url = f->url,
        .node_name = node == &f->a ? "node a" : "node b",
        .key = bus_probe_key,
        .key_bytes = sizeof(bus_probe_key),
        .context = node,
        .on_message = handle_message,
        .on_state = handle_state,
        .on_node = handle_node,
    };
}

void bus_probe_open_with(struct bus_probe *f, struct bus_probe_node *node,
                         const struct bus_options *options)
{
    const char *error = NULL;

    node->bus = bus_new(&f->loop, options, &error);
    if (!node->bus)
        fail_msg("%s", error);
}

void bus_probe_open(struct bus_probe *f, struct bus_probe_node *node)
{
    struct bus_options options = bus_probe_options(f, node);

    bus_probe_open_with(f, node, &options);
}

void bus_probe_wait_up(struct bus_probe *f, struct bus_probe_node *node, int times)
{
    if (!loop_wait(&f->loop, &node->up, times, BUS_PROBE_WAIT_MS))
        fail_msg("not up: %s", node->reason);
    assert_true(bus_up(node->bus));
}

void bus_probe_open_both(struct bus_probe *f)
{
    bus_probe_open(f, &f->a);
    bus_probe_open(f, &f->b);
    bus_probe_wait_up(f, &f->a, 1);
    bus_probe_wait_up(f, &f->b, 1);
}

void bus_probe_subscribe(struct bus_probe *f, struct bus_probe_node *node, const char *channel)
{
    int confirmed = node->confirmed;

    bus_subscribe(node->bus, channel, bus_probe_handle_subscribed, node);
    assert_int_equal(node->confirmed, confirmed); /* never from inside */
    assert_true(loop_wait(&f->loop, &node->confirmed, confirmed + 1, BUS_PROBE_WAIT_MS));
}

bool bus_probe_publish(struct bus_probe_node *node, const char *channel, const char *text)
{
    const struct bus_header header = {
        .kind = 'm', .room = {{1, 2, 3}}, .number = 42, .epoch = bus_epoch("epoch", 5)};

    return bus_publish(node->bus, channel, &header, text, strlen(text));
}

void bus_probe_close(struct bus_probe *f, struct bus_probe_node *node)
{
    if (!node->bus)
        return;
    node->closed = 0;
    bus_close(node->bus, bus_probe_handle_closed, node);
    assert_true(loop_wait(&f->loop, &node->closed, 1, BUS_PROBE_WAIT_MS));
}

static void connect_control(struct bus_probe *f)
{
    if (f->control)
        redisFree(f->control);
    f->control = redisConnectUnix(f->server.socket);
    assert_int_equal(f->control->err, 0);
    if (f->server.password)
        freeReplyObject(redisCommand(f->control, "AUTH %s", f->server.password));
}

static int set_up_with(void **state, const char *password)
{
    struct bus_probe *f = xcalloc(1, sizeof(*f));

    assert_int_equal(uv_loop_init(&f->loop), 0);
    redis_server_init(&f->server, password);
    redis_server_start(&f->server);
    connect_control(f);
    snprintf(f->url, sizeof(f->url), "unix:%s", f->server.socket);
    *state = f;
    return 0;
}

int bus_probe_set_up(void **state)
{
    return set_up_with(state, NULL);
}

int bus_probe_set_up_password(void **state)
{
    return set_up_with(state, "p@ss word");
}

int bus_probe_tear_down(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_close(f, &f->a);
    bus_probe_close(f, &f->b);
    if (f->control)
        redisFree(f->control);
    redis_server_deinit(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void handle_reply(void *context, const redisReply *reply)
{
    struct bus_probe *f = context;

    f->replies++;
    f->reply_type = reply ? reply->type : -1;
    f->reply_integer = reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
}

void bus_probe_command(struct bus_probe *f, int argc, const char *const *argv)
{
    size_t lengths[8];

    for (int i = 0; i < argc; i++)
        lengths[i] = strlen(argv[i]);
    bus_command(f->a.bus, argc, argv, lengths, handle_reply, f);
}

void bus_probe_publish_raw(struct bus_probe *f, const char *channel, const void *data,
                           size_t length)
{
    freeReplyObject(redisCommand(f->control, "PUBLISH %s %b", channel, data, length));
}
