/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/frame.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/frame.h"

/* RFC 6455 section 5.7 and the edges of the three forms of length. */
static void test_headers(void **state)
{
    static const struct {
        size_t payload_bytes, header_bytes;
        unsigned char header[FRAME_HEADER_BYTES_MAX];
    } cases[] = {
        {0, 2, {0x81, 0}},
        {5, 2, {0x81, 5}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {256, 4, {0x81, 126, 1, 0}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    unsigned char header[FRAME_HEADER_BYTES_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(frame_header(cases[i].payload_bytes, header), cases[i].header_bytes);
        assert_memory_equal(header, cases[i].header, cases[i].header_bytes);
    }
    assert_int_equal(frame_header(SIZE_MAX >> 1, header), 10);
    assert_int_equal(header[2], 0x7f);
}

static void test_bytes(void **state)
{
    static const size_t sizes[] = {0, 5, 125, 126, 65535, 65536, 100000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *json = malloc(sizes[i] + 1);
        unsigned char header[FRAME_HEADER_BYTES_MAX];
        size_t header_bytes = frame_header(sizes[i], header);

        assert_non_null(json);
        memset(json, 'x', sizes[i] + 1);

        struct frame *frame = frame_new(json, sizes[i], FRAME_KEEP);
        const unsigned char *bytes = frame_bytes(frame);

        assert_int_equal(frame_length(frame), header_bytes + sizes[i]);
        assert_memory_equal(bytes, header, header_bytes);
        assert_ptr_equal(frame_payload(frame), bytes + header_bytes);
        assert_int_equal(frame_payload_length(frame), sizes[i]);
        assert_memory_equal(frame_payload(frame), json, sizes[i]);
        assert_null(frame_unref(frame));
        free(json);
    }
}

static void test_references(void **state)
{
    struct frame *frame = frame_new("{}", 2, FRAME_SHED);

    assert_true(frame_sheddable(frame));
    assert_ptr_equal(frame_ref(frame), frame);
    assert_null(frame_unref(frame));
    assert_int_equal(frame_payload_length(frame), 2);
    assert_null(frame_unref(frame));
    assert_null(frame_unref(NULL));

    frame = frame_new("{}", 2, FRAME_KEEP);
    assert_false(frame_sheddable(frame));
    frame_unref(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
