/* SPDX-License-Identifier: Apache-2.0 */
/* The bus, on a real Redis that lies. */

#include "gateway/bus.h"
#include "tests/store/bus_probe.h"
#include "tests/store/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char old_key[] = "the key that was before it";

/* --- publish and subscribe --- */

static void test_from_node_to_node(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    bus_probe_subscribe(f, &f->a, "u:1");
    bus_probe_subscribe(f, &f->b, "u:1");
    assert_true(bus_probe_publish(&f->a, "u:1", "{\"t\":\"message\"}"));
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
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
    struct bus_probe *f = *state;
    const struct bus_header header = {.kind = 'x'};

    bus_probe_open_both(f);
    bus_probe_subscribe(f, &f->b, "u:%s {}*");
    assert_true(bus_publish(f->a.bus, "u:%s {}*", &header, "\r\n\0%b\377", 6));
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->b.payload_bytes, 6);
    assert_true(bus_publish(f->a.bus, "u:%s {}*", &header, NULL, 0));
    assert_true(loop_wait(&f->loop, &f->b.messages, 2, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->b.payload_bytes, 0);
}

static void test_unsubscribe(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    bus_probe_subscribe(f, &f->b, "u:1");
    bus_probe_subscribe(f, &f->b, "u:1"); /* a second user of it */
    bus_unsubscribe(f->b.bus, "u:1");
    bus_probe_publish(&f->a, "u:1", "still");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
    bus_unsubscribe(f->b.bus, "u:1");
    loop_sleep(&f->loop, 50);
    bus_probe_publish(&f->a, "u:1", "nobody");
    loop_sleep(&f->loop, 100);
    assert_int_equal(f->b.messages, 1);
    redisReply *reply = redisCommand(f->control, "PUBSUB NUMSUB u:1");
    assert_int_equal(reply->element[1]->integer, 0);
    freeReplyObject(reply);
}

/* What is published after a confirmation arrives, however quick the changes of mind before it. */
static void test_subscribe_and_unsubscribe_in_quick_succession(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open_both(f);
    for (int i = 0; i < 200; i++) {
        int before = f->b.messages;

        bus_probe_subscribe(f, &f->b, "u:1");
        bus_probe_publish(&f->a, "u:1", "x");
        bus_unsubscribe(f->b.bus, "u:1");
        bus_subscribe(f->b.bus, "u:1", NULL, NULL);
        if (i % 2)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        bus_unsubscribe(f->b.bus, "u:1");
        bus_subscribe(f->b.bus, "u:1", NULL, NULL);
        bus_probe_subscribe(f, &f->b, "u:1");
        bus_probe_publish(&f->a, "u:1", "y");
        assert_true(loop_wait(&f->loop, &f->b.messages, before + 1, BUS_PROBE_WAIT_MS));
        while (strcmp(f->b.payload, "y") != 0)
            uv_run(&f->loop, UV_RUN_ONCE);
        bus_unsubscribe(f->b.bus, "u:1");
        bus_unsubscribe(f->b.bus, "u:1");
    }
}

static void test_unsubscribed_before_it_is_confirmed(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "u:1", bus_probe_handle_subscribed, &f->a);
    bus_unsubscribe(f->a.bus, "u:1");
    assert_int_equal(f->a.refused, 0);
    assert_true(loop_wait(&f->loop, &f->a.refused, 1, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->a.confirmed, 0);
}

/* --- commands --- */

static void test_commands(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open(f, &f->a);
    bus_probe_command(f, 2, (const char *[]){"INCR", "n"});
    assert_int_equal(f->replies, 0);
    assert_true(loop_wait(&f->loop, &f->replies, 1, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->reply_type, -1); /* not connected yet */
    bus_probe_wait_up(f, &f->a, 1);
    for (int i = 0; i < 500; i++)
        bus_probe_command(f, 2, (const char *[]){"INCR", "n"});
    assert_true(loop_wait(&f->loop, &f->replies, 501, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->reply_integer, 500);
    bus_probe_command(f, 1, (const char *[]){"NOSUCH"});
    assert_true(loop_wait(&f->loop, &f->replies, 502, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->reply_type, REDIS_REPLY_ERROR);
}

static void test_commands_of_a_lost_connection(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    bus_probe_command(f, 3, (const char *[]){"DEBUG", "SLEEP", "5"});
    bus_probe_command(f, 2, (const char *[]){"INCR", "n"});
    loop_sleep(&f->loop, 50);
    redis_server_kill(&f->server);
    assert_true(loop_wait(&f->loop, &f->replies, 2, BUS_PROBE_WAIT_MS));
    assert_int_equal(f->reply_type, -1);
}

/* --- lies --- */

static void test_garbage_and_forgeries_are_dropped(void **state)
{
    struct bus_probe *f = *state;
    struct bus_signer *stranger = bus_signer_new("a stranger's key", 16, NULL, 0);
    struct bus_signer *ours = bus_signer_new(bus_probe_key, sizeof(bus_probe_key), NULL, 0);
    const struct bus_header header = {.kind = 'm', .number = 1};
    unsigned char frame[BUS_FRAME_HEADER_BYTES + 4] = {0};
    const struct bus_stats *stats;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    bus_probe_subscribe(f, &f->a, "u:1");
    stats = bus_get_stats(f->a.bus);

    bus_probe_publish_raw(f, "u:1", "", 0);
    bus_probe_publish_raw(f, "u:1", "{\"t\":\"message\"}", 15);
    bus_probe_publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(stranger, "u:1", &header, "text", 4, frame);
    memcpy(frame + BUS_FRAME_HEADER_BYTES, "text", 4);
    bus_probe_publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(ours, "u:2", &header, "text", 4, frame); /* somebody else's */
    bus_probe_publish_raw(f, "u:1", frame, sizeof(frame));
    bus_frame_encode(ours, "u:1", &header, "text", 4, frame);
    frame[40] ^= 1;
    bus_probe_publish_raw(f, "u:1", frame, sizeof(frame));
    frame[40] ^= 1;
    bus_probe_publish_raw(f, "u:1", frame, sizeof(frame)); /* the only good one */
    assert_true(loop_wait(&f->loop, &f->a.messages, 1, BUS_PROBE_WAIT_MS));
    loop_sleep(&f->loop, 50);
    assert_int_equal(f->a.messages, 1);
    assert_int_equal(stats->malformed, 3);
    assert_int_equal(stats->forged, 3);
    bus_signer_free(stranger);
    bus_signer_free(ours);
}

static void test_keys_are_rotated(void **state)
{
    struct bus_probe *f = *state;
    struct bus_options old = bus_probe_options(f, &f->a);

    old.key = old_key;
    old.key_bytes = sizeof(old_key);
    bus_probe_open_with(f, &f->a, &old);
    bus_probe_open(f, &f->b);
    bus_probe_wait_up(f, &f->a, 1);
    bus_probe_wait_up(f, &f->b, 1);
    bus_probe_subscribe(f, &f->b, "u:1");
    bus_probe_publish(&f->a, "u:1", "unknown key");
    loop_sleep(&f->loop, 100);
    assert_int_equal(f->b.messages, 0);

    assert_true(
        bus_set_keys(f->b.bus, bus_probe_key, sizeof(bus_probe_key), old_key, sizeof(old_key)));
    bus_probe_publish(&f->a, "u:1", "previous key");
    assert_true(loop_wait(&f->loop, &f->b.messages, 1, BUS_PROBE_WAIT_MS));
    assert_true(bus_get_stats(f->b.bus)->received_previous >= 1);
    assert_true(bus_set_keys(f->a.bus, bus_probe_key, sizeof(bus_probe_key), NULL, 0));
    bus_probe_publish(&f->a, "u:1", "new key");
    assert_true(loop_wait(&f->loop, &f->b.messages, 2, BUS_PROBE_WAIT_MS));
    assert_false(bus_set_keys(f->a.bus, "short", 5, NULL, 0));
}

/* --- life --- */

static void test_wrong_options(void **state)
{
    struct bus_probe *f = *state;
    struct bus_options options = bus_probe_options(f, &f->a);
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
    struct bus_probe_node *node = context;

    if (bus_up(node->bus) && node->closed == 0) {
        node->closed = -1;
        bus_close(node->bus, bus_probe_handle_closed, node);
    }
    bus_subscribe(node->bus, "u:9", bus_probe_handle_subscribed, node);
    bus_unsubscribe(node->bus, "u:9");
}

static void test_close_from_inside(void **state)
{
    struct bus_probe *f = *state;

    bus_probe_open(f, &f->a);
    bus_probe_wait_up(f, &f->a, 1);
    bus_subscribe(f->a.bus, "u:1", handle_subscribed_by_closing, &f->a);
    bus_probe_command(f, 3, (const char *[]){"DEBUG", "SLEEP", "0.2"});
    while (f->a.bus)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->replies, 1);
    assert_int_equal(f->a.refused, 1);
}

static void test_close_at_any_time(void **state)
{
    struct bus_probe *f = *state;

    for (int turns = 0; turns < 40; turns++) {
        bus_probe_open(f, &f->a);
        bus_subscribe(f->a.bus, "u:1", bus_probe_handle_subscribed, &f->a);
        for (int i = 0; i < turns; i++) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
            usleep(50);
        }
        bus_probe_close(f, &f->a);
        assert_int_equal(f->a.confirmed + f->a.refused, turns + 1);
    }
    assert_true(f->a.up > 0);
}

#define STORE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, bus_probe_set_up, bus_probe_tear_down)

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
        STORE_TEST(test_garbage_and_forgeries_are_dropped),
        STORE_TEST(test_keys_are_rotated),
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
