/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded commands to Redis */

#include "gateway/redis_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_commands_are_binary_safe(void **state)
{
    static const char expected[] = "*3\r\n$7\r\nPUBLISH\r\n$3\r\na%s\r\n$5\r\n\r\n\0\xff*\r\n"
                                   "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n";
    struct redis_out out = REDIS_OUT_NULL;

    redis_out_command(&out, 3, (const char *[]){"PUBLISH", "a%s", "\r\n\0\xff*"},
                      (size_t[]){7, 3, 5});
    redis_out_command(&out, 2, (const char *[]){"ECHO", NULL}, (size_t[]){4, 0});
    assert_int_equal(out.length, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, out.length);
    assert_true(out.length <=
                redis_out_size(3, (size_t[]){7, 3, 5}) + redis_out_size(2, (size_t[]){4, 0}));
    redis_out_deinit(&out);
}

static void test_consume(void **state)
{
    struct redis_out out = REDIS_OUT_NULL;

    redis_out_command(&out, 1, (const char *[]){"PING"}, (size_t[]){4});
    redis_out_consume(&out, 4);
    assert_memory_equal(out.data, "$4\r\nPING\r\n", 10);
    redis_out_consume(&out, 10);
    assert_int_equal(out.length, 0);
    redis_out_consume(&out, 0);
    redis_out_deinit(&out);
}

static void test_a_burst_s_memory_is_given_back(void **state)
{
    enum { LARGE = 3 << 20 };
    struct redis_out out = REDIS_OUT_NULL;
    char *large = calloc(1, LARGE);

    redis_out_command(&out, 2, (const char *[]){"SET", large}, (size_t[]){3, LARGE});
    assert_true(out.capacity > LARGE);
    redis_out_consume(&out, out.length);
    assert_int_equal(out.capacity, 0);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_binary_safe),
        cmocka_unit_test(test_consume),
        cmocka_unit_test(test_a_burst_s_memory_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
