/* SPDX-License-Identifier: Apache-2.0 */
/* The bus's signed frames */

#include "gateway/bus_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char key_a[] = "0123456789abcdef";
static const char key_b[] = "another key, longer";
static const char channel[] = "u:0190";
static const char text[] = "{\"t\":\"message\"}";

enum { FRAME_BYTES = BUS_FRAME_HEADER_BYTES + sizeof(text) - 1 };

static const struct bus_header header = {
    .kind = 'm',
    .node = {{1, 2, 3}},
    .room = {{4, 5, 6}},
    .number = -0x0102030405060708,
    .epoch = 0xfedcba9876543210,
};

static struct bus_signer *signer_of(const char *key, const char *previous)
{
    return bus_signer_new(key, strlen(key), previous, previous ? strlen(previous) : 0);
}

static void make_frame(struct bus_signer *signer, unsigned char frame[static FRAME_BYTES])
{
    bus_frame_encode(signer, channel, &header, text, sizeof(text) - 1, frame);
    memcpy(frame + BUS_FRAME_HEADER_BYTES, text, sizeof(text) - 1);
}

static enum bus_frame_result decode(struct bus_signer *signer, const char *on, const void *data,
                                    size_t length)
{
    struct bus_header decoded;
    const char *payload;
    size_t payload_bytes;

    return bus_frame_decode(signer, on, data, length, &decoded, &payload, &payload_bytes);
}

static void test_there_and_back(void **state)
{
    struct bus_signer *signer = signer_of(key_a, NULL);
    unsigned char frame[FRAME_BYTES];
    struct bus_header decoded;
    const char *payload;
    size_t payload_bytes;

    /* Twice: the signer's contexts are used again. */
    for (int i = 0; i < 2; i++) {
        make_frame(signer, frame);
        assert_int_equal(bus_frame_decode(signer, channel, frame, sizeof(frame), &decoded, &payload,
                                          &payload_bytes),
                         BUS_FRAME_OK);
        assert_memory_equal(&decoded, &header, sizeof(header.kind));
        assert_true(uuid_equal(&decoded.node, &header.node));
        assert_true(uuid_equal(&decoded.room, &header.room));
        assert_true(decoded.number == header.number);
        assert_true(decoded.epoch == header.epoch);
        assert_int_equal(payload_bytes, sizeof(text) - 1);
        assert_memory_equal(payload, text, payload_bytes);
    }
    bus_signer_free(signer);
}

static void test_the_layout_is_what_other_versions_expect(void **state)
{
    struct bus_signer *signer = signer_of(key_a, NULL);
    unsigned char frame[FRAME_BYTES];

    make_frame(signer, frame);
    assert_memory_equal(frame, "cg\1m\1\2\3", 7);
    assert_memory_equal(frame + 20, "\4\5\6", 3);
    assert_memory_equal(frame + 36, "\376\375\374\373\372\371\370\370", 8);
    assert_memory_equal(frame + 44, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    bus_signer_free(signer);
}

/* By Python's hmac: of 06 "u:0190", "cg" 01, 49 zeroes, "x". */
static void test_the_signature_is_an_hmac(void **state)
{
    static const struct bus_header zero = {0};
    static const unsigned char expected[BUS_FRAME_SIGNATURE_BYTES] = {
        0x64, 0x4a, 0xf1, 0x40, 0x92, 0x94, 0xd6, 0x12,
        0x81, 0xff, 0xed, 0x0c, 0x01, 0x21, 0x6a, 0x64};
    struct bus_signer *signer = signer_of(key_a, NULL);
    unsigned char frame[BUS_FRAME_HEADER_BYTES];

    bus_frame_encode(signer, channel, &zero, "x", 1, frame);
    assert_memory_equal(frame + 52, expected, sizeof(expected));
    bus_signer_free(signer);
}

static void test_every_bit_counts(void **state)
{
    struct bus_signer *signer = signer_of(key_a, key_b);
    unsigned char frame[FRAME_BYTES];

    make_frame(signer, frame);
    for (size_t bit = 0; bit < 8 * sizeof(frame); bit++) {
        enum bus_frame_result expected = bit / 8 < 3 ? BUS_FRAME_MALFORMED : BUS_FRAME_FORGED;

        frame[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_equal(decode(signer, channel, frame, sizeof(frame)), expected);
        frame[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_int_equal(decode(signer, channel, frame, sizeof(frame)), BUS_FRAME_OK);
    bus_signer_free(signer);
}

static void test_a_frame_is_good_for_its_channel_only(void **state)
{
    struct bus_signer *signer = signer_of(key_a, NULL);
    unsigned char frame[FRAME_BYTES];

    make_frame(signer, frame);
    assert_int_equal(decode(signer, "u:0191", frame, sizeof(frame)), BUS_FRAME_FORGED);
    assert_int_equal(decode(signer, "u:019", frame, sizeof(frame)), BUS_FRAME_FORGED);
    assert_int_equal(decode(signer, "u:0190c", frame, sizeof(frame)), BUS_FRAME_FORGED);
    bus_signer_free(signer);
}

static void test_lengths(void **state)
{
    struct bus_signer *signer = signer_of(key_a, NULL);
    size_t too_long = (size_t)BUS_FRAME_HEADER_BYTES + BUS_FRAME_PAYLOAD_MAX + 1;
    unsigned char *frame = calloc(1, too_long);

    for (size_t length = 0; length < BUS_FRAME_HEADER_BYTES; length++)
        assert_int_equal(decode(signer, channel, frame, length), BUS_FRAME_MALFORMED);
    make_frame(signer, frame);
    assert_int_equal(decode(signer, channel, frame, FRAME_BYTES - 1), BUS_FRAME_FORGED);
    assert_int_equal(decode(signer, channel, frame, FRAME_BYTES + 1), BUS_FRAME_FORGED);
    assert_int_equal(decode(signer, channel, frame, too_long), BUS_FRAME_MALFORMED);

    bus_frame_encode(signer, channel, &header, NULL, 0, frame);
    assert_int_equal(decode(signer, channel, frame, BUS_FRAME_HEADER_BYTES), BUS_FRAME_OK);
    bus_frame_encode(signer, channel, &header, frame + BUS_FRAME_HEADER_BYTES,
                     BUS_FRAME_PAYLOAD_MAX, frame);
    assert_int_equal(decode(signer, channel, frame, too_long - 1), BUS_FRAME_OK);
    free(frame);
    bus_signer_free(signer);
}

static void test_two_keys(void **state)
{
    struct bus_signer *old = signer_of(key_a, NULL), *both = signer_of(key_b, key_a);
    struct bus_signer *new = signer_of(key_b, NULL);
    unsigned char frame[FRAME_BYTES];

    make_frame(old, frame);
    assert_int_equal(decode(both, channel, frame, sizeof(frame)), BUS_FRAME_OK_PREVIOUS);
    assert_int_equal(decode(new, channel, frame, sizeof(frame)), BUS_FRAME_FORGED);
    make_frame(both, frame);
    assert_int_equal(decode(new, channel, frame, sizeof(frame)), BUS_FRAME_OK);
    assert_int_equal(decode(old, channel, frame, sizeof(frame)), BUS_FRAME_FORGED);
    bus_signer_free(old);
    bus_signer_free(both);
    bus_signer_free(new);
}

static void test_short_keys_are_refused(void **state)
{
    assert_null(bus_signer_new(NULL, 0, NULL, 0));
    assert_null(signer_of("fifteen bytes..", NULL));
    assert_null(signer_of(key_a, "short"));
    assert_null(bus_signer_free(NULL));
}

static void test_epochs(void **state)
{
    assert_true(bus_epoch("7301/1/0", 8) == bus_epoch("7301/1/0", 8));
    assert_true(bus_epoch("7301/1/0", 8) != bus_epoch("7301/1/1", 8));
    /* The first eight bytes of SHA-256 of nothing, FIPS 180-4. */
    assert_true(bus_epoch("", 0) == 0xe3b0c44298fc1c14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_the_layout_is_what_other_versions_expect),
        cmocka_unit_test(test_the_signature_is_an_hmac),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_a_frame_is_good_for_its_channel_only),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_two_keys),
        cmocka_unit_test(test_short_keys_are_refused),
        cmocka_unit_test(test_epochs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
