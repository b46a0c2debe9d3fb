/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes are alive */

#include "gateway/bus_nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct uuid id_a = {{1}}, id_b = {{2}};

static void test_come_and_leave(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;
    struct bus_node node;

    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 0, "host a", 6), BUS_NODES_NEW);
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 0, "host a", 6), BUS_NODES_KNOWN);
    assert_int_equal(bus_nodes_hear(&nodes, &id_b, 0, "host b", 6), BUS_NODES_NEW);
    assert_int_equal(nodes.count, 2);
    assert_true(bus_nodes_leave(&nodes, &id_a, &node));
    assert_string_equal(node.name, "host a");
    assert_false(bus_nodes_leave(&nodes, &id_a, &node));
    assert_int_equal(nodes.count, 1);
    bus_nodes_deinit(&nodes);
}

static void test_silence_loses_a_node(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;
    struct bus_node node;

    bus_nodes_hear(&nodes, &id_a, 0, "a", 1);
    bus_nodes_hear(&nodes, &id_b, 0, "b", 1);
    for (int i = 1; i < BUS_NODE_SILENT_TICKS; i++) {
        bus_nodes_tick(&nodes);
        assert_false(bus_nodes_take_lost(&nodes, &node));
        bus_nodes_hear(&nodes, &id_b, 0, "b", 1);
    }
    bus_nodes_tick(&nodes);
    assert_true(bus_nodes_take_lost(&nodes, &node));
    assert_true(uuid_equal(&node.id, &id_a));
    assert_false(bus_nodes_take_lost(&nodes, &node));
    assert_int_equal(nodes.count, 1);
    /* It was only ill. */
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 0, "a", 1), BUS_NODES_NEW);
    bus_nodes_deinit(&nodes);
}

static void test_forgiven_nodes_have_their_full_time(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;
    struct bus_node node;

    bus_nodes_hear(&nodes, &id_a, 0, "a", 1);
    for (int i = 0; i < 10; i++)
        bus_nodes_tick(&nodes);
    bus_nodes_forgive(&nodes);
    bus_nodes_tick(&nodes);
    assert_false(bus_nodes_take_lost(&nodes, &node));
    bus_nodes_deinit(&nodes);
}

static void test_alone_after_silence_only(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;
    struct bus_node node;

    for (int i = 0; i < BUS_NODE_SILENT_TICKS; i++) {
        assert_false(bus_nodes_alone(&nodes));
        bus_nodes_tick(&nodes);
    }
    assert_true(bus_nodes_alone(&nodes));
    bus_nodes_hear(&nodes, &id_a, 0, "a", 1);
    assert_false(bus_nodes_alone(&nodes));
    bus_nodes_tick(&nodes);
    bus_nodes_leave(&nodes, &id_a, &node);
    bus_nodes_tick(&nodes);
    assert_false(bus_nodes_alone(&nodes));
    for (int i = 1; i < BUS_NODE_SILENT_TICKS; i++)
        bus_nodes_tick(&nodes);
    assert_true(bus_nodes_alone(&nodes));
    bus_nodes_forgive(&nodes);
    assert_false(bus_nodes_alone(&nodes));
    bus_nodes_deinit(&nodes);
}

static void test_what_was_withheld_is_told_once(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;

    assert_null(bus_nodes_find(&nodes, &id_a));
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 5, "a", 1), BUS_NODES_NEW);
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 5, "a", 1), BUS_NODES_KNOWN);
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 6, "a", 1), BUS_NODES_WITHHELD);
    assert_int_equal(bus_nodes_hear(&nodes, &id_a, 6, "a", 1), BUS_NODES_KNOWN);
    assert_string_equal(bus_nodes_find(&nodes, &id_a)->name, "a");
    bus_nodes_deinit(&nodes);
}

static void test_names_and_numbers_are_bounded(void **state)
{
    struct bus_nodes nodes = BUS_NODES_NULL;
    char name[1000];

    memset(name, 'x', sizeof(name));
    for (uint16_t i = 0; i < BUS_NODES_MAX + 10; i++) {
        struct uuid id = UUID_NIL;

        memcpy(id.bytes, &i, sizeof(i));
        assert_int_equal(bus_nodes_hear(&nodes, &id, 0, name, sizeof(name)),
                         i < BUS_NODES_MAX ? BUS_NODES_NEW : BUS_NODES_KNOWN);
    }
    assert_int_equal(nodes.count, BUS_NODES_MAX);
    assert_int_equal(strlen(nodes.nodes[0].name), BUS_NODE_NAME_BYTES);
    bus_nodes_deinit(&nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_come_and_leave),
        cmocka_unit_test(test_silence_loses_a_node),
        cmocka_unit_test(test_forgiven_nodes_have_their_full_time),
        cmocka_unit_test(test_alone_after_silence_only),
        cmocka_unit_test(test_what_was_withheld_is_told_once),
        cmocka_unit_test(test_names_and_numbers_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
