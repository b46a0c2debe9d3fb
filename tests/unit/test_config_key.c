/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/config_key.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/config.h"
#include "gateway/config_key.h"

static struct config config;

static const struct config_key *key(const char *section, const char *name)
{
    const struct config_key *found = config_key_find(section, name);
    assert_non_null(found);
    return found;
}

static void expect_good(const char *section, const char *name, const char *text)
{
    char *error = config_key_parse(key(section, name), text, &config);
    assert_null(error);
}

static void expect_bad(const char *section, const char *name, const char *text,
                       const char *expected)
{
    char *error = config_key_parse(key(section, name), text, &config);
    assert_non_null(error);
    assert_string_equal(error, expected);
    free(error);
}

static int clear(void **state)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        config_key_clear(&config_keys[i], &config);
    return 0;
}

static void test_every_default_is_good(void **state)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char *error = config_key_parse(&config_keys[i], config_keys[i].fallback, &config);
        assert_null(error);
        assert_ptr_equal(config_key_find(config_keys[i].section, config_keys[i].name),
                         &config_keys[i]);
        assert_int_equal(config_key_index(&config_keys[i]), i);
    }
    assert_int_equal(config.listen.port, 8080);
    assert_string_equal(config.database.url, "postgresql:///chatgate");
    assert_true(config.rooms.require_lesson);
    assert_string_equal(config.redis.key, "");
}

static void test_ints(void **state)
{
    expect_good("listen", "port", "0");
    expect_good("listen", "port", "65535");
    assert_int_equal(config.listen.port, 65535);
    expect_bad("listen", "port", "65536", "65536 is out of range (0 to 65535)");
    expect_bad("listen", "port", "-1", "-1 is out of range (0 to 65535)");
    expect_bad("listen", "port", "99999999999999999999",
               "99999999999999999999 is out of range (0 to 65535)");
    expect_bad("listen", "port", "", "'' is not a whole number (0 to 65535)");
    expect_bad("listen", "port", "80 ", "'80 ' is not a whole number (0 to 65535)");
    expect_bad("listen", "port", " 80", "' 80' is not a whole number (0 to 65535)");
    expect_bad("listen", "port", "0x50", "'0x50' is not a whole number (0 to 65535)");
    expect_bad("listen", "port", "8.5", "'8.5' is not a whole number (0 to 65535)");
    assert_int_equal(config.listen.port, 65535);
}

static void test_bools(void **state)
{
    static const char *const yes[] = {"true", "YES", "on", "1"}, *const no[] = {"false", "No",
                                                                                "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        expect_good("rooms", "require_lesson", yes[i]);
        assert_true(config.rooms.require_lesson);
        expect_good("rooms", "require_lesson", no[i]);
        assert_false(config.rooms.require_lesson);
    }
    expect_bad("rooms", "require_lesson", "maybe", "'maybe' is neither true nor false");
    expect_bad("rooms", "require_lesson", "", "'' is neither true nor false");
}

static void test_choices(void **state)
{
    expect_good("log", "level", "error");
    expect_good("log", "level", "debug");
    assert_string_equal(config.log.level, "debug");
    expect_bad("log", "level", "inf", "'inf' is none of error|warning|notice|info|debug");
    expect_bad("log", "level", "info|debug",
               "'info|debug' is none of error|warning|notice|info|debug");
    expect_bad("log", "level", "", "'' is none of error|warning|notice|info|debug");
}

static void test_texts(void **state)
{
    expect_good("node", "name", "Küche-1");
    assert_string_equal(config.node.name, "Küche-1");
    expect_good("node", "name", "");
    expect_bad("node", "name", "a\nb", "has a control character (a line break?) inside");
    expect_bad("node", "name", "a\xff", "is not valid UTF-8");
    expect_bad("redis", "key", "sec\x01ret", "has a control character (a line break?) inside");
}

static void expect_printed(const char *section, const char *name, const char *text,
                           const char *expected)
{
    expect_good(section, name, text);
    char *printed = config_key_print(key(section, name), &config);
    assert_string_equal(printed, expected);
    free(printed);
}

static void test_secrets_are_not_printed(void **state)
{
    expect_printed("listen", "port", "81", "81");
    expect_printed("rooms", "require_lesson", "no", "false");
    expect_printed("node", "name", "a", "a");
    expect_printed("redis", "key", "hunter2", "***");
    expect_printed("redis", "key", "", "");
    expect_printed("redis", "url", "redis://:hunter2@h", "redis://:***@h");
    assert_true(config_key_is_secret(key("redis", "key"), "x"));
    assert_false(config_key_is_secret(key("redis", "key"), ""));
    assert_true(config_key_is_secret(key("database", "url"), "postgresql://a:b@c"));
    assert_false(config_key_is_secret(key("database", "url"), "postgresql://a@c"));
    assert_false(config_key_is_secret(key("node", "name"), "password=x"));
}

static void test_values_are_compared_and_copied(void **state)
{
    static const char *const keys[][3] = {
        {"listen", "port", "9000"}, {"rooms", "require_lesson", "false"}, {"node", "name", "b"}};
    struct config other = {0};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct config_key *row = key(keys[i][0], keys[i][1]);
        assert_null(config_key_parse(row, row->fallback, &other));
        expect_good(keys[i][0], keys[i][1], keys[i][2]);
        assert_false(config_key_equal(row, &config, &other));
        config_key_copy(row, &other, &config);
        assert_true(config_key_equal(row, &config, &other));
        config_key_clear(row, &other);
    }
}

static void test_nearest(void **state)
{
    assert_string_equal(config_key_nearest("listen", "prot")->path, "listen.port");
    assert_string_equal(config_key_nearest("listn", "address")->path, "listen.address");
    assert_string_equal(config_key_nearest("http", "history_page")->path, "limits.history_page");
    assert_string_equal(config_key_nearest("limits", "message_per_s")->path,
                        "limits.messages_per_s");
    assert_null(config_key_nearest("colour", "scheme"));
    assert_null(config_key_find("listen", "prot"));
    assert_null(config_key_find("", "port"));
}

static void test_environment_names(void **state)
{
    char name[CONFIG_ENVIRONMENT_BYTES];
    config_key_environment(key("limits", "text_code_points"), name);
    assert_string_equal(name, "CHATGATE_LIMITS_TEXT_CODE_POINTS");
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        config_key_environment(&config_keys[i], name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_default_is_good, clear),
        cmocka_unit_test_teardown(test_ints, clear),
        cmocka_unit_test_teardown(test_bools, clear),
        cmocka_unit_test_teardown(test_choices, clear),
        cmocka_unit_test_teardown(test_texts, clear),
        cmocka_unit_test_teardown(test_secrets_are_not_printed, clear),
        cmocka_unit_test_teardown(test_values_are_compared_and_copied, clear),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_environment_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
