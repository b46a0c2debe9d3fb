/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/writer.h: batches, and what becomes of them when the database fails them. The
 * connection is the test's: it sees what is asked, and answers when it wants to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <endian.h>
#include <uv.h>

#include "gateway/config.h"
#include "gateway/node.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_params.h"
#include "gateway/text_hash.h"
#include "gateway/write_batch.h"
#include "gateway/write_pace.h"
#include "gateway/write_queue.h"
#include "gateway/writer.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PATIENCE_MS = 20000, WRITES_MAX = 400 };

/* --- the connection --- */

static uv_loop_t loop;

static struct pg_conn {
    const struct sql_statement *statement; /* of the query that is not answered, NULL = none */
    struct pg_params params;
    pg_done_fn done;
    void *context;
    void (*closed)(void *context);
    void *closed_context;
} pg, other; /* the first lane's, and the second's if there is one */

static unsigned lanes;
static bool ready;

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

struct pg_conn *pg_conn_new(uv_loop_t *on, const struct pg_conn_options *options)
{
    return lanes++ ? &other : &pg;
}

bool pg_conn_ready(const struct pg_conn *conn)
{
    return ready;
}

void pg_conn_query(struct pg_conn *conn, const struct sql_statement *statement,
                   struct pg_params *params, pg_done_fn done, void *context)
{
    assert_null(conn->statement);
    assert_false(params->failed);
    assert_int_equal(params->count, statement->param_count);
    conn->statement = statement;
    conn->params = *params;
    conn->done = done;
    conn->context = context;
    pg_params_init(params);
}

static void answer_on(struct pg_conn *conn, enum pg_outcome outcome, const char *sqlstate,
                      PGresult *result)
{
    struct pg_reply reply = {
        .outcome = outcome, .result = result, .sqlstate = sqlstate, .message = ""};

    assert_non_null(conn->statement);
    conn->statement = NULL;
    pg_params_deinit(&conn->params);
    conn->done(conn->context, &reply);
    PQclear(result);
    turn();
}

static void answer_with(enum pg_outcome outcome, const char *sqlstate, PGresult *result)
{
    answer_on(&pg, outcome, sqlstate, result);
}

void pg_conn_close(struct pg_conn *conn, void (*then)(void *context), void *context)
{
    conn->closed = then;
    conn->closed_context = context;
}

/* Later, from the loop: gives up what is in flight. */
static void finish_closing(struct pg_conn *conn)
{
    if (conn->statement)
        answer_on(conn, PG_UNKNOWN, "", NULL);
    conn->closed(conn->closed_context);
}

/* How many writes the query holds. */
static unsigned asked_on(const struct pg_conn *conn)
{
    uint32_t count;

    assert_non_null(conn->statement);
    memcpy(&count, conn->params.data + conn->params.offsets[0] + 12, sizeof(count));
    return be32toh(count);
}

static unsigned asked(void)
{
    return asked_on(&pg);
}

/* The n-th room or id of the query. */
static struct uuid asked_uuid_on(const struct pg_conn *conn, int param, unsigned n)
{
    struct uuid id;
    memcpy(&id, conn->params.data + conn->params.offsets[param] + 20 + n * 20 + 4, UUID_BYTES);
    return id;
}

static struct uuid asked_uuid(int param, unsigned n)
{
    return asked_uuid_on(&pg, param, n);
}

/* --- rows --- */

static PGresult *new_rows(void)
{
    static const Oid types[] = {23, 25, 2950, 25, 20, 20, 25, 2950, 2950};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[9] = {0};
    char name[] = "column";

    for (int i = 0; i < 9; i++)
        columns[i] = (PGresAttDesc){.name = name, .format = 1, .typid = types[i]};
    assert_int_equal(PQsetResultAttrs(result, 9, columns), 1);
    return result;
}

static void add_row(PGresult *result, const char *outcome, const struct uuid *id)
{
    static char delivered[] = "delivered";
    int row = PQntuples(result);
    uint64_t number = htobe64(7);
    uint32_t ord = htobe32((uint32_t)row + 1);
    char text[32];

    strcpy(text, outcome);
    PQsetvalue(result, row, 0, (char *)&ord, 4);
    PQsetvalue(result, row, 1, text, (int)strlen(text));
    PQsetvalue(result, row, 2, (char *)id->bytes, UUID_BYTES);
    PQsetvalue(result, row, 3, delivered, 9);
    PQsetvalue(result, row, 4, (char *)&number, 8);
    PQsetvalue(result, row, 5, (char *)&number, 8);
    PQsetvalue(result, row, 6, NULL, -1);
    PQsetvalue(result, row, 7, (char *)id->bytes, UUID_BYTES);
    PQsetvalue(result, row, 8, (char *)id->bytes, UUID_BYTES);
}

/* The same for all of the batch. */
static void answer_all_on(struct pg_conn *conn, const char *outcome)
{
    PGresult *result = new_rows();

    for (unsigned i = 0; i < asked_on(conn); i++)
        add_row(result, outcome, &(struct uuid){{asked_uuid_on(conn, 0, i).bytes[0]}});
    answer_on(conn, PG_OK, "", result);
}

static void answer_all(const char *outcome)
{
    answer_all_on(&pg, outcome);
}

/* --- the writer --- */

static struct config config = {.database = {.writers = 1, .statement_timeout_ms = 5000}};
static struct node node;
static struct write writes[WRITES_MAX];
static enum write_result results[WRITES_MAX];
static unsigned write_count, done_count;

static void handle_done(struct write *write, enum write_result result)
{
    results[write - writes] = result;
    done_count++;
}

/* Message `n` in room `room`; its id is {n + 1}. */
static void submit(uint8_t room)
{
    struct write *write = &writes[write_count++];

    *write = (struct write){
        .message = {.id = {{(uint8_t)write_count}},
                    .room = {{room}},
                    .text = "x",
                    .text_length = 1,
                    .has_cid = true},
        .rule_set = 1,
        .done = handle_done,
    };
    list_init(&write->link);
    writer_submit(node.writer, write);
}

/* A message that the first lane is busy with from now on. */
static void submit_first(uint8_t room)
{
    submit(room);
    turn();
    assert_int_equal(asked(), 1);
}

static int set_up(void **state)
{
    uv_loop_init(&loop);
    node = (struct node){.loop = &loop, .config = &config};
    node.text_hasher = text_hasher_new("0123456789abcdef", 16);
    ready = true;
    lanes = 0;
    node.writer = writer_new(&node);
    write_count = done_count = 0;
    return 0;
}

static void close_writer(void)
{
    if (!node.writer)
        return;
    writer_close(node.writer, NULL, NULL);
    finish_closing(&pg);
    if (lanes == 2)
        finish_closing(&other);
    node.writer = NULL;
}

static int set_up_two_lanes(void **state)
{
    config.database.writers = 2;
    set_up(state);
    config.database.writers = 1;
    return 0;
}

static int tear_down(void **state)
{
    close_writer();
    text_hasher_free(node.text_hasher);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

#define until(condition)                                                                           \
    do {                                                                                           \
        uint64_t end_ms = uv_hrtime() / 1000000 + PATIENCE_MS;                                     \
        while (!(condition)) {                                                                     \
            uv_run(&loop, UV_RUN_NOWAIT);                                                          \
            assert_true(uv_hrtime() / 1000000 < end_ms);                                           \
        }                                                                                          \
    } while (0)

static void expect_done(unsigned count, enum write_result last)
{
    assert_int_equal(done_count, count);
    assert_int_equal(results[count - 1], last);
}

/* --- tests --- */

static void test_what_comes_meanwhile_goes_together(void **state)
{
    submit_first(1);
    submit(2);
    submit(1);
    answer_all("new");
    expect_done(1, WRITE_NEW);
    assert_int_equal(asked(), 2);
    answer_all("new");
    expect_done(3, WRITE_NEW);
    assert_int_equal(writes[2].message.seq, 7);
}

static void test_each_row_has_its_answer(void **state)
{
    static const char *const outcomes[] = {"dup", "cid_conflict", "no_room", "not_member", "stale"};
    PGresult *result = new_rows();

    submit_first(1);
    for (int i = 0; i < 5; i++)
        submit(1);
    answer_all("new");
    for (int i = 0; i < 5; i++)
        add_row(result, outcomes[i], &(struct uuid){{99}});
    answer_with(PG_OK, "", result);
    assert_int_equal(results[1], WRITE_DUP);
    assert_int_equal(writes[1].message.id.bytes[0], 99); /* the first one's */
    assert_int_equal(results[2], WRITE_CID_CONFLICT);
    assert_int_equal(results[3], WRITE_NO_ROOM);
    assert_int_equal(results[4], WRITE_NOT_MEMBER);
    assert_int_equal(results[5], WRITE_STALE);
}

static void test_a_row_names_the_message_that_it_follows(void **state)
{
    enum { AFTER = 11 };

    submit_first(1);
    submit(1);
    writes[write_count - 1].after = (struct uuid){{77}};
    submit(1);
    writes[write_count - 1].any = true;
    answer_all("new");
    assert_int_equal(asked(), 2);
    assert_int_equal(asked_uuid(AFTER, 0).bytes[0], 77);
    /* NULL: a length of -1, and no more. */
    assert_int_equal(pg.params.lengths[AFTER], 20 + 20 + 4);
    answer_all("new");
    expect_done(3, WRITE_NEW);
}

/* The connection was lost after the commit: nobody has told the room of this message yet. */
static void test_a_duplicate_of_itself_is_new(void **state)
{
    submit_first(1);
    answer_with(PG_UNKNOWN, "", NULL);
    assert_int_equal(done_count, 0);
    until(pg.statement);
    answer_all("dup");
    expect_done(1, WRITE_NEW);
}

static void test_a_row_that_cannot_be_stored(void **state)
{
    submit_first(1);
    for (int i = 0; i < 9; i++)
        submit(2);
    answer_all("new");
    while (done_count < 10) {
        bool bad = false; /* the fifth of them */
        until(pg.statement);
        for (unsigned i = 0; i < asked(); i++)
            bad = bad || asked_uuid(0, i).bytes[0] == 6;
        if (bad)
            answer_with(PG_REFUSED, "22021", NULL);
        else
            answer_all("new");
    }
    assert_int_equal(done_count, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(results[i], i == 5 ? WRITE_REFUSED : WRITE_NEW);
}

static void test_what_passes_is_tried_again(void **state)
{
    static const char *const states[] = {"40P01", "40001", "57014", "53300", "25006"};

    submit_first(1);
    for (int i = 0; i < 5; i++) {
        answer_with(PG_REFUSED, states[i], NULL);
        until(pg.statement);
    }
    answer_all("new");
    expect_done(1, WRITE_NEW);
}

static void test_a_busy_room_keeps_its_order(void **state)
{
    submit_first(1);
    submit(1);
    answer_all("busy");
    submit(1);
    until(pg.statement);
    assert_int_equal(asked(), 3);
    assert_int_equal(asked_uuid(0, 0).bytes[0], 1);
    assert_int_equal(asked_uuid(0, 1).bytes[0], 2);
    answer_all("new");
    expect_done(3, WRITE_NEW);
}

static void test_a_busy_room_holds_up_no_other(void **state)
{
    submit_first(1);
    submit(2);
    answer_all("busy");
    assert_int_equal(asked(), 1);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 2);
    answer_all("new");
    until(pg.statement);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 1);
    answer_all("new");
    expect_done(2, WRITE_NEW);
}

/* Brings room 1 to where it is waited for. */
static void make_room_wait(void)
{
    submit_first(1);
    for (int i = 0; i < WRITE_BUSY_ROUNDS; i++) {
        assert_ptr_equal(pg.statement, &sql_write_messages);
        answer_all("busy");
        until(pg.statement);
    }
    assert_ptr_equal(pg.statement, &sql_write_messages_wait);
}

static void test_a_locked_room_holds_up_no_other(void **state)
{
    make_room_wait();
    submit(2);
    submit(1);
    answer_with(PG_REFUSED, "55P03", NULL);
    until(pg.statement);
    assert_ptr_equal(pg.statement, &sql_write_messages);
    assert_int_equal(asked(), 1);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 2);
    answer_all("new");
    submit(1); /* does not overtake the others of its room */
    turn();
    assert_null(pg.statement);
    until(pg.statement);
    assert_ptr_equal(pg.statement, &sql_write_messages_wait);
    assert_int_equal(asked(), 3);
    answer_all("new");
    assert_int_equal(done_count, 4);
    submit_first(1);
    assert_ptr_equal(pg.statement, &sql_write_messages);
}

static void test_rooms_are_waited_for_in_turn(void **state)
{
    make_room_wait();
    submit(2);
    answer_with(PG_REFUSED, "55P03", NULL);
    until(pg.statement);
    answer_with(PG_REFUSED, "55P03", NULL); /* room 2 alone: some other lock */
    assert_null(pg.statement);
    until(pg.statement);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 1);
    answer_with(PG_REFUSED, "55P03", NULL);
    until(pg.statement);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 2);
    answer_all("new");
    assert_int_equal(done_count, 1);
}

static void test_a_batch_with_a_lock_in_it_is_halved(void **state)
{
    submit_first(9);
    for (uint8_t room = 1; room <= 8; room++)
        submit(room);
    answer_all("new");
    until(pg.statement);
    while (pg.statement == &sql_write_messages) { /* room 3 needs a lock that somebody has */
        bool held = false;
        for (unsigned i = 0; i < asked(); i++)
            held = held || asked_uuid(1, i).bytes[0] == 3;
        if (held)
            answer_with(PG_REFUSED, "55P03", NULL);
        else
            answer_all("new");
        until(pg.statement);
    }
    /* By now room 3 stands alone, and is waited for; then the rest goes on. */
    assert_ptr_equal(pg.statement, &sql_write_messages_wait);
    answer_with(PG_REFUSED, "55P03", NULL);
    while (done_count < 9) {
        until(pg.statement);
        answer_all("new");
    }
    assert_int_equal(results[3], WRITE_NEW);
}

static void test_time_runs_out(void **state)
{
    config.database.statement_timeout_ms = 300;
    make_room_wait();
    answer_with(PG_REFUSED, "55P03", NULL);
    until(done_count || pg.statement);
    expect_done(1, WRITE_UNAVAILABLE);
    config.database.statement_timeout_ms = 5000;
}

static void test_a_database_that_is_away(void **state)
{
    ready = false;
    submit(1);
    turn();
    assert_null(pg.statement);
    until(done_count);
    expect_done(1, WRITE_UNAVAILABLE);
    ready = true;
    submit(1);
    until(pg.statement);
    answer_all("new");
    expect_done(2, WRITE_NEW);
}

/* The second is on its way while the first is, but not with the first one's room. */
static void test_lanes_share_the_queue_and_no_room(void **state)
{
    submit_first(1);
    submit(1);
    submit(2);
    turn();
    assert_int_equal(asked_on(&other), 1);
    assert_int_equal(asked_uuid_on(&other, 1, 0).bytes[0], 2);
    answer_all_on(&other, "new");
    assert_null(other.statement);
    answer_all("new");
    until(pg.statement || other.statement);
    answer_all_on(pg.statement ? &pg : &other, "new");
    assert_int_equal(done_count, 3);
}

static void test_a_lane_that_waits_for_a_room_leaves_the_rest_to_the_other(void **state)
{
    submit_first(1);
    for (int i = 0; i < WRITE_BUSY_ROUNDS; i++) {
        answer_all("busy");
        until(pg.statement);
    }
    assert_ptr_equal(pg.statement, &sql_write_messages_wait);
    submit(1);
    submit(2);
    until(other.statement);
    assert_int_equal(asked_on(&other), 1);
    assert_int_equal(asked_uuid_on(&other, 1, 0).bytes[0], 2);
    answer_all("new");
    until(pg.statement);
    assert_int_equal(asked_uuid(1, 0).bytes[0], 1);
    answer_all("new");
    answer_all_on(&other, "new");
    assert_int_equal(done_count, 3);
}

/* Under load batches don't leave as fast as answers come, they grow. */
static void test_many_small_batches_become_few_large_ones(void **state)
{
    uint64_t start_ms = uv_hrtime() / 1000000;
    unsigned batches = 0;

    while (uv_hrtime() / 1000000 < start_ms + 200) {
        if (write_count < WRITES_MAX - 1 && write_count < done_count + 2)
            submit((uint8_t)write_count);
        turn();
        if (!pg.statement)
            continue;
        answer_all("new");
        batches++;
    }
    assert_true(batches <= WRITE_PACE_BURST + 200000 / WRITE_PACE_GAP_US + 2);
}

static void test_a_full_batch_does_not_wait(void **state)
{
    for (int i = 0; i < WRITE_PACE_BURST; i++) {
        submit_first(1);
        answer_all("new");
    }
    submit(1);
    turn();
    assert_null(pg.statement);
    for (int i = 1; i < WRITE_BATCH_MAX; i++)
        submit(1);
    turn();
    assert_int_equal(asked(), WRITE_BATCH_MAX);
    answer_all("new");
}

static void test_closing(void **state)
{
    submit_first(1);
    submit(2);
    close_writer();
    assert_int_equal(done_count, 2);
    assert_int_equal(results[0], WRITE_UNAVAILABLE);
    assert_int_equal(results[1], WRITE_UNAVAILABLE);
}

#define TEST(name)        cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_OF_TWO(name) cmocka_unit_test_setup_teardown(name, set_up_two_lanes, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_comes_meanwhile_goes_together),
        TEST(test_each_row_has_its_answer),
        TEST(test_a_row_names_the_message_that_it_follows),
        TEST(test_a_duplicate_of_itself_is_new),
        TEST(test_a_row_that_cannot_be_stored),
        TEST(test_what_passes_is_tried_again),
        TEST(test_a_busy_room_keeps_its_order),
        TEST(test_a_busy_room_holds_up_no_other),
        TEST(test_a_locked_room_holds_up_no_other),
        TEST(test_rooms_are_waited_for_in_turn),
        TEST(test_a_batch_with_a_lock_in_it_is_halved),
        TEST(test_time_runs_out),
        TEST(test_a_database_that_is_away),
        TEST(test_many_small_batches_become_few_large_ones),
        TEST(test_a_full_batch_does_not_wait),
        TEST_OF_TWO(test_lanes_share_the_queue_and_no_room),
        TEST_OF_TWO(test_a_lane_that_waits_for_a_room_leaves_the_rest_to_the_other),
        TEST(test_closing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
