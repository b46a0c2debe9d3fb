/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/password.h */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "gateway/password.h"
#include "gateway/worker.h"

enum { COST = PASSWORD_COST_MIN };

static uv_loop_t loop;
static struct worker *worker;
static unsigned calls;

static int set_up(void **state)
{
    uv_loop_init(&loop);
    worker = worker_new(&loop, 1, 1);
    calls = 0;
    return 0;
}

static int tear_down(void **state)
{
    worker = worker_free(worker);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void handle_verdict(void *context, enum password_verdict verdict)
{
    calls++;
    *(enum password_verdict *)context = verdict;
}

static enum password_verdict verify_bytes(const char *hash, const char *password, size_t length)
{
    enum password_verdict verdict = PASSWORD_CANCELLED;

    calls = 0;
    assert_int_equal(
        password_verify_async(worker, hash, COST, password, length, handle_verdict, &verdict), 0);
    assert_int_equal(calls, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(calls, 1);
    return verdict;
}

static enum password_verdict verify(const char *hash, const char *password)
{
    return verify_bytes(hash, password, strlen(password));
}

/* Of the test suite of crypt_blowfish. */
static void test_vectors(void **state)
{
    assert_int_equal(verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
                     PASSWORD_MATCH);
    assert_int_equal(verify("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
                     PASSWORD_MATCH);
    assert_int_equal(verify("$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
                     PASSWORD_MATCH);
    assert_int_equal(verify("$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U"),
                     PASSWORD_MISMATCH);
    assert_int_equal(verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
                     PASSWORD_MATCH);
}

static void test_round_trip(void **state)
{
    char hash[PASSWORD_HASH_BYTES], again[PASSWORD_HASH_BYTES];

    assert_int_equal(password_hash_sync("\xd0\xbf\xd0\xb0\xd1\x80", 6, COST, hash), 0);
    assert_int_equal(password_hash_sync("\xd0\xbf\xd0\xb0\xd1\x80", 6, COST, again), 0);
    assert_memory_equal(hash, "$2b$04$", 7);
    assert_string_not_equal(hash, again);
    assert_int_equal(verify(hash, "\xd0\xbf\xd0\xb0\xd1\x80"), PASSWORD_MATCH);
    assert_int_equal(verify(hash, "\xd0\xbf\xd0\xb0\xd1"), PASSWORD_MISMATCH);
    assert_int_equal(verify(hash, ""), PASSWORD_MISMATCH);
}

/* What is no usable bcrypt hash mismatches, and never matches the dummy that is computed instead.
 */
static void test_unusable_hashes(void **state)
{
    static const char *const bad[] = {
        "",
        "*0",
        "*1",
        "x",
        "$2b$04$",
        "$2b$04$......................",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
        "$2a$05$CCCCCCCCCCCCCC*CCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$0x$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    };

    assert_int_equal(verify(NULL, "U*U"), PASSWORD_MISMATCH);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify(bad[i], "U*U"), PASSWORD_MISMATCH);
}

static double cpu_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cost_of_refusal_s(const char *hash)
{
    enum password_verdict verdict;
    double start_s = cpu_s();

    password_verify_async(worker, hash, 8, "wrong!", 6, handle_verdict, &verdict);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(verdict, PASSWORD_MISMATCH);
    return cpu_s() - start_s;
}

static void test_an_unknown_user_costs_as_much(void **state)
{
    char hash[PASSWORD_HASH_BYTES];
    double known_s, unknown_s, unusable_s;

    password_hash_sync("secret", 6, 8, hash);
    known_s = cost_of_refusal_s(hash);
    unknown_s = cost_of_refusal_s(NULL);
    unusable_s = cost_of_refusal_s("*0");
    assert_true(unknown_s * 3 > known_s && unknown_s < known_s * 3);
    assert_true(unusable_s * 3 > known_s && unusable_s < known_s * 3);
}

static void test_nul_never_matches(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    password_hash_sync("abc", 3, COST, hash);
    assert_int_equal(verify_bytes(hash, "abc\0def", 7), PASSWORD_MISMATCH);
    assert_int_equal(verify_bytes(hash, "abc\0", 4), PASSWORD_MISMATCH);
    assert_int_equal(verify_bytes(hash, "abc", 3), PASSWORD_MATCH);
}

static void test_72_bytes_count(void **state)
{
    char password[2000], hash[PASSWORD_HASH_BYTES];

    memset(password, 'a', sizeof(password));
    assert_int_equal(password_hash_sync(password, 72, COST, hash), 0);
    assert_int_equal(password_hash_sync(password, 73, COST, hash), PASSWORD_TOO_LONG);
    assert_int_equal(verify_bytes(hash, password, 72), PASSWORD_MATCH);
    assert_int_equal(verify_bytes(hash, password, 71), PASSWORD_MISMATCH);
    assert_int_equal(verify_bytes(hash, password, sizeof(password)), PASSWORD_MATCH);
}

static void test_refused_on_set(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    assert_int_equal(password_hash_sync("", 0, COST, hash), PASSWORD_EMPTY);
    assert_int_equal(password_hash_sync("a\0b", 3, COST, hash), PASSWORD_HAS_NUL);
    assert_int_equal(password_hash_sync("a", 1, COST - 1, hash), -EINVAL);
    assert_int_equal(password_hash_sync("a", 1, PASSWORD_COST_MAX + 1, hash), -EINVAL);
}

static void test_busy_and_cancelled(void **state)
{
    enum password_verdict verdicts[3] = {PASSWORD_MATCH, PASSWORD_MATCH, PASSWORD_MATCH};

    for (int i = 0; i < 3; i++)
        assert_int_equal(
            password_verify_async(worker, NULL, COST, "x", 1, handle_verdict, &verdicts[i]),
            i < 2 ? 0 : PASSWORD_BUSY);
    worker = worker_free(worker);
    assert_int_equal(verdicts[1], PASSWORD_CANCELLED);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(verdicts[0], PASSWORD_MISMATCH);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_vectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unusable_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_unknown_user_costs_as_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nul_never_matches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_72_bytes_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_on_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_and_cancelled, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
