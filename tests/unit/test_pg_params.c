/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters in Postgres' binary format, byte by byte. That a server reads them: tests/store. */

#include "gateway/pg_params.h"
#include "protocol/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_param(const struct pg_params *params, int i, uint32_t type, const char *bytes,
                         int32_t length)
{
    assert_false(params->failed);
    assert_true(i < params->count);
    assert_int_equal(params->types[i], type);
    assert_int_equal(params->lengths[i], length);
    if (length > 0)
        assert_memory_equal(params->data + params->offsets[i], bytes, (size_t)length);
}

static void test_scalars(void **state)
{
    const struct uuid id = {{0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xbb}};
    const int64_t number = -2;
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_uuid(&params, &id);
    pg_params_int8(&params, 0x0102030405060708);
    pg_params_int8_or_null(&params, &number);
    pg_params_int4(&params, -1);
    pg_params_bool(&params, true);
    pg_params_text(&params, "a\0b", 3);
    pg_params_cstring(&params, "text");
    pg_params_bytea(&params, "\xff", 1);
    pg_params_jsonb(&params, "{}", 2);
    assert_int_equal(params.count, 9);
    assert_param(&params, 0, 2950, (const char *)id.bytes, 16);
    assert_param(&params, 1, 20, "\1\2\3\4\5\6\7\10", 8);
    assert_param(&params, 2, 20, "\377\377\377\377\377\377\377\376", 8);
    assert_param(&params, 3, 23, "\377\377\377\377", 4);
    assert_param(&params, 4, 16, "\1", 1);
    assert_param(&params, 5, 25, "a\0b", 3);
    assert_param(&params, 6, 25, "text", 4);
    assert_param(&params, 7, 17, "\xff", 1);
    assert_param(&params, 8, 3802, "\1{}", 3);
    pg_params_deinit(&params);
    assert_int_equal(params.count, 0);
}

static void test_nulls_keep_their_types(void **state)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_uuid_or_null(&params, NULL);
    pg_params_int8_or_null(&params, NULL);
    pg_params_text_or_null(&params, NULL, 0);
    pg_params_cstring(&params, NULL);
    pg_params_jsonb(&params, NULL, 0);
    pg_params_null(&params);
    pg_params_text(&params, "", 0); /* empty isn't NULL */
    assert_param(&params, 0, 2950, NULL, -1);
    assert_param(&params, 1, 20, NULL, -1);
    assert_param(&params, 2, 25, NULL, -1);
    assert_param(&params, 3, 25, NULL, -1);
    assert_param(&params, 4, 3802, NULL, -1);
    assert_param(&params, 5, 0, NULL, -1);
    assert_param(&params, 6, 25, NULL, 0);
    assert_null(params.data);
}

static void test_arrays(void **state)
{
    const char *const texts[] = {"ab", NULL, ""};
    const size_t lengths[] = {2, 0, 0};
    const int32_t ints[] = {7};
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_text_array(&params, texts, lengths, 3);
    pg_params_jsonb_array(&params, texts, lengths, 2);
    pg_params_int4_array(&params, ints, 1);
    pg_params_uuid_array(&params, NULL, 0);
    assert_param(&params, 0, 1009,
                 "\0\0\0\1\0\0\0\1\0\0\0\31\0\0\0\3\0\0\0\1"
                 "\0\0\0\2ab\377\377\377\377\0\0\0\0",
                 34);
    assert_param(&params, 1, 3807,
                 "\0\0\0\1\0\0\0\1\0\0\16\332\0\0\0\2\0\0\0\1"
                 "\0\0\0\3\1ab\377\377\377\377",
                 31);
    assert_param(&params, 2, 1007,
                 "\0\0\0\1\0\0\0\0\0\0\0\27\0\0\0\1\0\0\0\1"
                 "\0\0\0\4\0\0\0\7",
                 28);
    assert_param(&params, 3, 2951, "\0\0\0\0\0\0\0\0\0\0\13\206", 12);
    pg_params_deinit(&params);
}

static void test_too_many(void **state)
{
    struct pg_params params = PG_PARAMS_INIT;

    for (int i = 0; i < PG_PARAMS_MAX; i++)
        pg_params_bool(&params, true);
    assert_false(params.failed);
    pg_params_bool(&params, true);
    assert_true(params.failed);
    assert_int_equal(params.count, PG_PARAMS_MAX);
    pg_params_deinit(&params);
}

static void test_too_large_sticks(void **state)
{
    char *text = calloc(1, PG_PARAMS_BYTES_MAX);
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_text(&params, text, PG_PARAMS_BYTES_MAX);
    assert_false(params.failed);
    pg_params_text(&params, "x", 1);
    assert_true(params.failed);
    pg_params_int4(&params, 1);
    assert_true(params.failed);
    pg_params_deinit(&params);
    pg_params_int8_array(&params, (const int64_t *)text, PG_PARAMS_ELEMENTS_MAX + 1);
    assert_true(params.failed);
    pg_params_deinit(&params);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),          cmocka_unit_test(test_nulls_keep_their_types),
        cmocka_unit_test(test_arrays),           cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_too_large_sticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
