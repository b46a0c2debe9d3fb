/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/ledger.h: what is concluded from rows. Reading them is tested on Postgres, in
 * tests/integration/test_cli.py. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/ledger.h"

static char first[] = "040_base", second[] = "050_chat", third[] = "060_more";

/* A ledger of three rows in these states. */
static struct ledger ledger_of(struct ledger_row rows[3], enum ledger_state a, enum ledger_state b,
                               enum ledger_state c)
{
    const enum ledger_state states[] = {a, b, c};
    char *const names[] = {first, second, third};
    struct ledger ledger = {
        .rows = rows, .count = 3, .newest_known = 50, .compatible_from = INT_MAX};
    for (size_t i = 0; i < 3; i++) {
        rows[i] = (struct ledger_row){
            .version = ledger_version(names[i]), .name = names[i], .state = states[i]};
        ledger.pending += states[i] == LEDGER_PENDING;
        ledger.changed += states[i] == LEDGER_CHANGED;
        ledger.unknown += states[i] == LEDGER_UNKNOWN;
    }
    return ledger;
}

static void expect(char *text, const char *expected)
{
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
    free(text);
}

static const char newer[] = "the database has 060_more, which this program (up to 050) does not "
                            "know: use the program that migrated it, or a newer one";

static void test_versions(void **state)
{
    assert_int_equal(ledger_version("050_chat_on_booking"), 50);
    assert_int_equal(ledger_version("50"), 50);
    assert_int_equal(ledger_version("1234_x"), 1234);
    assert_int_equal(ledger_version("x"), 0);
}

static void test_up_to_date(void **state)
{
    struct ledger_row rows[3];
    struct ledger ledger = ledger_of(rows, LEDGER_APPLIED, LEDGER_APPLIED, LEDGER_APPLIED);
    expect(ledger_conflict(&ledger), NULL);
    expect(ledger_obstacle(&ledger), NULL);
}

static void test_pending(void **state)
{
    struct ledger_row rows[3];
    struct ledger ledger = ledger_of(rows, LEDGER_APPLIED, LEDGER_PENDING, LEDGER_PENDING);
    expect(ledger_conflict(&ledger), NULL);
    expect(ledger_obstacle(&ledger),
           "2 migrations are not applied, 050_chat first: run `chatgate migrate up`");
    ledger = ledger_of(rows, LEDGER_APPLIED, LEDGER_APPLIED, LEDGER_PENDING);
    expect(ledger_obstacle(&ledger),
           "1 migration is not applied, 060_more first: run `chatgate migrate up`");
}

static void test_changed(void **state)
{
    struct ledger_row rows[3];
    struct ledger ledger = ledger_of(rows, LEDGER_APPLIED, LEDGER_CHANGED, LEDGER_PENDING);
    static const char text[] =
        "050_chat.sql was applied to this database with another content: a migration is never "
        "edited once it was applied, use the program that applied it";
    expect(ledger_conflict(&ledger), text);
    expect(ledger_obstacle(&ledger), text);
}

static void test_a_newer_database(void **state)
{
    struct ledger_row rows[3];
    struct ledger ledger = ledger_of(rows, LEDGER_APPLIED, LEDGER_APPLIED, LEDGER_UNKNOWN);
    expect(ledger_conflict(&ledger), newer);
    expect(ledger_obstacle(&ledger), newer);
    ledger.compatible_from = 60;
    expect(ledger_obstacle(&ledger), newer);
    ledger.compatible_from = 50;
    expect(ledger_obstacle(&ledger), NULL);
    expect(ledger_conflict(&ledger), newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),         cmocka_unit_test(test_up_to_date),
        cmocka_unit_test(test_pending),          cmocka_unit_test(test_changed),
        cmocka_unit_test(test_a_newer_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
