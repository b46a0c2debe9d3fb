/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/json_writer.h; jansson, which shares no code with it, reads what it wrote */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/json_writer.h"
#include "protocol/uuid.h"

static void test_structure(void **state)
{
    struct json_writer writer = JSON_WRITER_INIT;
    struct uuid nil = UUID_NIL;

    assert_string_equal(json_text(&writer), "");
    json_object_begin(&writer);
    json_add_cstring(&writer, "a", "x");
    json_key(&writer, "b");
    json_array_begin(&writer);
    json_put_int(&writer, 1);
    json_put_null(&writer);
    json_array_begin(&writer);
    json_array_end(&writer);
    json_object_begin(&writer);
    json_object_end(&writer);
    json_put_bool(&writer, true);
    json_array_end(&writer);
    json_add_bool(&writer, "c", false);
    json_add_null(&writer, "d");
    json_add_uuid(&writer, "e", &nil);
    json_add_time(&writer, "f", 1767323045678901);
    json_add_raw(&writer, "g", "[0]", 3);
    json_add_string(&writer, "h", NULL, 0);
    json_add_cstring(&writer, "i", NULL);
    json_object_end(&writer);
    assert_string_equal(json_text(&writer),
                        "{\"a\":\"x\",\"b\":[1,null,[],{},true],\"c\":false,\"d\":null,"
                        "\"e\":\"00000000-0000-0000-0000-000000000000\","
                        "\"f\":\"2026-01-02T03:04:05.678Z\",\"g\":[0],\"h\":null,\"i\":null}");
    assert_int_equal(json_length(&writer), strlen(json_text(&writer)));
    json_writer_deinit(&writer);
}

static void test_several_documents(void **state)
{
    struct json_writer writer = JSON_WRITER_INIT;
    size_t length;
    char *text;

    json_put_int(&writer, 1);
    json_writer_reset(&writer);
    json_object_begin(&writer);
    json_object_end(&writer);
    json_newline(&writer);
    json_array_begin(&writer);
    json_array_end(&writer);
    text = json_steal(&writer, &length);
    assert_string_equal(text, "{}\n[]");
    assert_int_equal(length, 5);
    assert_int_equal(json_length(&writer), 0);
    free(text);
    text = json_steal(&writer, &length);
    assert_string_equal(text, "");
    free(text);
}

static void test_integers(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {10, "10"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    struct json_writer writer = JSON_WRITER_INIT;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_writer_reset(&writer);
        json_put_int(&writer, cases[i].value);
        assert_string_equal(json_text(&writer), cases[i].text);
    }
    json_writer_deinit(&writer);
}

/* Writes a string, checks the length that was foretold, and reads it back. */
static void check_round_trip(struct json_writer *writer, const char *text, size_t bytes)
{
    json_writer_reset(writer);
    json_put_string(writer, text, bytes);
    assert_int_equal(json_string_bytes(text, bytes), json_length(writer));

    json_t *value =
        json_loadb(json_text(writer), json_length(writer), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    assert_non_null(value);
    assert_int_equal(json_string_length(value), bytes);
    assert_memory_equal(json_string_value(value), text, bytes);
    json_decref(value);
}

static void test_escapes(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""},
        {"/", "\"/\""},
        {"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},
        {"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac", "\"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac\""},
        {"\"},{\"t\":\"message\"", "\"\\\"},{\\\"t\\\":\\\"message\\\"\""},
    };
    struct json_writer writer = JSON_WRITER_INIT;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_writer_reset(&writer);
        json_put_cstring(&writer, cases[i].text);
        assert_string_equal(json_text(&writer), cases[i].json);
    }
    json_writer_deinit(&writer);
}

static void test_naughty_strings(void **state)
{
    static const char *const texts[] = {
        "",
        "</script><script>alert(1)</script>",
        "'; DROP TABLE messages; --",
        "%s%n%x",
        "\xef\xbb\xbf"
        "byte order mark",
        "\xef\xbf\xbf noncharacter \xef\xbf\xbe",
        "\xe2\x80\xae"
        "gnirts desrever",
        "Z\xcc\xa1\xcc\xab\xcd\x8d\xcc\x99"
        "algo",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa6",
        "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \\u0000 \\",
        "\xf3\xa0\x81\xa1\xf4\x8f\xbf\xbf",
        "\xe2\x80", /* cut: what is handed in is not looked at beyond its end */
        "\xe2",
    };
    struct json_writer writer = JSON_WRITER_INIT;

    for (size_t i = 0; i + 2 < sizeof(texts) / sizeof(texts[0]); i++)
        check_round_trip(&writer, texts[i], strlen(texts[i]));
    for (size_t i = sizeof(texts) / sizeof(texts[0]) - 2; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(json_string_bytes(texts[i], strlen(texts[i])), strlen(texts[i]) + 2);
    json_writer_deinit(&writer);
}

/* Every byte below 0x80, alone and between others, also U+0000. */
static void test_every_ascii_byte(void **state)
{
    struct json_writer writer = JSON_WRITER_INIT;
    char all[128];

    for (int i = 0; i < 128; i++) {
        char around[] = {'a', (char)i, 'b'};

        all[i] = (char)i;
        check_round_trip(&writer, around, sizeof(around));
        check_round_trip(&writer, around + 1, 1);
    }
    check_round_trip(&writer, all, sizeof(all));
    json_writer_deinit(&writer);
}

static void test_growth(void **state)
{
    enum { BYTES = 100000 };
    struct json_writer writer = JSON_WRITER_INIT;
    char *text = malloc(BYTES);

    assert_non_null(text);
    memset(text, 'a', BYTES);
    check_round_trip(&writer, text, BYTES);
    memset(text, '\x01', BYTES);
    check_round_trip(&writer, text, BYTES);
    free(text);
    json_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),       cmocka_unit_test(test_several_documents),
        cmocka_unit_test(test_integers),        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_naughty_strings), cmocka_unit_test(test_every_ascii_byte),
        cmocka_unit_test(test_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
