/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger of migrations: what this program brings against what the database says was applied. */

/* The ledger is a table, chatgate_migrations, and not a number: rows beside each other tell more.
 * A row holds the SHA-256 of the file that was applied, so that a file that was edited afterwards
 * is found before it misleads anyone. Rows that the program does not know mean that a newer
 * program was here; whether an older one may go on is for the newer migration to say, since only
 * its author knew: it sets compatible_from to the oldest version that still works. */
#include "gateway/ledger.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

int ledger_version(const char *name)
{
    return (int)strtol(name, NULL, 10);
}

/* What the server or libpq says, without its line break. */
static char *database_error(PGconn *connection)
{
    const char *text = PQerrorMessage(connection);
    return xasprintf("%.*s", (int)strcspn(text, "\n"), text);
}

static struct ledger_row *append(struct ledger *ledger)
{
    ledger->rows = xreallocarray(ledger->rows, ledger->count + 1, sizeof(*ledger->rows));
    struct ledger_row *row = &ledger->rows[ledger->count++];
    *row = (struct ledger_row){0};
    return row;
}

static struct ledger_row *find(struct ledger *ledger, int version)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->rows[i].version == version)
            return &ledger->rows[i];
    return NULL;
}

static void add_program(struct ledger *ledger)
{
    for (size_t i = 0; i < sql_migration_count; i++) {
        struct ledger_row *row = append(ledger);
        row->file = &sql_migrations[i];
        row->version = ledger_version(sql_migrations[i].name);
        row->name = xstrdup(sql_migrations[i].name);
        if (row->version > ledger->newest_known)
            ledger->newest_known = row->version;
    }
}

static int64_t int_at(const PGresult *result, int row, const char *column)
{
    return strtoll(PQgetvalue(result, row, PQfnumber(result, column)), NULL, 10);
}

static void add_applied(struct ledger *ledger, const PGresult *result, int i)
{
    const char *sha256 = PQgetvalue(result, i, PQfnumber(result, "sha256"));
    int version = (int)int_at(result, i, "version");
    struct ledger_row *row = find(ledger, version);
    if (row == NULL) {
        row = append(ledger);
        row->version = version;
        row->name = xstrdup(PQgetvalue(result, i, PQfnumber(result, "name")));
        row->state = LEDGER_UNKNOWN;
    } else {
        row->state = strcmp(row->file->sha256, sha256) == 0 ? LEDGER_APPLIED : LEDGER_CHANGED;
    }
    row->adopted = *PQgetvalue(result, i, PQfnumber(result, "adopted")) == 't';
    row->applied_us = int_at(result, i, "applied_us");
    row->duration_ms = int_at(result, i, "duration_ms");
}

static int compare_versions(const void *a, const void *b)
{
    const struct ledger_row *left = a, *right = b;
    return (left->version > right->version) - (left->version < right->version);
}

static void sort_and_count(struct ledger *ledger)
{
    qsort(ledger->rows, ledger->count, sizeof(*ledger->rows), compare_versions);
    for (size_t i = 0; i < ledger->count; i++) {
        ledger->pending += ledger->rows[i].state == LEDGER_PENDING;
        ledger->changed += ledger->rows[i].state == LEDGER_CHANGED;
        ledger->unknown += ledger->rows[i].state == LEDGER_UNKNOWN;
    }
}

static char *read_applied(PGconn *connection, struct ledger *ledger)
{
    PGresult *result = PQexec(connection, sql_ledger_list.text);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    char *error = NULL;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        for (int i = 0; i < PQntuples(result); i++)
            add_applied(ledger, result, i);
    else if (sqlstate == NULL || strcmp(sqlstate, "42P01") != 0) /* undefined_table */
        error = database_error(connection);
    PQclear(result);
    return error;
}

static int read_compatible_from(PGconn *connection)
{
    PGresult *result = PQexec(
        connection, "SELECT value FROM public.chatgate_settings WHERE name = 'compatible_from'");
    int version = INT_MAX;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        version = ledger_version(PQgetvalue(result, 0, 0));
    PQclear(result);
    return version;
}

char *ledger_read(PGconn *connection, struct ledger *ledger)
{
    *ledger = (struct ledger)LEDGER_INIT;
    add_program(ledger);
    char *error = read_applied(connection, ledger);
    sort_and_count(ledger);
    ledger->compatible_from = ledger->unknown > 0 ? read_compatible_from(connection) : INT_MAX;
    return error;
}

void ledger_deinit(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        free(ledger->rows[i].name);
    free(ledger->rows);
    *ledger = (struct ledger)LEDGER_INIT;
}

static const struct ledger_row *first_in_state(const struct ledger *ledger, enum ledger_state state)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->rows[i].state == state)
            return &ledger->rows[i];
    return NULL;
}

static char *changed_text(const struct ledger *ledger)
{
    const struct ledger_row *row = first_in_state(ledger, LEDGER_CHANGED);
    if (row == NULL)
        return NULL;
    return xasprintf("%s.sql was applied to this database with another content: a migration is "
                     "never edited once it was applied, use the program that applied it",
                     row->name);
}

static char *unknown_text(const struct ledger *ledger)
{
    const struct ledger_row *row = first_in_state(ledger, LEDGER_UNKNOWN);
    if (row == NULL)
        return NULL;
    return xasprintf("the database has %s, which this program (up to %03d) does not know: use the "
                     "program that migrated it, or a newer one",
                     row->name, ledger->newest_known);
}

char *ledger_conflict(const struct ledger *ledger)
{
    char *text = changed_text(ledger);
    return text != NULL ? text : unknown_text(ledger);
}

char *ledger_obstacle(const struct ledger *ledger)
{
    char *text = changed_text(ledger);
    if (text == NULL && ledger->compatible_from > ledger->newest_known)
        text = unknown_text(ledger);
    if (text != NULL || ledger->pending == 0)
        return text;
    return xasprintf("%zu migration%s not applied, %s first: run `chatgate migrate up`",
                     ledger->pending, ledger->pending == 1 ? " is" : "s are",
                     first_in_state(ledger, LEDGER_PENDING)->name);
}

static char *finish(PGconn *connection, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK ? NULL : database_error(connection);
}

char *ledger_create(PGconn *connection)
{
    return finish(connection, PQexec(connection, sql_ledger_create.text));
}

char *ledger_record(PGconn *connection, const struct sql_file *file, int64_t duration_ms,
                    bool adopted)
{
    char version[16], duration[24];
    snprintf(version, sizeof(version), "%d", ledger_version(file->name));
    snprintf(duration, sizeof(duration), "%" PRId64, duration_ms);
    const char *const values[] = {version, file->name, file->sha256, duration,
                                  adopted ? "true" : "false"};
    return finish(connection,
                  PQexecParams(connection, sql_ledger_record.text, 5, NULL, values, NULL, NULL, 0));
}
