/* SPDX-License-Identifier: Apache-2.0 */
/* Which channels are wanted and confirmed */

#include "gateway/bus_channels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int confirmed, refused;

static void handle_done(void *context, bool ok)
{
    if (ok)
        confirmed++;
    else
        refused++;
}

static int set_up(void **state)
{
    confirmed = refused = 0;
    *state = bus_channels_new();
    bus_channels_connected(*state);
    return 0;
}

static int tear_down(void **state)
{
    bus_channels_disconnected(*state);
    bus_channels_finish(*state);
    bus_channels_free(*state);
    return 0;
}

/* Expects the next command to be this one for this channel alone, or nothing at all. */
static void assert_next(struct bus_channels *channels, enum bus_channels_command expected,
                        const char *name)
{
    enum bus_channels_command command;
    const char *names[4];

    assert_int_equal(bus_channels_next(channels, &command, names, 4), 1);
    assert_int_equal(command, expected);
    assert_string_equal(names[0], name);
}

static void assert_nothing_next(struct bus_channels *channels)
{
    enum bus_channels_command command;
    const char *names[4];

    assert_int_equal(bus_channels_next(channels, &command, names, 4), 0);
}

static void add(struct bus_channels *channels, const char *name)
{
    bus_channels_add(channels, name, handle_done, NULL);
}

static void test_one_life(void **state)
{
    struct bus_channels *channels = *state;

    assert_true(bus_channels_settled(channels));
    add(channels, "a");
    assert_false(bus_channels_settled(channels));
    assert_true(bus_channels_wanted(channels, "a"));
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    assert_nothing_next(channels);
    assert_int_equal(bus_channels_awaiting(channels), 1);
    assert_false(bus_channels_settled(channels));
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    assert_true(bus_channels_settled(channels));
    assert_int_equal(confirmed, 0); /* not from inside */
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 1);

    bus_channels_remove(channels, "a");
    assert_false(bus_channels_wanted(channels, "a"));
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    assert_true(bus_channels_settled(channels));
    assert_nothing_next(channels);
}

static void test_users_are_counted(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    add(channels, "a"); /* is there already */
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 3);
    bus_channels_remove(channels, "a");
    bus_channels_remove(channels, "a");
    assert_nothing_next(channels);
    bus_channels_remove(channels, "a");
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
}

static void test_given_up_before_it_is_told(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    bus_channels_remove(channels, "a");
    assert_nothing_next(channels);
    bus_channels_finish(channels);
    assert_int_equal(refused, 1);
}

static void test_given_up_before_it_is_confirmed(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_remove(channels, "a");
    assert_nothing_next(channels); /* one at a time */
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_finish(channels);
    assert_int_equal(refused, 1);
    assert_int_equal(confirmed, 0);
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
}

static void test_wanted_again_before_it_is_gone(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_finish(channels);
    bus_channels_remove(channels, "a");
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    add(channels, "a");
    assert_nothing_next(channels);
    bus_channels_confirm(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 1); /* the second isn't yet */
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 2);
}

static void test_wanted_again_before_the_end_is_told(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_remove(channels, "a");
    add(channels, "a");
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 2);
    assert_nothing_next(channels);
    assert_true(bus_channels_settled(channels));
}

static void test_a_lost_connection(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "there");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "there");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "there");
    add(channels, "joining");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "joining");
    add(channels, "told to nobody");
    bus_channels_disconnected(channels);
    add(channels, "added while away");
    assert_nothing_next(channels);
    bus_channels_finish(channels);
    assert_int_equal(confirmed, 1);
    assert_int_equal(refused, 3);
    assert_false(bus_channels_settled(channels));

    enum bus_channels_command command;
    const char *names[8];
    bus_channels_connected(channels);
    assert_int_equal(bus_channels_next(channels, &command, names, 8), 4);
    assert_int_equal(command, BUS_CHANNELS_SUBSCRIBE);
    for (size_t i = 0; i < 4; i++)
        bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, names[i]);
    assert_true(bus_channels_settled(channels));
    bus_channels_finish(channels);
    assert_int_equal(confirmed + refused, 4); /* each once */
}

static void test_what_was_leaving_is_gone_with_the_connection(void **state)
{
    struct bus_channels *channels = *state;

    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_remove(channels, "a");
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    bus_channels_disconnected(channels);
    bus_channels_connected(channels);
    assert_nothing_next(channels);
    assert_true(bus_channels_settled(channels));
}

static void test_batches_are_of_one_kind(void **state)
{
    struct bus_channels *channels = *state;
    enum bus_channels_command command;
    const char *names[4];

    add(channels, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    add(channels, "b");
    add(channels, "c");
    bus_channels_remove(channels, "a");
    add(channels, "d");
    assert_int_equal(bus_channels_next(channels, &command, names, 4), 2);
    assert_next(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "d");
    assert_int_equal(bus_channels_awaiting(channels), 4);
}

static void test_confirmations_that_nobody_asked_for(void **state)
{
    struct bus_channels *channels = *state;

    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "unknown");
    add(channels, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    assert_next(channels, BUS_CHANNELS_SUBSCRIBE, "a");
    bus_channels_confirm(channels, BUS_CHANNELS_UNSUBSCRIBE, "a");
    assert_int_equal(bus_channels_awaiting(channels), 1);
}

static void test_a_hundred_thousand(void **state)
{
    enum { COUNT = 100000 };
    struct bus_channels *channels = *state;
    enum bus_channels_command command;
    const char *names[256];
    char name[32];
    size_t n, total = 0;

    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "u:%d", i);
        add(channels, name);
    }
    while ((n = bus_channels_next(channels, &command, names, 256)) > 0) {
        total += n;
        for (size_t i = 0; i < n; i++)
            bus_channels_confirm(channels, command, names[i]);
    }
    assert_int_equal(total, COUNT);
    bus_channels_finish(channels);
    assert_int_equal(confirmed, COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "u:%d", i);
        bus_channels_remove(channels, name);
    }
    while ((n = bus_channels_next(channels, &command, names, 256)) > 0)
        for (size_t i = 0; i < n; i++)
            bus_channels_confirm(channels, command, strcpy(name, names[i]));
    assert_true(bus_channels_settled(channels));
}

#define CHANNELS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANNELS_TEST(test_one_life),
        CHANNELS_TEST(test_users_are_counted),
        CHANNELS_TEST(test_given_up_before_it_is_told),
        CHANNELS_TEST(test_given_up_before_it_is_confirmed),
        CHANNELS_TEST(test_wanted_again_before_it_is_gone),
        CHANNELS_TEST(test_wanted_again_before_the_end_is_told),
        CHANNELS_TEST(test_a_lost_connection),
        CHANNELS_TEST(test_what_was_leaving_is_gone_with_the_connection),
        CHANNELS_TEST(test_batches_are_of_one_kind),
        CHANNELS_TEST(test_confirmations_that_nobody_asked_for),
        CHANNELS_TEST(test_a_hundred_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
