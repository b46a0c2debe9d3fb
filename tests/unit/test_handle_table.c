/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/handle_table.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/handle_table.h"

enum { MANY = 1000 };

static struct handle_table table;
static int objects[MANY];
static struct handle handles[MANY];

static int set_up(void **state)
{
    handle_table_init(&table);
    return 0;
}

static int tear_down(void **state)
{
    handle_table_deinit(&table);
    return 0;
}

static void add_all(void)
{
    for (int i = 0; i < MANY; i++)
        handles[i] = handle_add(&table, &objects[i]);
}

static void remove_all(void)
{
    for (int i = 0; i < MANY; i++)
        if (handle_get(&table, handles[i]))
            handle_remove(&table, handles[i]);
}

static void test_the_zero_handle_names_nothing(void **state)
{
    const struct handle zero = {0};

    assert_null(handle_get(&table, zero));
    struct handle handle = handle_add(&table, &objects[0]);
    assert_true(handle.slot != 0 && handle.generation != 0);
    assert_null(handle_get(&table, zero));
    handle_remove(&table, handle);
    assert_null(handle_get(&table, zero));
}

static void test_handles_outlive_growth(void **state)
{
    add_all();
    assert_int_equal(table.used, MANY);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(handle_get(&table, handles[i]), &objects[i]);
    remove_all();
    assert_int_equal(table.used, 0);
}

static void test_an_old_handle_finds_nobody(void **state)
{
    struct handle old = handle_add(&table, &objects[0]);

    handle_remove(&table, old);
    assert_null(handle_get(&table, old));
    struct handle next = handle_add(&table, &objects[1]);
    assert_int_equal(next.slot, old.slot); /* the slot is used again, the handle is not */
    assert_null(handle_get(&table, old));
    assert_ptr_equal(handle_get(&table, next), &objects[1]);
    handle_remove(&table, next);
}

static void test_made_up_handles_find_nobody(void **state)
{
    struct handle real = handle_add(&table, &objects[0]);

    assert_null(handle_get(&table, (struct handle){real.slot, real.generation + 1}));
    assert_null(handle_get(&table, (struct handle){real.slot + 1, 1})); /* free */
    assert_null(handle_get(&table, (struct handle){UINT32_MAX, 1}));
    assert_null(handle_get(&table, (struct handle){0, 1}));
    handle_remove(&table, real);
}

static void test_every_live_object_is_seen_once(void **state)
{
    size_t cursor = 0, seen = 0;

    add_all();
    for (int i = 0; i < MANY; i += 3)
        handle_remove(&table, handles[i]);
    for (int *object; (object = handle_next(&table, &cursor)) != NULL; seen++) {
        size_t index = (size_t)(object - objects);
        assert_true(index % 3 != 0);
        *object += 1;
    }
    assert_int_equal(seen, table.used);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(objects[i], i % 3 != 0);
        objects[i] = 0;
    }
    remove_all();
}

static void test_removing_while_stepping(void **state)
{
    size_t cursor = 0, removed = 0;

    add_all();
    for (int *object; (object = handle_next(&table, &cursor)) != NULL; removed++)
        handle_remove(&table, handles[object - objects]);
    assert_int_equal(removed, MANY);
    assert_int_equal(table.used, 0);
}

static void test_stepping_through_nothing(void **state)
{
    size_t cursor = 0;
    assert_null(handle_next(&table, &cursor));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_zero_handle_names_nothing),  TEST(test_handles_outlive_growth),
        TEST(test_an_old_handle_finds_nobody),     TEST(test_made_up_handles_find_nobody),
        TEST(test_every_live_object_is_seen_once), TEST(test_removing_while_stepping),
        TEST(test_stepping_through_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
