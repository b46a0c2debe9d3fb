/* SPDX-License-Identifier: Apache-2.0 */
/* The bus, against a real Redis that is killed, frozen, restarted and lied to. */

#include "gateway/bus.h"
#include "gateway/clock.h"
#include "protocol/xalloc.h"
#include "tests/store/loop.h"
#include "tests/store/redis_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 10000 };

static const char key[] = "a key of the bus, for tests";
static const char old_key[] = "the key that was before it";

/* One node's bus and what it has seen. */
struct node {
    struct bus *bus;
    int up, down, messages, joined, left, lost, closed;
    int confirmed, refused;
    char reason[256], channel[256], payload[256], peer[256];
    struct bus_header header;
    size_t payload_bytes;
};

struct fixture {
    uv_loop_t loop;
    struct redis_server server;
    char url[200];
    struct node a, b;
    redisContext *control;
    int replies;
    long long reply_integer;
    int reply_type; /* -1: NULL */
};

static void handle_message(void *context, const char *channel, const struct bus_header *header,
                           const char *payload, size_t n)
{
    struct node *node = context;

    node->messages++;
    node->header = *header;
    node->payload_bytes = n;
    snprintf(node->channel, sizeof(node->channel), "%s", channel);
    snprintf(node->payload, sizeof(node->payload), "%.*s", (int)n, payload);
}

static void handle_state(void *context, bool up, const char *reason)
{
    struct node *node = context;

    if (up)
        node->up++;
    else
        node->down++;
    if (!up)
        snprintf(node->reason, sizeof(node->reason), "%s", reason);
}

static void handle_node(void *context, enum bus_node_event event, const char *name)
{
    struct node *node = context;

    snprintf(node->peer, sizeof(node->peer), "%s", name);
    switch (event) {
    case BUS_NODE_JOINED:
        node->joined++;
        break;
    case BUS_NODE_LEFT:
        node->left++;
        break;
    case BUS_NODE_LOST:
        node->lost++;
        break;
    }
}

static void handle_subscribed(void *context, bool ok)
{
    struct node *node = context;

    if (ok)
        node->confirmed++;
    else
        node->refused++;
}

static void handle_closed(void *context)
{
    struct node *node = context;

    node->closed++;
    node->bus = NULL;
}

static struct bus_options options_of(struct fixture *f, struct node *node)
{
    return (struct bus_options){
        .url = f->url,
        .node_name = node == &f->a ? "node a" : "node b",
        .key = key,
        .key_bytes = sizeof(key),
        .context = node,
        .on_message = handle_message,
        .on_state = handle_state,
        .on_node = handle_node,
    };
}

static void open_with(struct fixture *f, struct node *node, const struct bus_options *options)
{
    const char *error = NULL;

    node->bus = bus_new(&f->loop, options, &error);
    if (!node->bus)
        fail_msg("%s", error);
}

static void open_node(struct fixture *f, struct node *node)
{
    struct bus_options options = options_of(f, node);

    open_with(f, node, &options);
}

static void wait_up(struct fixture *f, struct node *node, int times)
{
    if (!loop_wait(&f->loop, &node->up, times, WAIT_MS))
        fail_msg("not up: %s", node->reason);
    assert_true(bus_up(node->bus));
}

static void open_both(struct fixture *f)
{
    open_node(f, &f->a);
    open_node(f, &f->b);
    wait_up(f, &f->a, 1);
    wait_up(f, &f->b, 1);
}

static void subscribe(struct fixture *f, struct node *node, const char *channel)
{
    int confirmed = node->confirmed;

    bus_subscribe(node->bus, channel, handle_subscribed, node);
    assert_int_equal(node->confirmed, confirmed); /* never from inside */
    assert_true(loop_wait(&f->loop, &node->confirmed, confirmed + 1, WAIT_MS));
}

static bool publish(struct node *node, const char *channel, const char *text)
{
    const struct bus_header header = {
        .kind = 'm', .room = {{1, 2, 3}}, .number = 42, .epoch = bus_epoch("epoch", 5)};

    return bus_publish(node->bus, channel, &header, text, strlen(text));
}

static void close_node(struct fixture *f, struct node *node)
{
    if (!node->bus)
        return;
    node->closed = 0;
    bus_close(node->bus, handle_closed, node);
    assert_true(loop_wait(&f->loop, &node->closed, 1, WAIT_MS));
}

static void connect_control(struct fixture *f)
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
    struct fixture *f = xcalloc(1, sizeof(*f));

    assert_int_equal(uv_loop_init(&f->loop), 0);
    redis_server_init(&f->server, password);
    redis_server_start(&f->server);
    connect_control(f);
    snprintf(f->url, sizeof(f->url), "unix:%s", f->server.socket);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, NULL);
}

static int set_up_password(void **state)
{
    return set_up_with(state, "p@ss word");
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close_node(f, &f->a);
    close_node(f, &f->b);
    if (f->control)
        redisFree(f->control);
    redis_server_deinit(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

/* --- publish and subscribe --- */

static void test_from_node_to_node(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    subscribe(f, &f->a, "u:1");
    subscribe(f, &f->b, "u:1");
    assert_true(publish(&f->a, "u:1", "{\"t\":\"message\"}"));
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
    assert_string_equal(f->b.channel, "u:1");
    assert_string_equal(f->b.payload, "{\"t\":\"message\"}");
    assert_int_equal(f->b.header.kind, 'm');
    assert_int_equal(f->b.header.number, 42);
    assert_int_equal(f->b.header.room.bytes[2], 3);
    assert_true(f->b.header.epoch == bus_epoch("epoch", 5));
    assert_true(uuid_equal(&f->b.header.node, bus_node_id(f->a.bus)));
    loop_sleep(&f->loop, 50);
    assert_int_equal(f->a.messages, 0); /* its own isn't handed back */
    assert_true(bus_get_stats(f->a.bus)->own >= 1);
}

static void test_binary_and_empty_payloads(void **state)
{
    struct fixture *f = *state;
    const struct bus_header header = {.kind = 'x'};

    open_both(f);
    subscribe(f, &f->b, "u:%s {}*");
    assert_true(bus_publish(f->a.bus, "u:%s {}*", &header, "\r\n\0%b\377", 6));
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
    assert_int_equal(f->b.payload_bytes, 6);
    assert_true(bus_publish(f->a.bus, "u:%s {}*", &header, NULL, 0));
    assert_true(loop_wait(&f->loop, &f->b.messages, 2, WAIT_MS));
    assert_int_equal(f->b.payload_bytes, 0);
}

static void test_unsubscribe(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    subscribe(f, &f->b, "u:1");
    subscribe(f, &f->b, "u:1"); /* a second user of it */
    bus_unsubscribe(f->b.bus, "u:1");
    publish(&f->a, "u:1", "still");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
    bus_unsubscribe(f->b.bus, "u:1");
    loop_sleep(&f->loop, 50);
    publish(&f->a, "u:1", "nobody");
    loop_sleep(&f->loop, 100);
    assert_int_equal(f->b.messages, 1);
    redisReply *reply = redisCommand(f->control, "PUBSUB NUMSUB u:1");
    assert_int_equal(reply->element[1]->integer, 0);
    freeReplyObject(reply);
}

/* What is published after a confirmation arrives, however quick the changes of mind before it. */
static void test_subscribe_and_unsubscribe_in_quick_succession(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    for (int i = 0; i < 200; i++) {
        int before = f->b.messages;

        subscribe(f, &f->b, "u:1");
        publish(&f->a, "u:1", "x");
        bus_unsubscribe(f->b.bus, "u:1");
        bus_subscribe(f->b.bus, "u:1", NULL, NULL);
        if (i % 2)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        bus_unsubscribe(f->b.bus, "u:1");
        bus_subscribe(f->b.bus, "u:1", NULL, NULL);
        subscribe(f, &f->b, "u:1");
        publish(&f->a, "u:1", "y");
        assert_true(loop_wait(&f->loop, &f->b.messages, before + 1, WAIT_MS));
        while (strcmp(f->b.payload, "y") != 0)
            uv_run(&f->loop, UV_RUN_ONCE);
        bus_unsubscribe(f->b.bus, "u:1");
        bus_unsubscribe(f->b.bus, "u:1");
    }
}

static void test_unsubscribed_before_it_is_confirmed(void **state)
{
    struct fixture *f = *state;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "u:1", handle_subscribed, &f->a);
    bus_unsubscribe(f->a.bus, "u:1");
    assert_int_equal(f->a.refused, 0);
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, WAIT_MS));
    assert_int_equal(f->a.confirmed, 0);
}

/* --- commands --- */

static void handle_reply(void *context, const redisReply *reply)
{
    struct fixture *f = context;

    f->replies++;
    f->reply_type = reply ? reply->type : -1;
    f->reply_integer = reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
}

static void run_command(struct fixture *f, int argc, const char *const *argv)
{
    size_t lengths[8];

    for (int i = 0; i < argc; i++)
        lengths[i] = strlen(argv[i]);
    bus_command(f->a.bus, argc, argv, lengths, handle_reply, f);
}

static void test_commands(void **state)
{
    struct fixture *f = *state;

    open_node(f, &f->a);
    run_command(f, 2, (const char *[]){"INCR", "n"});
    assert_int_equal(f->replies, 0);
    assert_true(loop_wait(&f->loop, &f->replies, 1, WAIT_MS));
    assert_int_equal(f->reply_type, -1); /* not connected yet */
    wait_up(f, &f->a, 1);
    for (int i = 0; i < 500; i++)
        run_command(f, 2, (const char *[]){"INCR", "n"});
    assert_true(loop_wait(&f->loop, &f->replies, 501, WAIT_MS));
    assert_int_equal(f->reply_integer, 500);
    run_command(f, 1, (const char *[]){"NOSUCH"});
    assert_true(loop_wait(&f->loop, &f->replies, 502, WAIT_MS));
    assert_int_equal(f->reply_type, REDIS_REPLY_ERROR);
}

static void test_commands_of_a_lost_connection(void **state)
{
    struct fixture *f = *state;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    run_command(f, 3, (const char *[]){"DEBUG", "SLEEP", "5"});
    run_command(f, 2, (const char *[]){"INCR", "n"});
    loop_sleep(&f->loop, 50);
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->replies, 2, WAIT_MS));
    assert_int_equal(f->reply_type, -1);
}

/* --- Redis goes and comes --- */

static void test_redis_is_down_at_start(void **state)
{
    struct fixture *f = *state;

    redis_server_kill(&f->server);
    open_node(f, &f->a);
    bus_subscribe(f->a.bus, "u:1", handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->a.down, 2, WAIT_MS));
    assert_false(bus_up(f->a.bus));
    assert_false(publish(&f->a, "u:1", "lost"));
    redis_server_start(&f->server);
    wait_up(f, &f->a, 1);
    open_node(f, &f->b);
    wait_up(f, &f->b, 1);
    publish(&f->b, "u:1", "hello"); /* it was subscribed before on_state(up) */
    assert_true(loop_wait(&f->loop, &f->a.messages, 1, WAIT_MS));
}

static void test_redis_is_killed_and_started_again(void **state)
{
    struct fixture *f = *state;
    char channel[20];

    open_both(f);
    for (int i = 0; i < 5000; i++) {
        snprintf(channel, sizeof(channel), "u:%d", i);
        bus_subscribe(f->b.bus, channel, handle_subscribed, &f->b);
    }
    assert_true(loop_wait(&f->loop, &f->b.confirmed, 5000, WAIT_MS));
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 1000));
    assert_false(bus_up(f->b.bus));
    redis_server_start(&f->server);
    wait_up(f, &f->b, 2);
    wait_up(f, &f->a, 2);
    for (int i = 0; i < 5000; i += 499) {
        int before = f->b.messages;

        snprintf(channel, sizeof(channel), "u:%d", i);
        assert_true(publish(&f->a, channel, "again"));
        assert_true(loop_wait(&f->loop, &f->b.messages, before + 1, WAIT_MS));
    }
    assert_true(bus_get_stats(f->b.bus)->lost >= 1);
    assert_int_equal(f->a.lost, 0); /* nobody can be heard while Redis is away */
}

static void test_connections_cut_by_redis(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    subscribe(f, &f->b, "u:1");
    freeReplyObject(redisCommand(f->control, "CLIENT KILL TYPE pubsub"));
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 1000));
    wait_up(f, &f->b, 2);
    wait_up(f, &f->a, 2);
    freeReplyObject(redisCommand(f->control, "CLIENT KILL TYPE normal SKIPME yes"));
    assert_true(loop_wait(&f->loop, &f->a.down, 2, 1000));
    wait_up(f, &f->a, 3);
    wait_up(f, &f->b, 3);
    publish(&f->a, "u:1", "again");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
}

static void test_a_frozen_redis(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    start_ms = clock_now_ms();
    kill(f->server.pid, SIGSTOP);
    bus_subscribe(f->a.bus, "u:1", handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.down, 1, WAIT_MS));
    assert_in_range(clock_now_ms() - start_ms, 1900, 4500);
    assert_string_equal(f->a.reason, "no answer to a ping");
    kill(f->server.pid, SIGCONT);
    wait_up(f, &f->a, 2);
    assert_int_equal(f->a.refused, 1);
}

/* A stall of our own loop is not Redis' silence, nor the other nodes'. */
static void test_a_stalled_loop(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, WAIT_MS));
    sleep(5);
    loop_sleep(&f->loop, 2500);
    assert_int_equal(f->a.down, 0);
    assert_int_equal(f->a.lost, 0);
}

static void test_over_tcp_by_name(void **state)
{
    struct fixture *f = *state;

    snprintf(f->url, sizeof(f->url), "redis://localhost:%d/0", f->server.port);
    open_both(f);
    subscribe(f, &f->b, "u:1");
    publish(&f->a, "u:1", "tcp");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 1000));
    redis_server_start(&f->server);
    wait_up(f, &f->b, 2);
}

static void test_passwords(void **state)
{
    struct fixture *f = *state;
    struct bus_options options = options_of(f, &f->b);

    snprintf(f->url, sizeof(f->url), "redis://:p%%40ss%%20word@127.0.0.1:%d/3", f->server.port);
    open_node(f, &f->a);
    wait_up(f, &f->a, 1);

    snprintf(f->url, sizeof(f->url), "unix://%s?db=2", f->server.socket);
    options.password = "wrong";
    open_with(f, &f->b, &options);
    assert_true(loop_wait(&f->loop, &f->b.down, 2, WAIT_MS));
    assert_non_null(strstr(f->b.reason, "WRONGPASS"));
    close_node(f, &f->b);
    options.password = "p@ss word";
    open_with(f, &f->b, &options);
    wait_up(f, &f->b, 1);
    close_node(f, &f->b);
    f->b.down = 0;
    options.password = NULL;
    open_with(f, &f->b, &options);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, WAIT_MS));
    assert_non_null(strstr(f->b.reason, "NOAUTH"));
}

static void test_a_channel_that_may_not_be_subscribed(void **state)
{
    struct fixture *f = *state;

    freeReplyObject(redisCommand(
        f->control, "ACL SETUSER limited on >word resetchannels &nodes &u:* +@all ~*"));
    snprintf(f->url, sizeof(f->url), "redis://limited:word@127.0.0.1:%d", f->server.port);
    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "mod", handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.down, 1, WAIT_MS));
    assert_non_null(strstr(f->a.reason, "NOPERM"));
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, WAIT_MS));
}

/* --- lies --- */

static void publish_raw(struct fixture *f, const char *channel, const void *data, size_t length)
{
    freeReplyObject(redisCommand(f->control, "PUBLISH %s %b", channel, data, length));
}

static void test_garbage_and_forgeries_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct bus_signer *stranger = bus_signer_new("a stranger's key", 16, NULL, 0);
    struct bus_signer *ours = bus_signer_new(key, sizeof(key), NULL, 0);
    const struct bus_header header = {.kind = 'm', .number = 1};
    unsigned char frame[BUS_FRAME_HEADER_BYTES + 4] = {0};
    const struct bus_stats *stats;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    subscribe(f, &f->a, "u:1");
    stats = bus_get_stats(f->a.bus);

    publish_raw(f, "u:1", "", 0);
    publish_raw(f, "u:1", "{\"t\":\"message\"}", 15);
    publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(stranger, "u:1", &header, "text", 4, frame);
    memcpy(frame + BUS_FRAME_HEADER_BYTES, "text", 4);
    publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(ours, "u:2", &header, "text", 4, frame); /* somebody else's */
    publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(ours, "u:1", &header, "text", 4, frame);
    frame[40] ^= 1;
    publish_raw(f, "u:1", frame, sizeof(frame));
    frame[40] ^= 1;
    publish_raw(f, "u:1", frame, sizeof(frame)); /* the only good one */
    assert_true(loop_wait(&f->loop, &f->a.messages, 1, WAIT_MS));
    loop_sleep(&f->loop, 50);
    assert_int_equal(f->a.messages, 1);
    assert_int_equal(stats->malformed, 3);
    assert_int_equal(stats->forged, 3);
    bus_signer_free(stranger);
    bus_signer_free(ours);
}

static void test_keys_are_rotated(void **state)
{
    struct fixture *f = *state;
    struct bus_options old = options_of(f, &f->a);

    old.key = old_key;
    old.key_bytes = sizeof(old_key);
    open_with(f, &f->a, &old);
    open_node(f, &f->b);
    wait_up(f, &f->a, 1);
    wait_up(f, &f->b, 1);
    subscribe(f, &f->b, "u:1");
    publish(&f->a, "u:1", "unknown key");
    loop_sleep(&f->loop, 100);
    assert_int_equal(f->b.messages, 0);

    assert_true(bus_set_keys(f->b.bus, key, sizeof(key), old_key, sizeof(old_key)));
    publish(&f->a, "u:1", "previous key");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, WAIT_MS));
    assert_true(bus_get_stats(f->b.bus)->received_previous >= 1);
    assert_true(bus_set_keys(f->a.bus, key, sizeof(key), NULL, 0));
    publish(&f->a, "u:1", "new key");
    assert_true(loop_wait(&f->loop, &f->b.messages, 2, WAIT_MS));
    assert_false(bus_set_keys(f->a.bus, "short", 5, NULL, 0));
}

/* --- nodes --- */

static void test_nodes_come_and_go(void **state)
{
    struct fixture *f = *state;

    open_both(f);
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->b.joined, 1, WAIT_MS));
    assert_string_equal(f->a.peer, "node b");
    assert_int_equal(bus_node_count(f->a.bus), 2);
    close_node(f, &f->b);
    assert_true(loop_wait(&f->loop, &f->a.left, 1, 500));
    assert_int_equal(bus_node_count(f->a.bus), 1);
    assert_int_equal(f->a.lost, 0);
}

static void test_a_node_that_dies(void **state)
{
    struct fixture *f = *state;
    struct bus_signer *signer = bus_signer_new(key, sizeof(key), NULL, 0);
    const struct bus_header header = {.kind = '{', .node = {{9}}};
    unsigned char frame[BUS_FRAME_HEADER_BYTES + 3];
    uint64_t start_ms;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    /* One heartbeat, and no other. */
    bus_frame_encode(signer, "nodes", &header, "ill", 3, frame);
    memcpy(frame + BUS_FRAME_HEADER_BYTES, "ill", 3);
    publish_raw(f, "nodes", frame, sizeof(frame));
    start_ms = clock_now_ms();
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->a.lost, 1, WAIT_MS));
    assert_in_range(clock_now_ms() - start_ms, 2900, 4500);
    assert_string_equal(f->a.peer, "ill");
    bus_signer_free(signer);
}

/* --- life --- */

static void test_wrong_options(void **state)
{
    struct fixture *f = *state;
    struct bus_options options = options_of(f, &f->a);
    const char *error = NULL;

    options.url = "rediss://host";
    assert_null(bus_new(&f->loop, &options, &error));
    assert_non_null(strstr(error, "TLS"));
    options.url = "unix:/tmp/x";
    options.key_bytes = 3;
    assert_null(bus_new(&f->loop, &options, &error));
    assert_non_null(strstr(error, "key"));
}

static void handle_subscribed_by_closing(void *context, bool ok)
{
    struct node *node = context;

    if (bus_up(node->bus) && node->closed == 0) {
        node->closed = -1;
        bus_close(node->bus, handle_closed, node);
    }
    bus_subscribe(node->bus, "u:9", handle_subscribed, node);
    bus_unsubscribe(node->bus, "u:9");
}

static void test_close_from_inside(void **state)
{
    struct fixture *f = *state;

    open_node(f, &f->a);
    wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "u:1", handle_subscribed_by_closing, &f->a);
    run_command(f, 3, (const char *[]){"DEBUG", "SLEEP", "0.2"});
    while (f->a.bus)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->replies, 1);
    assert_int_equal(f->a.refused, 1);
}

static void test_close_at_any_time(void **state)
{
    struct fixture *f = *state;

    for (int turns = 0; turns < 40; turns++) {
        open_node(f, &f->a);
        bus_subscribe(f->a.bus, "u:1", handle_subscribed, &f->a);
        for (int i = 0; i < turns; i++) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
            usleep(50);
        }
        close_node(f, &f->a);
        assert_int_equal(f->a.confirmed + f->a.refused, turns + 1);
    }
    assert_true(f->a.up > 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_from_node_to_node),
        STORE_TEST(test_binary_and_empty_payloads),
        STORE_TEST(test_unsubscribe),
        STORE_TEST(test_subscribe_and_unsubscribe_in_quick_succession),
        STORE_TEST(test_unsubscribed_before_it_is_confirmed),
        STORE_TEST(test_commands),
        STORE_TEST(test_commands_of_a_lost_connection),
        STORE_TEST(test_redis_is_down_at_start),
        STORE_TEST(test_redis_is_killed_and_started_again),
        STORE_TEST(test_connections_cut_by_redis),
        STORE_TEST(test_a_frozen_redis),
        STORE_TEST(test_a_stalled_loop),
        STORE_TEST(test_over_tcp_by_name),
        cmocka_unit_test_setup_teardown(test_passwords, set_up_password, tear_down),
        STORE_TEST(test_a_channel_that_may_not_be_subscribed),
        STORE_TEST(test_garbage_and_forgeries_are_dropped),
        STORE_TEST(test_keys_are_rotated),
        STORE_TEST(test_nodes_come_and_go),
        STORE_TEST(test_a_node_that_dies),
        STORE_TEST(test_wrong_options),
        STORE_TEST(test_close_from_inside),
        STORE_TEST(test_close_at_any_time),
    };

    if (!getenv("CHATGATE_TEST_REDIS_SERVER")) {
        fputs("skipped: no server, see tests/store/run\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
