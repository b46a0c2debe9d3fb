/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/uuid_map.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/uuid_map.h"

enum { MANY = 20000 };

static int values[MANY];

static struct uuid numbered(unsigned n)
{
    struct uuid uuid = UUID_NIL;

    memcpy(uuid.bytes, &n, sizeof(n));
    return uuid;
}

static void fill(struct uuid_map *map, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct uuid key = numbered(i);

        assert_null(uuid_map_put(map, &key, &values[i]));
    }
}

static void empty(struct uuid_map *map)
{
    size_t position = 0;
    struct uuid key;

    while (uuid_map_next(map, &position, &key))
        assert_non_null(uuid_map_remove(map, &key));
    uuid_map_deinit(map);
}

static void test_empty_map(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;
    struct uuid key = numbered(1);
    size_t position = 0;

    assert_null(uuid_map_get(&map, &key));
    assert_null(uuid_map_remove(&map, &key));
    assert_null(uuid_map_next(&map, &position, NULL));
    assert_int_equal(uuid_map_count(&map), 0);
    uuid_map_deinit(&map);
}

static void test_put_get_remove(void **state)
{
    struct uuid_map map;
    struct uuid key = numbered(7), nil = UUID_NIL;

    uuid_map_init(&map);
    assert_null(uuid_map_put(&map, &key, &values[0]));
    assert_null(uuid_map_put(&map, &nil, &values[2]));
    assert_ptr_equal(uuid_map_put(&map, &key, &values[1]), &values[0]);
    assert_ptr_equal(uuid_map_get(&map, &key), &values[1]);
    assert_ptr_equal(uuid_map_get(&map, &nil), &values[2]);
    assert_int_equal(uuid_map_count(&map), 2);
    assert_ptr_equal(uuid_map_remove(&map, &key), &values[1]);
    assert_null(uuid_map_remove(&map, &key));
    assert_null(uuid_map_get(&map, &key));
    empty(&map);
}

static void test_grows_and_finds_all(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;

    fill(&map, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        struct uuid key = numbered(i);

        assert_ptr_equal(uuid_map_get(&map, &key), &values[i]);
    }
    assert_int_equal(uuid_map_count(&map), MANY);
    assert_true(map.capacity <= 4 * MANY);
    empty(&map);
}

/* Random puts and removals beside a plain array that knows the truth. */
static void test_against_a_model(void **state)
{
    static bool present[512];
    struct uuid_map map = UUID_MAP_INIT;
    unsigned expected = 0;

    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned n = (unsigned)rand() % 512;
        struct uuid key = numbered(n);

        if (rand() % 2 == 0) {
            assert_ptr_equal(uuid_map_put(&map, &key, &values[n]), present[n] ? &values[n] : NULL);
            expected += !present[n];
            present[n] = true;
        } else {
            assert_ptr_equal(uuid_map_remove(&map, &key), present[n] ? &values[n] : NULL);
            expected -= present[n];
            present[n] = false;
        }
        assert_int_equal(uuid_map_count(&map), expected);
    }
    assert_true(map.capacity <= 2048);
    empty(&map);
}

/* One key after another in and out, as connections come and go: the marks do not pile up. */
static void test_churn_keeps_it_small(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;

    fill(&map, 8);
    for (unsigned i = 8; i < MANY; i++) {
        struct uuid key = numbered(i), old = numbered(i - 8);

        uuid_map_put(&map, &key, &values[i]);
        assert_ptr_equal(uuid_map_remove(&map, &old), &values[i - 8]);
    }
    assert_int_equal(uuid_map_count(&map), 8);
    assert_true(map.capacity <= 32);
    empty(&map);
}

static void test_shrinks_when_rebuilt(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;
    size_t large;

    fill(&map, MANY);
    large = map.capacity;
    for (unsigned i = 10; i < MANY; i++) {
        struct uuid key = numbered(i);

        uuid_map_remove(&map, &key);
    }
    for (unsigned i = 10; i < 2 * MANY; i++) {
        struct uuid key = numbered(i);

        uuid_map_put(&map, &key, &values[0]);
        uuid_map_remove(&map, &key);
    }
    assert_true(map.capacity <= large);
    empty(&map);
}

/* While iterating, remove the present entry and one that has not come yet, or has. */
static void test_removal_while_iterating(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;
    static unsigned visits[MANY];
    static bool gone[MANY];

    fill(&map, 1000);
    UUID_MAP_FOREACH (value, &map) {
        unsigned i = (unsigned)((int *)value - values);
        struct uuid key = numbered(i), other = numbered((i + 500) % 1000);

        assert_false(gone[i]);
        visits[i]++;
        if (i % 3 == 0) {
            uuid_map_remove(&map, &key);
            gone[i] = true;
        } else if (i % 3 == 1) {
            uuid_map_remove(&map, &other);
            gone[(i + 500) % 1000] = true;
        }
    }
    for (unsigned i = 0; i < 1000; i++) {
        struct uuid key = numbered(i);

        assert_true(visits[i] <= 1);
        assert_true(visits[i] == 1 || gone[i]);
        assert_ptr_equal(uuid_map_get(&map, &key), gone[i] ? NULL : &values[i]);
    }
    empty(&map);
}

static void test_break_leaves_the_loop(void **state)
{
    struct uuid_map map = UUID_MAP_INIT;
    unsigned visited = 0;

    fill(&map, 10);
    UUID_MAP_FOREACH (value, &map) {
        assert_non_null(value);
        visited++;
        break;
    }
    assert_int_equal(visited, 1);
    empty(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_map),
        cmocka_unit_test(test_put_get_remove),
        cmocka_unit_test(test_grows_and_finds_all),
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_churn_keeps_it_small),
        cmocka_unit_test(test_shrinks_when_rebuilt),
        cmocka_unit_test(test_removal_while_iterating),
        cmocka_unit_test(test_break_leaves_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
