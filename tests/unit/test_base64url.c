/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/base64url.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base64url.h"

static ssize_t decode(uint8_t *out, const char *text)
{
    return base64url_decode(out, text, strlen(text));
}

/* RFC 4648 section 10, without the padding. */
static void test_vectors(void **state)
{
    static const struct {
        const char *data, *text;
    } vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xef\xbe", "_---"},
        {"\xfb\xff", "-_8"}};

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16] = {0};
        uint8_t data[16] = {0};
        size_t bytes = strlen(vectors[i].data);

        assert_int_equal(base64url_encode(text, vectors[i].data, bytes),
                         base64url_encoded_length(bytes));
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(decode(data, vectors[i].text), bytes);
        assert_memory_equal(data, vectors[i].data, bytes);
    }
}

static void test_round_trip_of_every_length(void **state)
{
    uint8_t data[100], back[104];
    char text[140];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t bytes = 0; bytes <= sizeof(data); bytes++) {
        size_t length = base64url_encode(text, data, bytes);

        assert_true(base64url_decoded_bound(length) >= bytes);
        assert_int_equal(base64url_decode(back, text, length), bytes);
        assert_memory_equal(back, data, bytes);
    }
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "A",    "AAAAA", "Zg==",  "Zm8=",   "Zm9v=", "Zh",      "Zm9",  "AB",      "AAB", "Zm+v",
        "Zm/v", "Zm 9v", " Zm9v", "Zm9v\n", "Z.9v",  "Zm\x80v", "Z?9v", "Zm9vYg.", "****"};
    uint8_t out[16];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(decode(out, bad[i]), -1);
    assert_int_equal(base64url_decode(out, "Zm\0v", 4), -1);
}

/* Every two-character text: exactly the 256 with four zero bits are bytes. */
static void test_one_text_for_each_byte(void **state)
{
    unsigned good = 0;

    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            char text[2] = {(char)a, (char)b}, again[4];
            uint8_t byte[4];

            if (base64url_decode(byte, text, 2) != 1)
                continue;
            good++;
            assert_int_equal(base64url_encode(again, byte, 1), 2);
            assert_memory_equal(again, text, 2);
        }
    }
    assert_int_equal(good, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_round_trip_of_every_length),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_text_for_each_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
