/* SPDX-License-Identifier: Apache-2.0 */
/* The bus, on a Redis that is killed, frozen, restarted and locked; nodes that come and go. */

#include "gateway/bus.h"
#include "gateway/bus_nodes.h"
#include "gateway/clock.h"
#include "tests/store/bus_probe.h"
#include "tests/store/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- Redis goes and comes --- */

static void test_redis_is_down_at_start(void **state)
{
    struct bus_probe *f = *state;

    redis_server_kill(&f->server);
    bus_probe_open(f, &f->a);
    bus_subscribe(f->a.bus, "u:1", bus_probe_handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, BUS_PROBE_WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->a.down, 2, BUS_PROBE_WAIT_MS));
    assert_false(bus_up(f->a.bus));
    assert_false(bus_probe_publish(&f->a, "u:1", "lost"));
    redis_server_start(&f->server);
    bus_probe_wait_up(f, &f->a, 1);
    bus_probe_open(f, &f->b);
    bus_probe_wait_up(f, &f->b, 1);
    bus_probe_publish(&f->b, "u:1", "hello"); /* it was subscribed before on_state(up) */
    assert_true(loop_wait(&f->loop, &f->a.messages, 1, BUS_PROBE_WAIT_MS));
}

static void test_redis_is_killed_and_started_again(void **state)
{
    struct bus_probe *f = *state;
    char channel[20];

    bus_probe_open_both(f);
    for (int i = 0; i < 5000; i++) {
        snprintf(channel, sizeof(channel), "u:%d", i);
        bus_subscribe(f->b.bus, channel, bus_probe_handle_subscribed, &f->b);
    }
    assert_true(loop_wait(&f->loop, &f->b.confirmed, 5000, BUS_PROBE_WAIT_MS));
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 2500));
    assert_false(bus_up(f->b.bus));
    redis_server_start(&f->server);
    bus_probe_wait_up(f, &f->b, 2);
    bus_probe_wait_up(f, &f->a, 2);
    for (int i = 0; i < 5000; i += 499) {
        int before = f->b.messages;

        snprintf(channel, sizeof(channel), "u:%d", i);
        assert_true(bus_probe_publish(&f->a, channel, "again"));
        assert_true(loop_wait(&f->loop, &f->b.messages, before + 1, BUS_PROBE_WAIT_MS));
    }
    assert_true(bus_get_stats(f->b.bus)->lost >= 1);
    assert_int_equal(f->a.lost, 0); /* nobody can be heard while Redis is away */
}

static void test_connections_cut_by_redis(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    bus_probe_subscribe(f, &f->b, "u:1");
    freeReplyObject(redisCommand(f->control, "CLIENT KILL TYPE pubsub"));
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 2500));
    bus_probe_wait_up(f, &f->b, 2);
    bus_probe_wait_up(f, &f->a, 2);
    freeReplyObject(redisCommand(f->control, "CLIENT KILL TYPE normal SKIPME yes"));
    assert_true(loop_wait(&f->loop, &f->a.down, 2, 2500));
    bus_probe_wait_up(f, &f->a, 3);
    bus_probe_wait_up(f, &f->b, 3);
    bus_probe_publish(&f->a, "u:1", "again");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
}

static void test_a_frozen_redis(void **state)
{
    struct bus_probe *f = *state;
    uint64_t start_ms;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    start_ms = clock_now_ms();
    kill(f->server.pid, SIGSTOP);
    bus_subscribe(f->a.bus, "u:1", bus_probe_handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.down, 1, BUS_PROBE_WAIT_MS));
    assert_in_range(clock_now_ms() - start_ms, 1900, 4500);
    assert_string_equal(f->a.reason, "no answer to a ping");
    kill(f->server.pid, SIGCONT);
    bus_probe_wait_up(f, &f->a, 2);
    assert_int_equal(f->a.refused, 1);
}

/* A stall of our own loop is not Redis' silence, nor the other nodes'. */
static void test_a_stalled_loop(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, BUS_PROBE_WAIT_MS));
    sleep(5);
    loop_sleep(&f->loop, 2500);
    assert_int_equal(f->a.down, 0);
    assert_int_equal(f->a.lost, 0);
}

static void test_over_tcp_by_name(void **state)
{
    struct bus_probe *f = *state;

    snprintf(f->url, sizeof(f->url), "redis://localhost:%d/0", f->server.port);
    bus_probe_open_both(f);
    bus_probe_subscribe(f, &f->b, "u:1");
    bus_probe_publish(&f->a, "u:1", "tcp");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, 2500));
    redis_server_start(&f->server);
    bus_probe_wait_up(f, &f->b, 2);
}

static void test_passwords(void **state)
{
    struct bus_probe *f = *state;
    struct bus_options options = bus_probe_options(f, &f->b);

    snprintf(f->url, sizeof(f->url), "redis://:p%%40ss%%20word@127.0.0.1:%d/3", f->server.port);
    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);

    snprintf(f->url, sizeof(f->url), "unix://%s?db=2", f->server.socket);
    options.password = "wrong";
    bus_probe_open_with(f, &f->b, &options);
    assert_true(loop_wait(&f->loop, &f->b.down, 2, BUS_PROBE_WAIT_MS));
    assert_non_null(strstr(f->b.reason, "WRONGPASS"));
    bus_probe_close(f, &f->b);
    options.password = "p@ss word";
    bus_probe_open_with(f, &f->b, &options);
    bus_probe_wait_up(f, &f->b, 1);
    bus_probe_close(f, &f->b);
    f->b.down = 0;
    options.password = NULL;
    bus_probe_open_with(f, &f->b, &options);
    assert_true(loop_wait(&f->loop, &f->b.down, 1, BUS_PROBE_WAIT_MS));
    assert_non_null(strstr(f->b.reason, "NOAUTH"));
}

static void test_a_channel_that_may_not_be_subscribed(void **state)
{
    struct bus_probe *f = *state;

    freeReplyObject(redisCommand(
        f->control, "ACL SETUSER limited on >word resetchannels &nodes &u:* +@all ~*"));
    snprintf(f->url, sizeof(f->url), "redis://limited:word@127.0.0.1:%d", f->server.port);
    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "mod", bus_probe_handle_subscribed, &f->a);
    assert_true(loop_wait(&f->loop, &f->a.down, 1, BUS_PROBE_WAIT_MS));
    assert_non_null(strstr(f->a.reason, "NOPERM"));
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, BUS_PROBE_WAIT_MS));
}

/* --- nodes --- */

static void test_nodes_come_and_go(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, BUS_PROBE_WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->b.joined, 1, BUS_PROBE_WAIT_MS));
    assert_string_equal(f->a.peer, "node b");
    assert_int_equal(bus_node_count(f->a.bus), 2);
    bus_probe_close(f, &f->b);
    assert_true(loop_wait(&f->loop, &f->a.left, 1, 2500));
    assert_int_equal(bus_node_count(f->a.bus), 1);
    assert_int_equal(f->a.lost, 0);
}

static void test_a_node_that_dies(void **state)
{
    struct bus_probe *f = *state;
    struct bus_signer *signer = bus_signer_new(bus_probe_key, sizeof(bus_probe_key), NULL, 0);
    const struct bus_header header = {.kind = '{', .node = {{9}}};
    unsigned char frame[BUS_FRAME_HEADER_BYTES + 3];
    uint64_t start_ms;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    /* One heartbeat, and no other. */
    bus_frame_encode(signer, "nodes", &header, "ill", 3, frame);
    memcpy(frame + BUS_FRAME_HEADER_BYTES, "ill", 3);
    bus_probe_publish_raw(f, "nodes", frame, sizeof(frame));
    start_ms = clock_now_ms();
    assert_true(loop_wait(&f->loop, &f->a.joined, 1, BUS_PROBE_WAIT_MS));
    assert_true(loop_wait(&f->loop, &f->a.lost, 1, BUS_PROBE_WAIT_MS));
    assert_in_range(clock_now_ms() - start_ms, 2900, 4500);
    assert_string_equal(f->a.peer, "ill");
    bus_signer_free(signer);
}

enum { ALONE_MS = (BUS_NODE_SILENT_TICKS + 1) * 1000 };

/* What a lone node withholds is not missed: the first word of the other makes it publish, and its
 * own tells the other to look. */
static void test_a_lone_node_publishes_nothing(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    assert_true(bus_probe_publish(&f->a, "u:1", "perhaps somebody is there"));
    loop_sleep(&f->loop, ALONE_MS);
    assert_false(bus_probe_publish(&f->a, "u:1", "nobody is"));
    assert_int_equal(bus_get_stats(f->a.bus)->withheld, 1);
    bus_probe_open(f, &f->b);
    bus_probe_wait_up(f, &f->b, 1);
    bus_probe_subscribe(f, &f->b, "u:1");
    assert_true(loop_wait(&f->loop, &f->b.joined, 1, 500)); /* sooner than a heartbeat */
    assert_true(bus_probe_publish(&f->a, "u:1", "hello"));
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
    assert_string_equal(f->b.payload, "hello");
    assert_int_equal(f->b.withheld, 0);
}

/* One that was lost sight of knows the other all the while, and is told nevertheless. */
static void test_a_node_that_was_thought_dead(void **state)
{
    struct bus_probe *f = *state;
    struct bus_signer *signer = bus_signer_new(bus_probe_key, sizeof(bus_probe_key), NULL, 0);
    struct bus_header header = {.kind = '{', .node = {{9}}};
    unsigned char frame[BUS_FRAME_HEADER_BYTES];

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    for (header.number = 0; header.number < 2; header.number++) {
        bus_frame_encode(signer, "nodes", &header, NULL, 0, frame);
        bus_probe_publish_raw(f, "nodes", frame, sizeof(frame));
        assert_true(loop_wait(&f->loop, &f->a.joined, 1, BUS_PROBE_WAIT_MS));
    }
    assert_true(loop_wait(&f->loop, &f->a.withheld, 1, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->a.joined, 1);
    bus_signer_free(signer);
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, bus_probe_set_up, bus_probe_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_redis_is_down_at_start),
        STORE_TEST(test_redis_is_killed_and_started_again),
        STORE_TEST(test_connections_cut_by_redis),
        STORE_TEST(test_a_frozen_redis),
        STORE_TEST(test_a_stalled_loop),
        STORE_TEST(test_over_tcp_by_name),
        cmocka_unit_test_setup_teardown(test_passwords, bus_probe_set_up_password,
                                        bus_probe_tear_down),
        STORE_TEST(test_a_channel_that_may_not_be_subscribed),
        STORE_TEST(test_nodes_come_and_go),
        STORE_TEST(test_a_node_that_dies),
        STORE_TEST(test_a_lone_node_publishes_nothing),
        STORE_TEST(test_a_node_that_was_thought_dead),
    };

    if (!getenv("CHATGATE_TEST_REDIS_SERVER")) {
        fputs("skipped: no server, see tests/store/run\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
