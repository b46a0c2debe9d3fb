/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/windows.h. The pool, the engine and the clock are the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <endian.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/screening.h"
#include "gateway/windows.h"

enum { TURNS_MAX = 64 };

/* --- the pool, the engine, the clock --- */

static struct {
    pg_done_fn done;
    void *context;
    unsigned asked;
} pg;

void pg_pool_query(struct pg_pool *pool, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context)
{
    assert_null(pg.done); /* one read of a window at a time, and the tests use one window */
    pg_params_deinit(params);
    pg.done = done;
    pg.context = context;
    pg.asked++;
}

bool user_role_parse(enum user_role *out, const char *name)
{
    *out = ROLE_STUDENT;
    return true;
}

enum screen_role screening_role(enum user_role role)
{
    return SCREEN_ROLE_STUDENT;
}

void screening_trace(struct node *node, const char *text, size_t length, int64_t at_ms,
                     struct screen_trace *out)
{
    *out = (struct screen_trace){.hash = (uint64_t)text[0], .at_ms = at_ms};
}

static uint64_t now_ms;

uint64_t clock_now_ms(void)
{
    return now_ms;
}

uint64_t clock_now_us(void)
{
    return now_ms * 1000;
}

int64_t clock_unix_us(void)
{
    return (int64_t)now_ms * 1000;
}

static void answer_with(enum pg_outcome outcome, const PGresult *result)
{
    struct pg_reply reply = {.outcome = outcome, .result = result, .sqlstate = "", .message = ""};
    pg_done_fn done = pg.done;

    assert_non_null(done);
    pg.done = NULL;
    done(pg.context, &reply);
}

/* The database's answer: the last message, and what was said, newest first. No `last`: no member.
 */
static void answer(const struct uuid *last, const char *said)
{
    static const Oid types[] = {2950, 25, 16, 20, 20, 20, 2950, 16, 25, 20};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[10] = {0};
    char name[] = "column", role[] = "student", yes[] = {1}, no[] = {0};
    uint64_t number = htobe64(3);

    for (int i = 0; i < 10; i++)
        columns[i] = (PGresAttDesc){.name = name, .format = 1, .typid = types[i]};
    assert_int_equal(PQsetResultAttrs(result, 10, columns), 1);
    for (int row = 0; last && (row == 0 || row < (int)strlen(said)); row++) {
        struct uuid message = {{(uint8_t)said[row]}};
        char text[] = {said[row]};
        bool none = !said[row];
        PQsetvalue(result, row, 0, (char *)last->bytes, UUID_BYTES);
        PQsetvalue(result, row, 1, role, 7);
        PQsetvalue(result, row, 2, yes, 1);
        for (int i = 3; i < 6; i++)
            PQsetvalue(result, row, i, (char *)&number, 8);
        PQsetvalue(result, row, 6, (char *)message.bytes, none ? -1 : UUID_BYTES);
        PQsetvalue(result, row, 7, no, none ? -1 : 1);
        PQsetvalue(result, row, 8, text, none ? -1 : 1);
        PQsetvalue(result, row, 9, (char *)&number, none ? -1 : 8);
    }
    answer_with(PG_OK, result);
    PQclear(result);
}

/* --- turns --- */

struct message_turn {
    struct turn turn;
    uint8_t number;
    struct uuid after; /* as it was screened last */
};

static struct config config = {.moderation = {.windows = 16}};
static struct node node;
static struct message_turn turns[TURNS_MAX];
static unsigned turn_count;
static char ran[256]; /* "1 2 -3": the turns that were run, '-': without a window */
static const struct uuid room = {{0xaa}}, sender = {{0x55}};

static void handle_turn(struct turn *turn, struct window *window)
{
    struct message_turn *mine = container_of(turn, struct message_turn, turn);
    struct uuid message = {{mine->number}};
    struct screen_trace trace = {.hash = mine->number, .at_ms = (int64_t)now_ms};

    snprintf(ran + strlen(ran), sizeof(ran) - strlen(ran), "%s%s%u", *ran ? " " : "",
             window ? "" : "-", mine->number);
    if (!window)
        return;
    mine->after = window->last;
    window_add(window, &message, &trace);
}

static struct message_turn *enter_as(const struct uuid *where, const struct uuid *who)
{
    struct message_turn *mine = &turns[turn_count++];

    *mine = (struct message_turn){.number = (uint8_t)turn_count};
    windows_enter(node.windows, where, who, &mine->turn, handle_turn);
    return mine;
}

static struct message_turn *enter(void)
{
    return enter_as(&room, &sender);
}

static int set_up(void **state)
{
    node = (struct node){.config = &config, .rules = (struct rule_set *)&node};
    node.windows = windows_new(&node);
    turn_count = 0;
    *ran = 0;
    pg.done = NULL;
    pg.asked = 0;
    now_ms = 1000000;
    return 0;
}

static int tear_down(void **state)
{
    node.windows = windows_free(node.windows);
    return 0;
}

/* --- the tests --- */

static void test_the_first_message_waits_for_what_was_said_before(void **state)
{
    struct message_turn *first = enter();
    struct said said[SCREEN_WINDOW_MAX];

    assert_string_equal(ran, "");
    answer(&(struct uuid){{'b'}}, "ba");
    assert_string_equal(ran, "1");
    assert_int_equal(first->after.bytes[0], 'b');
    assert_int_equal(turn_earlier(&first->turn, 1, (int64_t)now_ms, said), 3);
    assert_int_equal(said[0].trace.hash, 'a');
    assert_int_equal(said[1].trace.hash, 'b');
    assert_int_equal(said[2].trace.hash, 1);
    turn_end(&first->turn, TURN_WRITTEN);
}

static void test_the_next_ones_go_at_once_and_name_each_other(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    struct message_turn *second = enter();

    assert_string_equal(ran, "1 2");
    assert_true(uuid_is_nil(&first->after));
    assert_int_equal(second->after.bytes[0], 1);
    turn_end(&first->turn, TURN_WRITTEN);
    turn_end(&second->turn, TURN_WRITTEN);
    turn_end(&enter()->turn, TURN_WRITTEN);
    assert_int_equal(pg.asked, 1);
}

static void test_stale_ones_go_again_in_their_order_after_all_have_come_back(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    struct message_turn *second = enter(), *third = enter();

    turn_end(&first->turn, TURN_STALE);
    struct message_turn *fourth = enter();
    assert_null(pg.done);
    turn_end(&third->turn, TURN_STALE);
    turn_end(&second->turn, TURN_STALE);
    assert_string_equal(ran, "1 2 3");
    answer(&(struct uuid){{'x'}}, "x");
    assert_string_equal(ran, "1 2 3 1 2 3 4");
    assert_int_equal(first->after.bytes[0], 'x');
    assert_int_equal(second->after.bytes[0], 1);
    assert_int_equal(fourth->after.bytes[0], 3);
    assert_int_equal(first->turn.rounds, 1);
    assert_int_equal(fourth->turn.rounds, 0);
    for (unsigned i = 0; i < turn_count; i++)
        turn_end(&turns[i].turn, TURN_WRITTEN);
}

static void test_after_a_failed_write_the_window_is_read_anew(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    turn_end(&first->turn, TURN_OVER);
    struct message_turn *second = enter();

    assert_string_equal(ran, "1");
    answer(&UUID_NIL, "");
    assert_true(uuid_is_nil(&second->after));
    turn_end(&second->turn, TURN_WRITTEN);
}

static void test_another_node_wrote(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    windows_moved(node.windows, &room, &sender);
    struct message_turn *second = enter();

    assert_string_equal(ran, "1"); /* what is under way ends first */
    turn_end(&first->turn, TURN_WRITTEN);
    answer(&(struct uuid){{'y'}}, "y");
    assert_int_equal(second->after.bytes[0], 'y');
    turn_end(&second->turn, TURN_WRITTEN);
    windows_forget(node.windows);
    struct message_turn *third = enter();
    assert_string_equal(ran, "1 2");
    answer(&UUID_NIL, "");
    turn_end(&third->turn, TURN_WRITTEN);
}

static void test_what_is_known_is_a_minute_old_at_most(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    now_ms += 60000;
    struct message_turn *second = enter();
    assert_string_equal(ran, "1 2"); /* not while one is under way */
    turn_end(&first->turn, TURN_WRITTEN);
    turn_end(&second->turn, TURN_WRITTEN);
    struct message_turn *third = enter();
    assert_string_equal(ran, "1 2");
    answer(&UUID_NIL, "");
    turn_end(&third->turn, TURN_WRITTEN);
    assert_int_equal(pg.asked, 2);
}

static void test_without_the_database_nothing_is_screened(void **state)
{
    enter();
    enter();
    answer_with(PG_NOT_SENT, NULL);
    assert_string_equal(ran, "-1 -2");
    assert_true(metrics_value(METRIC_SCREEN_WINDOWS, 0, 0) == 0);
}

static void test_without_rules_nothing_is_screened(void **state)
{
    node.rules = NULL;
    enter();
    assert_string_equal(ran, "-1");
}

static void test_who_is_no_member_leaves_nothing_behind(void **state)
{
    struct message_turn *first = enter();
    answer(NULL, "");
    assert_string_equal(ran, "1");
    turn_end(&first->turn, TURN_OVER);
    assert_true(metrics_value(METRIC_SCREEN_WINDOWS, 0, 0) == 0);
}

static void test_windows_longest_unused_are_dropped(void **state)
{
    for (uint8_t n = 0; n < 40; n++) {
        struct uuid where = {{0xbb, n}};
        struct message_turn *turn = enter_as(&where, &sender);
        answer(&UUID_NIL, "");
        turn_end(&turn->turn, TURN_WRITTEN);
    }
    assert_true(metrics_value(METRIC_SCREEN_WINDOWS, 0, 0) == 16);
    turn_end(&enter_as(&(struct uuid){{0xbb, 39}}, &sender)->turn, TURN_WRITTEN);
    assert_int_equal(pg.asked, 40);
    enter_as(&(struct uuid){{0xbb, 0}}, &sender);
    assert_int_equal(pg.asked, 41);
    answer(&UUID_NIL, "");
    turn_end(&turns[turn_count - 1].turn, TURN_WRITTEN);
}

static void test_closed_nothing_waits(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    turn_end(&first->turn, TURN_STALE);
    windows_close(node.windows);
    assert_string_equal(ran, "1 -1");
    enter();
    assert_string_equal(ran, "1 -1 -2");
    answer_with(PG_UNKNOWN, NULL);
}

static void test_closed_a_stale_one_is_over(void **state)
{
    struct message_turn *first = enter();
    answer(&UUID_NIL, "");
    windows_close(node.windows);
    turn_end(&first->turn, TURN_STALE);
    assert_string_equal(ran, "1 -1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_message_waits_for_what_was_said_before),
        TEST(test_the_next_ones_go_at_once_and_name_each_other),
        TEST(test_stale_ones_go_again_in_their_order_after_all_have_come_back),
        TEST(test_after_a_failed_write_the_window_is_read_anew),
        TEST(test_another_node_wrote),
        TEST(test_what_is_known_is_a_minute_old_at_most),
        TEST(test_without_the_database_nothing_is_screened),
        TEST(test_without_rules_nothing_is_screened),
        TEST(test_who_is_no_member_leaves_nothing_behind),
        TEST(test_windows_longest_unused_are_dropped),
        TEST(test_closed_nothing_waits),
        TEST(test_closed_a_stale_one_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
