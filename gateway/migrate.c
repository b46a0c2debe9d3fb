/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: applies what the ledger says is missing, one program at a time. */

/* An advisory lock of the session keeps programs apart: of any number of nodes that are started
 * with a migration before them, one works and the others find nothing left to do.
 *
 * A migration that needs a strong lock queues behind whoever holds the table, and everyone else
 * queues behind the migration; so it waits 2 s at most, steps back, and tries again later. */
#include "gateway/migrate.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/clock.h"
#include "gateway/ledger.h"
#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

/* Any constant will do; this one reads "chatgate". */
#define LOCK_KEY "7163082359911314533"

enum {
    LOCK_POLL_MS = 500,
    LOCK_WAIT_MS = 300000,
    TRIES = 20,
    RETRY_MS = 1500,
};

struct migration {
    PGconn *connection;
    const struct sql_file *file;
    migrate_event_fn event;
    void *context;
    uint64_t started_ms;
    char *error;
    bool may_retry; /* the error is another's lock */
};

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void tell(struct migration *migration, enum migrate_event event, const char *detail)
{
    int64_t elapsed_ms = (int64_t)(clock_now_ms() - migration->started_ms);
    migration->event(migration->context, event,
                     migration->file != NULL ? migration->file->name : NULL, detail, elapsed_ms);
}

static void handle_notice(void *context, const PGresult *result)
{
    struct migration *migration = context;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool warning = severity != NULL && strcmp(severity, "WARNING") == 0;
    if (text != NULL && migration->file != NULL)
        tell(migration, warning ? MIGRATE_WARNED : MIGRATE_PROGRESS, text);
}

/* Line of the file, where `position` counts the characters of one of its parts from 1. */
static int line_of(const struct sql_file *file, const char *part, const char *position)
{
    const char *begin = strstr(file->text, part);
    if (position == NULL || begin == NULL)
        return 0;
    int line = 1;
    for (const char *at = file->text; at < begin; at++)
        line += *at == '\n';
    long left = strtol(position, NULL, 10) - 1;
    for (const char *at = begin; left > 0 && *at != '\0'; at++) {
        line += *at == '\n';
        if ((*at & 0xC0) != 0x80) /* the first byte of a character */
            left--;
    }
    return line;
}

static bool is_lock_error(const char *sqlstate)
{
    static const char *const states[] = {"55P03", "40P01", "40001"};
    for (size_t i = 0; sqlstate != NULL && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    return false;
}

static void take_error(struct migration *migration, const char *part, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int line =
        line_of(migration->file, part, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    char place[16] = "";
    if (line > 0)
        snprintf(place, sizeof(place), ":%d", line);
    migration->may_retry = is_lock_error(sqlstate);
    migration->error = xasprintf("%s.sql%s: %s (SQLSTATE %s)", migration->file->name, place,
                                 text != NULL ? text : "the connection was lost",
                                 sqlstate != NULL ? sqlstate : "none");
}

/* Waits for the next result, telling that it goes on. */
static PGresult *next_result(struct migration *migration)
{
    struct pollfd pollfd = {.fd = PQsocket(migration->connection), .events = POLLIN};
    while (PQisBusy(migration->connection)) {
        if (poll(&pollfd, 1, MIGRATE_TICK_MS) == 0)
            tell(migration, MIGRATE_RUNNING, NULL);
        if (PQconsumeInput(migration->connection) == 0)
            break;
    }
    return PQgetResult(migration->connection);
}

/* Runs any number of statements as one simple query. */
static bool run_part(struct migration *migration, const char *part)
{
    PQsendQuery(migration->connection, part);
    for (PGresult *result; (result = next_result(migration)) != NULL; PQclear(result))
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && migration->error == NULL)
            take_error(migration, part, result);
    if (migration->error == NULL && PQstatus(migration->connection) != CONNECTION_OK)
        migration->error = xasprintf("%s.sql: the connection was lost", migration->file->name);
    return migration->error == NULL;
}

static bool record(struct migration *migration)
{
    int64_t duration_ms = (int64_t)(clock_now_ms() - migration->started_ms);
    migration->error = ledger_record(migration->connection, migration->file, duration_ms, false);
    return migration->error == NULL;
}

static bool run_in_transaction(struct migration *migration)
{
    if (!run_part(migration, "BEGIN; SET LOCAL lock_timeout = '2s'") ||
        !run_part(migration, migration->file->parts[0]))
        return false;
    if (PQtransactionStatus(migration->connection) != PQTRANS_INTRANS) {
        migration->error =
            xasprintf("%s.sql ends the transaction it runs in", migration->file->name);
        return false;
    }
    return record(migration) && run_part(migration, "COMMIT");
}

static bool run_part_by_part(struct migration *migration)
{
    if (!run_part(migration, "SET lock_timeout = '2s'"))
        return false;
    for (size_t i = 0; i < migration->file->part_count; i++)
        if (!run_part(migration, migration->file->parts[i]))
            return false;
    return record(migration);
}

static bool run_once(struct migration *migration)
{
    migration->may_retry = false;
    bool done = migration->file->in_transaction ? run_in_transaction(migration)
                                                : run_part_by_part(migration);
    /* What the file has set must not reach the next one. */
    if (PQtransactionStatus(migration->connection) != PQTRANS_IDLE)
        PQclear(PQexec(migration->connection, "ROLLBACK"));
    PQclear(PQexec(migration->connection, "RESET ALL"));
    return done;
}

static enum migrate_result apply(struct migration *migration)
{
    migration->started_ms = clock_now_ms();
    tell(migration, MIGRATE_STARTED, NULL);
    for (int try = 1; !run_once(migration); try++) {
        if (!migration->may_retry || try == TRIES)
            return migration->may_retry ? MIGRATE_BUSY : MIGRATE_FAILED;
        tell(migration, MIGRATE_RETRYING, migration->error);
        free(migration->error);
        migration->error = NULL;
        sleep_ms(RETRY_MS);
    }
    tell(migration, MIGRATE_APPLIED, NULL);
    return MIGRATE_OK;
}

static bool query_is_true(PGconn *connection, const char *query)
{
    PGresult *result = PQexec(connection, query);
    bool is_true = PQresultStatus(result) == PGRES_TUPLES_OK && *PQgetvalue(result, 0, 0) == 't';
    PQclear(result);
    return is_true;
}

static enum migrate_result lock(struct migration *migration)
{
    migration->started_ms = clock_now_ms();
    for (bool said = false;; said = true) {
        if (query_is_true(migration->connection, "SELECT pg_try_advisory_lock(" LOCK_KEY ")"))
            return MIGRATE_OK;
        if (PQstatus(migration->connection) != CONNECTION_OK)
            return MIGRATE_NO_SERVER;
        if (clock_now_ms() - migration->started_ms >= LOCK_WAIT_MS) {
            migration->error = xstrdup("another migration has not ended in five minutes");
            return MIGRATE_BUSY;
        }
        if (!said)
            tell(migration, MIGRATE_WAITING, NULL);
        sleep_ms(LOCK_POLL_MS);
    }
}

static void unlock(PGconn *connection)
{
    PQclear(PQexec(connection, "SELECT pg_advisory_unlock(" LOCK_KEY ")"));
}

static enum migrate_result apply_pending(struct migration *migration, const struct ledger *ledger)
{
    migration->error = ledger_conflict(ledger);
    if (migration->error != NULL)
        return MIGRATE_CONFLICT;
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].state != LEDGER_PENDING)
            continue;
        migration->file = ledger->rows[i].file;
        enum migrate_result result = apply(migration);
        if (result != MIGRATE_OK)
            return result;
    }
    return MIGRATE_OK;
}

/* The ledger is read under the lock: what another program applied meanwhile is seen. */
static enum migrate_result up_locked(struct migration *migration)
{
    PGconn *connection = migration->connection;
    struct ledger ledger = LEDGER_INIT;
    migration->error = ledger_read(connection, &ledger);
    if (migration->error == NULL && ledger.pending == ledger.count)
        migration->error = ledger_create(connection);
    enum migrate_result result =
        migration->error == NULL ? apply_pending(migration, &ledger) : MIGRATE_FAILED;
    ledger_deinit(&ledger);
    return result;
}

enum migrate_result migrate_up(PGconn *connection, migrate_event_fn event, void *context,
                               char **error)
{
    struct migration migration = {.connection = connection, .event = event, .context = context};
    PQnoticeReceiver receiver = PQsetNoticeReceiver(connection, handle_notice, &migration);
    enum migrate_result result = lock(&migration);
    if (result == MIGRATE_OK) {
        result = up_locked(&migration);
        unlock(connection);
    }
    PQsetNoticeReceiver(connection, receiver, NULL);
    if (result != MIGRATE_OK && PQstatus(connection) != CONNECTION_OK)
        result = MIGRATE_NO_SERVER;
    if (result == MIGRATE_NO_SERVER && migration.error == NULL)
        migration.error = xstrdup("the connection was lost");
    *error = migration.error;
    return result;
}

static char *adopt_row(PGconn *connection, const struct ledger *ledger, int version)
{
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        if (row->version != version)
            continue;
        if (row->state != LEDGER_PENDING)
            return xasprintf("%s is in the ledger already", row->name);
        return ledger_record(connection, row->file, 0, true);
    }
    return xasprintf("this program has no migration %03d", version);
}

static void ignore_notice(void *context, const PGresult *result)
{
}

enum migrate_result migrate_adopt(PGconn *connection, int version, char **error)
{
    struct ledger ledger = LEDGER_INIT;
    PQsetNoticeReceiver(connection, ignore_notice, NULL); /* "already exists, skipping" */
    *error = ledger_read(connection, &ledger);
    if (*error == NULL)
        *error = ledger_create(connection);
    if (*error == NULL)
        *error = adopt_row(connection, &ledger, version);
    ledger_deinit(&ledger);
    return *error == NULL ? MIGRATE_OK : MIGRATE_FAILED;
}
