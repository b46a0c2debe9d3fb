/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/plain_send.h: it says what the general parser says, or nothing */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/command.h"
#include "protocol/plain_send.h"
#include "protocol/xalloc.h"

#define ROOM "0190f2a4-7b3c-7def-8a1b-0123456789ab"
#define CID  "7a0d4d1e-1111-4222-8333-444455556666"

enum { FRAME_BYTES_MAX = 1024, MUTANTS = 300000 };

static const struct command_limits limits = {
    .text_code_points = 40, .rooms_per_sync = 3, .page = 100, .decisions = 3};

static const char *const plain[] = {
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"hello\"}",
    " {\n\t\"text\" : \"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xf0\x9f\x98\x80\" ,\r"
    "\"cid\": \"" CID "\", \"room\":\"" ROOM "\",\"id\" :999999999999999999, \"t\":\"send\" } \n",
    "{\"id\":1,\"t\":\"send\",\"cid\":\"7A0D4D1E-1111-4222-8333-444455556666\",\"room\":\"" ROOM
    "\",\"text\":\"{}[],:-0\x7f\"}",
};

/* Good frames among them, which the general parser has to take. */
static const char *const others[] = {
    "",
    "{",
    "{}",
    "[1]",
    "{\"t\":\"typing\",\"room\":\"" ROOM "\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\\nb\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\nb\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\" \"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"\xc0\xaf\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":null}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}x",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\",}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\",\"x\":1}",
    "{\"t\":\"send\",\"id\":7,\"id\":7,\"cid\":\"" CID "\",\"room\":\"" ROOM "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7,\"id\":8,\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"t\":\"send\",\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":07,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":0,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":-7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7.0,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7e1,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":9223372036854775807,\"room\":\"" ROOM "\",\"cid\":\"" CID
    "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID
    "\",\"text\":\"12345678901234567890123456789012345678901\"}",
    "{\"t\":\"sent\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"\",\"cid\":\"" CID "\",\"text\":\"a\"}",
    "{\"t\":\"send\",\"id\":7,\"room\":\"" ROOM "\",\"cid\":\"" CID "\",\"text\":\"a",
};

static bool takes(const char *frame, size_t bytes)
{
    struct command command = {0};
    bool taken = plain_send_parse(&command, frame, bytes, &limits);

    command_deinit(&command);
    return taken;
}

static void test_what_is_plain(void **state)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        assert_true(takes(plain[i], strlen(plain[i])));
}

static void test_what_is_not(void **state)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(takes(others[i], strlen(others[i])));
}

/* Each in memory of its own length, so that a sanitizer sees a look behind it. */
static void test_no_prefix_is_taken(void **state)
{
    for (size_t bytes = 0; bytes < strlen(plain[0]); bytes++) {
        char *prefix = xmemdup(plain[0], bytes);

        assert_false(takes(prefix, bytes));
        free(prefix);
    }
}

/* --- against the general parser --- */

/* The same frame with a member more, which means nothing, but isn't plain. */
static size_t with_another_member(const char *frame, size_t bytes, char *out)
{
    static const char extra[] = "\"zz\":0,";
    const char *brace = memchr(frame, '{', bytes);
    size_t head = brace ? (size_t)(brace - frame) + 1 : bytes;

    memcpy(out, frame, head);
    memcpy(out + head, extra, sizeof(extra) - 1);
    memcpy(out + head + sizeof(extra) - 1, frame + head, bytes - head);
    return bytes + sizeof(extra) - 1;
}

static void assert_same(const struct command *a, const struct command *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->id, b->id);
    if (a->type != COMMAND_SEND)
        return;
    assert_true(uuid_equal(&a->send.room, &b->send.room));
    assert_true(uuid_equal(&a->send.cid, &b->send.cid));
    assert_int_equal(a->send.text_length, b->send.text_length);
    assert_string_equal(a->send.text, b->send.text);
}

/* Whether it was a good one. */
static bool check_against_general(const char *frame, size_t bytes)
{
    char longer[FRAME_BYTES_MAX + 16];
    size_t longer_bytes = with_another_member(frame, bytes, longer);
    struct command quick, general;
    struct command_error error;
    int quick_code = command_parse(&quick, frame, bytes, &limits, &error);
    int general_code = command_parse(&general, longer, longer_bytes, &limits, &error);

    if (quick_code != general_code)
        fail_msg("%d, but %d by the general parser: %.*s", quick_code, general_code, (int)bytes,
                 frame);
    if (quick_code != 0)
        return false;
    assert_non_null(general.root);
    assert_same(&quick, &general);
    command_deinit(&quick);
    command_deinit(&general);
    return true;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A few bytes of a good frame changed, dropped or doubled. */
static size_t mutate(char *frame, size_t bytes, uint32_t *seed)
{
    static const char bytes_that_matter[] = "\"\\{}[]:,-.0179eE \t\n\r\x01\x7f\x80\xc3\xff/tidn";

    for (uint32_t left = next_random(seed) % 3; left > 0 && bytes > 1; left--) {
        size_t at = next_random(seed) % bytes;

        switch (next_random(seed) % 3) {
        case 0:
            frame[at] = bytes_that_matter[next_random(seed) % (sizeof(bytes_that_matter) - 1)];
            break;
        case 1:
            memmove(frame + at, frame + at + 1, --bytes - at);
            break;
        case 2:
            memmove(frame + at + 1, frame + at, bytes++ - at);
            break;
        }
    }
    return bytes;
}

static void test_mutants_mean_the_same(void **state)
{
    const size_t kinds = sizeof(plain) / sizeof(plain[0]);
    uint32_t seed = 2463534242u;
    size_t good = 0, taken = 0;

    for (size_t i = 0; i < MUTANTS; i++) {
        char frame[FRAME_BYTES_MAX];
        size_t bytes = strlen(plain[i % kinds]);

        memcpy(frame, plain[i % kinds], bytes);
        bytes = mutate(frame, bytes, &seed);
        good += check_against_general(frame, bytes);
        taken += takes(frame, bytes);
    }
    assert_true(taken > MUTANTS / 3); /* it was the quick way that was compared */
    assert_true(good > taken && good < MUTANTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_plain),
        cmocka_unit_test(test_what_is_not),
        cmocka_unit_test(test_no_prefix_is_taken),
        cmocka_unit_test(test_mutants_mean_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
