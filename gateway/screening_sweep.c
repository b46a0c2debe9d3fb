/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of other programs.
 *
 * Every node looks for pending messages that no rules have seen, screens them and proposes its
 * verdicts; the database takes the first one of each message (sql/migrations/081). A hint reaches
 * all nodes at once, so each waits for a moment of its own, and mostly one of them finds the row
 * and the others nothing.
 *
 * A run takes the oldest one of each sender and room, in their windows' turns: so they keep their
 * order, also against what the sender writes through the gateway. What could not be decided, by a
 * race or without the database, is simply found again.
 */
#include "gateway/screening_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/new_id.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/screening.h"
#include "gateway/timer_wheel.h"
#include "gateway/verdict_row.h"
#include "gateway/windows.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    PERIOD_MS = 2000,
    HINT_SPREAD_MS = 100,
    NEXT_MS = 1, /* after a run that got somewhere */
    ROWS_MAX = 50,
    CASES_PERIOD_MS = 60000, /* for rows that no trigger has seen */
    CASES_MAX = 1000,
};

struct screening_sweep {
    struct node *node;
    struct timer_entry timer;
    struct list_node rows; /* foreign::link, of the run under way */
    size_t unscreened;     /* of them, whose turn has not come */
    uint64_t due_ms;       /* when the timer fires, while it is armed */
    uint64_t cases_ms;     /* when cases were last opened; 0: never */
    bool running;
    bool hinted; /* while it ran */
    bool freed;
};

/* A message of another program. */
struct foreign {
    struct list_node link;
    struct turn turn;
    struct screening_sweep *sweep;
    struct message message;
    int32_t version;
    struct screening screening;
    char *detail; /* NULL if delivered */
    size_t detail_length;
    char text[];
};

/* --- one run after the other --- */

static void handle_timer(struct timer_entry *entry);

static void run_in(struct screening_sweep *sweep, uint64_t delay_ms)
{
    sweep->due_ms = clock_now_ms() + delay_ms;
    timer_wheel_arm(sweep->node->wheel, &sweep->timer, delay_ms, handle_timer);
}

static uint64_t spread_ms(void)
{
    struct uuid random;

    new_id(&random);
    return uuid_hash(&random) % HINT_SPREAD_MS;
}

void screening_sweep_hint(struct screening_sweep *sweep)
{
    uint64_t delay_ms = spread_ms();

    if (sweep->running)
        sweep->hinted = true;
    else if (sweep->due_ms > clock_now_ms() + delay_ms)
        run_in(sweep, delay_ms);
}

/* `more`: there may be others, behind those that it took. */
static void end_run(struct screening_sweep *sweep, bool more)
{
    bool hinted = sweep->hinted;

    sweep->running = sweep->hinted = false;
    if (sweep->freed)
        free(sweep);
    else
        run_in(sweep, more ? NEXT_MS : hinted ? spread_ms() : PERIOD_MS + spread_ms());
}

/* --- verdicts --- */

static void drop(struct foreign *foreign)
{
    list_remove(&foreign->link);
    free(foreign->detail);
    free(foreign);
}

/* What became of a verdict. */
enum answer {
    ANSWER_TAKEN,     /* decided, or held for a person */
    ANSWER_OVERTAKEN, /* the sender wrote meanwhile: to be screened again */
    ANSWER_LEFT,      /* somebody else's, or not known */
};

/* The row of the answer that belongs to the message. */
static enum answer take_answer(const struct foreign *foreign, const PGresult *result, int index)
{
    enum column { RESULT = 1 };
    struct node *node = foreign->sweep->node;
    const char *outcome = pg_text(result, index, RESULT, NULL);
    struct verdict_row row;

    if (!strcmp(outcome, "stale"))
        return ANSWER_OVERTAKEN;
    if (!strcmp(outcome, "held")) {
        moderators_announce(node, QUEUE_ADDED, &foreign->message.id, NULL);
    } else if (!strcmp(outcome, "decided")) {
        verdict_row_read(result, index, &row);
        verdict_row_announce(node, &row);
        moderators_announce(node, QUEUE_DECIDED, &foreign->message.id, NULL);
    } else {
        return ANSWER_LEFT;
    }
    screening_count_verdict(foreign->screening.status);
    return ANSWER_TAKEN;
}

static void handle_screened(void *context, const struct pg_reply *reply)
{
    struct screening_sweep *sweep = context;
    int count = reply->outcome == PG_OK && !sweep->freed ? PQntuples(reply->result) : 0;
    bool more = false;

    for (int i = 0; !list_empty(&sweep->rows); i++) {
        struct foreign *foreign = container_of(list_first(&sweep->rows), struct foreign, link);
        enum answer answer = i < count ? take_answer(foreign, reply->result, i) : ANSWER_LEFT;
        more |= answer != ANSWER_LEFT;
        turn_end(&foreign->turn, answer == ANSWER_TAKEN ? TURN_WRITTEN : TURN_OVER);
        drop(foreign);
    }
    if (reply->outcome == PG_REFUSED)
        log_limited(LOG_LEVEL_ERROR, "the database refused verdicts of the rules",
                    LOG_STR("sqlstate", reply->sqlstate), LOG_STR("detail", reply->message));
    end_run(sweep, more);
}

/* The rows as the statement's parameters. */
struct columns {
    struct uuid ids[ROWS_MAX];
    int32_t versions[ROWS_MAX];
    int64_t rule_sets[ROWS_MAX];
    const struct uuid *after_or_any[ROWS_MAX];
    const char *statuses[ROWS_MAX], *reasons[ROWS_MAX], *details[ROWS_MAX];
    size_t status_lengths[ROWS_MAX], reason_lengths[ROWS_MAX], detail_lengths[ROWS_MAX];
    size_t count;
};

static void add_row(struct columns *columns, const struct foreign *foreign)
{
    const struct screening *screening = &foreign->screening;
    size_t i = columns->count++;

    columns->ids[i] = foreign->message.id;
    columns->versions[i] = foreign->version;
    columns->rule_sets[i] = screening->rule_set;
    columns->after_or_any[i] = screening->any ? NULL : &screening->after;
    columns->statuses[i] = message_status_name(screening->status);
    columns->status_lengths[i] = strlen(columns->statuses[i]);
    columns->reasons[i] = *screening->reason ? screening->reason : NULL;
    columns->reason_lengths[i] = strlen(screening->reason);
    columns->details[i] = foreign->detail;
    columns->detail_lengths[i] = foreign->detail_length;
}

static void propose(struct screening_sweep *sweep)
{
    struct columns columns = {.count = 0};
    struct pg_params params = PG_PARAMS_INIT;

    LIST_FOREACH (node, &sweep->rows)
        add_row(&columns, container_of(node, struct foreign, link));
    size_t n = columns.count;
    pg_params_uuid_array(&params, columns.ids, n);
    pg_params_int4_array(&params, columns.versions, n);
    pg_params_text_array(&params, columns.statuses, columns.status_lengths, n);
    pg_params_text_array(&params, columns.reasons, columns.reason_lengths, n);
    pg_params_jsonb_array(&params, columns.details, columns.detail_lengths, n);
    pg_params_uuid_or_null_array(&params, columns.after_or_any, n);
    pg_params_int8_array(&params, columns.rule_sets, n);
    pg_params_cstring(&params, sweep->node->name);
    pg_pool_query(sweep->node->pool, &sql_screen, &params, handle_screened, sweep);
}

/* --- screening --- */

static void one_less(struct screening_sweep *sweep)
{
    if (--sweep->unscreened)
        return;
    if (list_empty(&sweep->rows))
        end_run(sweep, false);
    else
        propose(sweep);
}

static void handle_turn(struct turn *turn, struct window *window)
{
    struct foreign *foreign = container_of(turn, struct foreign, turn);
    struct screening_sweep *sweep = foreign->sweep;
    struct json_writer *json = &sweep->node->json;

    if (window) {
        json_writer_reset(json);
        screening_run(sweep->node, turn, window, &foreign->message, &foreign->screening, json);
        foreign->detail_length = json_length(json);
        if (foreign->detail_length) {
            foreign->detail = xmalloc(foreign->detail_length);
            memcpy(foreign->detail, json_text(json), foreign->detail_length);
        }
        json_writer_reset(json);
    } else {
        drop(foreign);
    }
    one_less(sweep);
}

static struct foreign *foreign_new(struct screening_sweep *sweep, const PGresult *result, int row)
{
    enum column { ID, ROOM, SENDER, VERSION, TEXT, AT_US };
    size_t length;
    const char *text = pg_text(result, row, TEXT, &length);
    struct foreign *foreign = xcalloc(1, sizeof(*foreign) + length);

    memcpy(foreign->text, text, length);
    foreign->sweep = sweep;
    foreign->version = pg_int4(result, row, VERSION);
    pg_uuid(result, row, ID, &foreign->message.id);
    pg_uuid(result, row, ROOM, &foreign->message.room);
    pg_uuid(result, row, SENDER, &foreign->message.sender);
    foreign->message.at_us = pg_int8(result, row, AT_US);
    foreign->message.text = foreign->text;
    foreign->message.text_length = length;
    list_init(&foreign->link);
    list_append(&sweep->rows, &foreign->link);
    return foreign;
}

static void handle_found(void *context, const struct pg_reply *reply)
{
    struct screening_sweep *sweep = context;
    int count = reply->outcome == PG_OK && !sweep->freed ? PQntuples(reply->result) : 0;

    sweep->unscreened = (size_t)count + 1; /* one for this function */
    for (int i = 0; i < count; i++) {
        struct foreign *foreign = foreign_new(sweep, reply->result, i);
        windows_enter(sweep->node->windows, &foreign->message.room, &foreign->message.sender,
                      &foreign->turn, handle_turn);
    }
    one_less(sweep);
}

/* --- looking --- */

static void look(struct screening_sweep *sweep)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int4(&params, ROWS_MAX);
    pg_pool_query(sweep->node->pool, &sql_unscreened, &params, handle_found, sweep);
}

static void handle_cases_opened(void *context, const struct pg_reply *reply)
{
    struct screening_sweep *sweep = context;

    if (sweep->freed) {
        end_run(sweep, false);
        return;
    }
    if (reply->outcome == PG_OK) {
        int64_t opened = pg_int8(reply->result, 0, 0);
        sweep->cases_ms = opened == CASES_MAX ? 0 : clock_now_ms();
        if (opened)
            log_notice("pending rows of other programs joined the queue",
                       LOG_INT("messages", opened));
    }
    look(sweep);
}

static void open_cases(struct screening_sweep *sweep)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int4(&params, CASES_MAX);
    pg_pool_query(sweep->node->pool, &sql_open_cases, &params, handle_cases_opened, sweep);
}

static void handle_timer(struct timer_entry *entry)
{
    struct screening_sweep *sweep = container_of(entry, struct screening_sweep, timer);

    sweep->running = true;
    if (!sweep->cases_ms || clock_now_ms() >= sweep->cases_ms + CASES_PERIOD_MS)
        open_cases(sweep);
    else
        look(sweep);
}

struct screening_sweep *screening_sweep_new(struct node *node)
{
    struct screening_sweep *sweep = xcalloc(1, sizeof(*sweep));

    sweep->node = node;
    timer_entry_init(&sweep->timer);
    list_init(&sweep->rows);
    run_in(sweep, spread_ms());
    return sweep;
}

struct screening_sweep *screening_sweep_free(struct screening_sweep *sweep)
{
    if (!sweep)
        return NULL;
    timer_wheel_cancel(&sweep->timer);
    sweep->freed = true;
    if (!sweep->running)
        free(sweep);
    return NULL;
}
