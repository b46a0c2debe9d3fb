/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/rfc3339.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "protocol/rfc3339.h"

static const char *formatted(int64_t unix_us)
{
    static char text[RFC3339_TEXT_BYTES + 1];

    rfc3339_format(unix_us, text);
    return text;
}

static void test_format(void **state)
{
    assert_string_equal(formatted(0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(formatted(999), "1970-01-01T00:00:00.000Z");
    assert_string_equal(formatted(1000), "1970-01-01T00:00:00.001Z");
    assert_string_equal(formatted(-1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(formatted(1767323045678901), "2026-01-02T03:04:05.678Z");
    assert_string_equal(formatted(1709164800000000), "2024-02-29T00:00:00.000Z");
    assert_string_equal(formatted(INT64_MIN), "0001-01-01T00:00:00.000Z");
    assert_string_equal(formatted(INT64_MAX), "9999-12-31T23:59:59.999Z");
}

/* Every day of 1890 to 2110, against the C library. */
static void test_against_gmtime(void **state)
{
    char expected[64];

    for (int64_t day = -29220; day < 51000; day++) {
        time_t at = day * 86400 + 86399;
        struct tm tm;
        int64_t back;

        gmtime_r(&at, &tm);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        assert_string_equal(formatted(at * 1000000), expected);
        assert_true(rfc3339_parse(expected, strlen(expected), &back));
        assert_int_equal(back, at * 1000000);
    }
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.5Z", 500000},
        {"2026-01-02T03:04:05.678Z", 1767323045678000},
        {"2026-01-02T03:04:05.678901Z", 1767323045678901},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2000-02-29T12:00:00Z", 951825600000000},
    };
    int64_t unix_us;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(rfc3339_parse(cases[i].text, strlen(cases[i].text), &unix_us));
        assert_int_equal(unix_us, cases[i].unix_us);
    }
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.1234567Z",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02t03:04:05z",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.6Z ",
        "2026-01-02T03:04:05ZZ",
        " 2026-01-02T03:04:05Z",
        "0000-01-02T03:04:05Z",
        "-001-01-02T03:04:05Z",
        "2026-1-02T03:04:05Z",
        "2026-01-02T03:04:+5Z",
        "12026-01-02T03:04:05Z",
    };
    int64_t unix_us = 7;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (rfc3339_parse(texts[i], strlen(texts[i]), &unix_us))
            fail_msg("%s is taken", texts[i]);
    }
    assert_int_equal(unix_us, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_against_gmtime),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
