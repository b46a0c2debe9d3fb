/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/command_reader.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/command.h"
#include "protocol/command_reader.h"

static const struct command_limits limits = {.page = 100};

static struct command_reader reader_of(const char *json)
{
    return (struct command_reader){.object = json_loads(json, 0, NULL), .limits = &limits};
}

static void check_failed(struct command_reader *reader, const char *reason)
{
    assert_int_equal(reader->code, ERROR_BAD_REQUEST);
    assert_string_equal(reader->reason, reason);
    json_decref(reader->object);
}

static void check_fine(struct command_reader *reader)
{
    assert_int_equal(reader->code, ERROR_NONE);
    assert_null(reader->reason);
    json_decref(reader->object);
}

static void test_fields(void **state)
{
    struct command_reader reader =
        reader_of("{\"i\":5,\"s\":\"ab\",\"u\":\"0190f2a4-7b3c-7def-8a1b-0123456789ab\","
                  "\"t\":\"1970-01-01T00:00:01Z\",\"n\":null}");
    struct uuid uuid;
    int64_t number = 0, time_us = 0;
    const char *text = NULL;

    assert_true(command_reader_int(&reader, FIELD("i"), 5, 5, &number));
    assert_int_equal(number, 5);
    assert_true(command_reader_string(&reader, FIELD("s"), 2, 2, &text));
    assert_string_equal(text, "ab");
    assert_true(command_reader_uuid(&reader, FIELD("u"), &uuid));
    assert_true(command_reader_time_maybe(&reader, FIELD("t"), &time_us));
    assert_int_equal(time_us, 1000000);
    assert_false(command_reader_int_maybe(&reader, FIELD("n"), 0, 9, &number));
    assert_false(command_reader_string_maybe(&reader, FIELD("absent"), 0, 9, &text));
    assert_false(command_reader_time_maybe(&reader, FIELD("n"), &time_us));
    assert_null(command_reader_get(&reader, "n"));
    assert_int_equal(number, 5);
    check_fine(&reader);
}

static void test_required_fields(void **state)
{
    int64_t number;
    const char *text;
    struct uuid uuid;
    struct command_reader reader = reader_of("{\"n\":null}");

    assert_false(command_reader_int(&reader, FIELD("n"), 0, 9, &number));
    check_failed(&reader, "field.n");
    reader = reader_of("{}");
    assert_false(command_reader_string(&reader, FIELD("s"), 0, 9, &text));
    check_failed(&reader, "field.s");
    reader = reader_of("{\"u\":5}");
    assert_false(command_reader_uuid(&reader, FIELD("u"), &uuid));
    check_failed(&reader, "field.u");
}

static void test_wrong_types_and_ranges(void **state)
{
    static const char *const integers[] = {"{\"x\":4}",     "{\"x\":10}",   "{\"x\":5.0}",
                                           "{\"x\":\"5\"}", "{\"x\":true}", "{\"x\":[5]}",
                                           "{\"x\":{}}"};
    static const char *const strings[] = {"{\"x\":\"\"}", "{\"x\":\"abc\"}", "{\"x\":5}",
                                          "{\"x\":false}", "{\"x\":[\"a\"]}"};
    int64_t number = 0;
    const char *text = NULL;

    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        struct command_reader reader = reader_of(integers[i]);

        assert_false(command_reader_int_maybe(&reader, FIELD("x"), 5, 9, &number));
        check_failed(&reader, "field.x");
    }
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        struct command_reader reader = reader_of(strings[i]);

        assert_false(command_reader_string_maybe(&reader, FIELD("x"), 1, 2, &text));
        check_failed(&reader, "field.x");
    }
    assert_int_equal(number, 0);
    assert_null(text);
}

static void test_first_fault_sticks(void **state)
{
    struct command_reader reader = reader_of("{\"a\":\"x\",\"b\":1}");
    int64_t number = 0;

    command_reader_int(&reader, FIELD("a"), 0, 9, &number);
    assert_false(command_reader_int(&reader, FIELD("b"), 0, 9, &number));
    command_reader_fail(&reader, ERROR_TOO_LARGE, "later");
    assert_int_equal(number, 0);
    check_failed(&reader, "field.a");
}

static void test_page(void **state)
{
    struct command_reader reader = reader_of("{}");

    assert_int_equal(command_reader_page(&reader, 50), 50);
    assert_int_equal(command_reader_page(&reader, 500), 100);
    check_fine(&reader);
    reader = reader_of("{\"limit\":9223372036854775807}");
    assert_int_equal(command_reader_page(&reader, 50), 100);
    check_fine(&reader);
    reader = reader_of("{\"limit\":0}");
    command_reader_page(&reader, 50);
    check_failed(&reader, "field.limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_required_fields),
        cmocka_unit_test(test_wrong_types_and_ranges),
        cmocka_unit_test(test_first_fault_sticks),
        cmocka_unit_test(test_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
