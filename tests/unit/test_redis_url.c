/* SPDX-License-Identifier: Apache-2.0 */
/* Redis' URLs */

#include "gateway/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(const char *actual, const char *expected)
{
    if (expected)
        assert_string_equal(actual, expected);
    else
        assert_null(actual);
}

static void test_good_ones(void **state)
{
    static const struct {
        const char *text, *path, *host, *port, *user, *password;
        int database;
    } cases[] = {
        {"redis://localhost", NULL, "localhost", "6379", NULL, NULL, 0},
        {"redis://127.0.0.1:6380/", NULL, "127.0.0.1", "6380", NULL, NULL, 0},
        {"redis://127.0.0.1:6380/12", NULL, "127.0.0.1", "6380", NULL, NULL, 12},
        {"redis://[::1]", NULL, "::1", "6379", NULL, NULL, 0},
        {"redis://[::1]:1/2", NULL, "::1", "1", NULL, NULL, 2},
        {"redis://:pw@h", NULL, "h", "6379", NULL, "pw", 0},
        {"redis://me:p%40s%2fs:w@h:9", NULL, "h", "9", "me", "p@s/s:w", 0},
        {"redis://:@h", NULL, "h", "6379", NULL, "", 0},
        {"redis://:a@b@h", NULL, "h", "6379", NULL, "a@b", 0},
        {"unix:/run/redis.sock", "/run/redis.sock", NULL, NULL, NULL, NULL, 0},
        {"unix:///run/redis.sock", "/run/redis.sock", NULL, NULL, NULL, NULL, 0},
        {"unix:/run/redis.sock?db=5", "/run/redis.sock", NULL, NULL, NULL, NULL, 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct redis_url url;
        const char *error = NULL;

        if (redis_url_parse(&url, cases[i].text, &error) != 0)
            fail_msg("%s: %s", cases[i].text, error);
        assert_text(url.path, cases[i].path);
        assert_text(url.host, cases[i].host);
        assert_text(url.port, cases[i].port);
        assert_text(url.user, cases[i].user);
        assert_text(url.password, cases[i].password);
        assert_int_equal(url.database, cases[i].database);
        redis_url_deinit(&url);
    }
}

/* One byte more than struct sockaddr_un has room for. */
#define LONG_PATH                                                                                  \
    "unix:/123456789012345678901234567890123456789012345678901234567890"                           \
    "12345678901234567890123456789012345678901234567"

static void test_bad_ones(void **state)
{
    static const char *const cases[] = {
        "",
        "localhost",
        "http://localhost",
        "rediss://localhost",
        "redis://",
        "redis:///3",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:6379x",
        "redis://h:-1",
        "redis://h/x",
        "redis://h/1/2",
        "redis://h?db=1",
        "redis://[::1",
        "redis://[::1]x",
        "redis://[]",
        "redis://secret@h",
        "redis://:%4@h",
        "redis://:%zz@h",
        "redis://:%00@h",
        "redis://h/99999999",
        "unix:run/redis.sock",
        "unix://run/redis.sock",
        "unix:/s?x=1",
        "unix:/s?db=",
        LONG_PATH,
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct redis_url url;
        const char *error = NULL;

        if (redis_url_parse(&url, cases[i], &error) == 0)
            fail_msg("%s is taken", cases[i]);
        assert_true(error && *error);
        assert_null(url.host);
        assert_null(url.path);
        assert_null(url.password);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones),
        cmocka_unit_test(test_bad_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
