/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/rule_store.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/rule_store.h"

enum { LARGE = 100000 };

static char folder[64], data[LARGE];

static int set_up(void **state)
{
    strcpy(folder, "/tmp/chatgate-rule-store-XXXXXX");
    memset(data, 'd', sizeof(data));
    return mkdtemp(folder) ? 0 : -1;
}

static size_t count_files(char first[256])
{
    char pattern[96];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/*.rules.db", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    size_t count = found.gl_pathc;
    snprintf(first, 256, "%s", found.gl_pathv[0]);
    globfree(&found);
    return count;
}

static int tear_down(void **state)
{
    char path[256];

    while (count_files(path) > 0)
        unlink(path);
    return rmdir(folder);
}

static void put(const char *key, size_t length)
{
    struct rule_store *store = rule_store_new(folder);
    struct rule_cache cache = rule_store_cache(store);

    cache.store(cache.context, key, strlen(key), data, length);
    rule_store_free(store);
}

/* Whether a new process would find it. */
static bool found(const char *key)
{
    struct rule_store *store = rule_store_new(folder);
    struct rule_cache cache = rule_store_cache(store);
    size_t length = 0;
    char *bytes = cache.load(cache.context, key, strlen(key), &length);
    bool good = bytes && length == LARGE && memcmp(bytes, data, LARGE) == 0;

    assert_true(good || !bytes);
    free(bytes);
    rule_store_free(store);
    return good;
}

static void test_kept_on_disk(void **state)
{
    assert_false(found("key"));
    put("key", LARGE);
    assert_true(found("key"));
    assert_false(found("another"));
}

static void test_small_ones_are_not_worth_a_file(void **state)
{
    char path[256];

    put("key", 1000);
    assert_int_equal(count_files(path), 0);
}

static void damage(off_t at)
{
    char path[256], byte = 'x';

    assert_int_equal(count_files(path), 1);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_a_damaged_file_is_not_used_and_goes(void **state)
{
    static const off_t places[] = {0, 10, 40, LARGE};
    char path[256];

    for (size_t i = 0; i < 4; i++) {
        put("key", LARGE);
        damage(places[i]);
        assert_false(found("key"));
        assert_int_equal(count_files(path), 0);
    }
    put("key", LARGE);
    assert_int_equal(count_files(path), 1);
    assert_int_equal(truncate(path, LARGE / 2), 0);
    assert_false(found("key"));
}

static void test_a_file_that_others_can_write_is_not_used(void **state)
{
    char path[256];

    put("key", LARGE);
    count_files(path);
    assert_int_equal(chmod(path, 0620), 0);
    assert_false(found("key"));
}

static void test_a_few_files_are_kept(void **state)
{
    char path[256], key[16];

    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        put(key, LARGE);
    }
    assert_int_equal(count_files(path), 8);
    assert_true(found("key 19"));
}

/* The one that is used each time stays, the others push each other out. */
static void test_memory(void **state)
{
    struct rule_store *store = rule_store_new(NULL);
    struct rule_cache cache = rule_store_cache(store);
    size_t length;

    cache.store(cache.context, "stays", 5, data, 10);
    for (int i = 0; i < 5; i++) {
        char key = (char)('a' + i);

        cache.store(cache.context, &key, 1, data, 20);
        char *bytes = cache.load(cache.context, "stays", 5, &length);
        assert_non_null(bytes);
        assert_int_equal(length, 10);
        free(bytes);
    }
    assert_null(cache.load(cache.context, "a", 1, &length));
    rule_store_free(store);
}

static void test_a_folder_that_is_not_there(void **state)
{
    struct rule_store *store = rule_store_new("/no/such/folder");
    struct rule_cache cache = rule_store_cache(store);
    size_t length;

    cache.store(cache.context, "key", 3, data, LARGE);
    assert_null(cache.load(cache.context, "other", 5, &length));
    rule_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_on_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_small_ones_are_not_worth_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_is_not_used_and_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_others_can_write_is_not_used, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_few_files_are_kept, set_up, tear_down),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_a_folder_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
