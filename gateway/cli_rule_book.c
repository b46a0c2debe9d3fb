/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the rules in the database, and a change to them
 *
 * A change starts from the version that was read, and says so when it is stored: two people who
 * change rules at once cannot undo each other's work unseen.
 */
#include "gateway/cli_rule_book.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/cli_sources.h"
#include "gateway/config.h"
#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

/* ---- reading ---- */

int cli_book_failed(const struct cli_book *book, const PGresult *result)
{
    const char *error = PQerrorMessage(book->connection);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    cli_complain("%.*s", (int)strcspn(error, "\n"), error);
    if (PQstatus(book->connection) != CONNECTION_OK)
        return EX_UNAVAILABLE;
    if (sqlstate && strcmp(sqlstate, "40001") == 0)
        return EX_TEMPFAIL;
    if (sqlstate && (strcmp(sqlstate, "42883") == 0 || strcmp(sqlstate, "42P01") == 0 ||
                     strcmp(sqlstate, "42703") == 0)) {
        cli_complain("migrations are missing: run `chatgate migrate up`");
        return EX_CONFIG;
    }
    return sqlstate && strcmp(sqlstate, "42501") == 0 ? EX_NOPERM : EX_SOFTWARE;
}

/* The columns of sql/statements/rules_current.sql. */
enum column { RULE_SET, MADE_US, MADE_BY, DB_USER, NOTE, RULES };

static int read_rules(struct cli_book *book, const char *at_most, int64_t *version)
{
    const char *const values[] = {at_most};
    PGresult *result =
        PQexecParams(book->connection, sql_rules_current.text, 1, NULL, values, NULL, NULL, 0);
    struct rule_error error;
    int status = EX_OK;

    *version = 0;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        status = cli_book_failed(book, result);
    } else if (PQntuples(result) == 1) {
        const char *rules = PQgetvalue(result, 0, RULES);

        *version = strtoll(PQgetvalue(result, 0, RULE_SET), NULL, 10);
        rule_rows_deinit(&book->rows);
        if (!rule_rows_parse(&book->rows, rules, strlen(rules), &error))
            status = cli_rule_error(&error);
    }
    PQclear(result);
    return status;
}

int cli_book_open(struct cli_book *book, const struct config_sources *sources)
{
    struct config *config = cli_load_config(sources);
    int status = EX_UNAVAILABLE;

    if (!config)
        return EX_CONFIG;
    book->connection = cli_database_open(config->database.url, "moderation");
    if (book->connection)
        status = read_rules(book, NULL, &book->version);
    config_unref(config);
    return status;
}

int cli_book_read_version(struct cli_book *book, int64_t version)
{
    char *number = xasprintf("%" PRId64, version);
    int64_t found;
    int status = read_rules(book, number, &found);

    free(number);
    if (status == EX_OK && found != version) {
        cli_complain("there is no version %" PRId64, version);
        status = EX_NOINPUT;
    }
    return status;
}

void cli_book_close(struct cli_book *book)
{
    rule_rows_deinit(&book->rows);
    PQfinish(book->connection);
    book->connection = NULL;
}

/* ---- compiling ---- */

struct rule_set *cli_book_compile(const struct cli_book *book, const struct rule_layer *more)
{
    size_t count = book->rows.count + (more ? more->count : 0);
    struct rule_source *sources = xcalloc(count + 1, sizeof(*sources));
    struct rule_layer ships, own = {.sources = sources, .count = count};
    struct rule_error error;

    ships.sources = rule_set_default_sources(&ships.count);
    if (book->rows.count > 0)
        memcpy(sources, book->rows.sources, book->rows.count * sizeof(*sources));
    if (more && more->count > 0)
        memcpy(sources + book->rows.count, more->sources, more->count * sizeof(*sources));
    struct rule_set *set = rule_set_compile_over(&ships, &own, book->version, NULL, &error);
    free(sources);
    if (!set)
        cli_rule_error(&error);
    return set;
}

/* ---- changing ---- */

/* What a change does to each id, as arrays of ids. */
struct difference {
    json_t *added, *changed, *removed;
};

static const char *text_of(const json_t *row)
{
    return json_string_value(json_object_get(row, "text"));
}

static const char *id_of(const json_t *row)
{
    return json_string_value(json_object_get(row, "id"));
}

static bool has_id(const json_t *rows, const char *id)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (strcmp(id_of(json_array_get(rows, i)), id) == 0)
            return true;
    }
    return false;
}

/* What psql was given may lack the last newline. */
static bool same_text(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    while (n > 0 && strchr(" \t\r\n", a[n - 1]))
        n--;
    while (m > 0 && strchr(" \t\r\n", b[m - 1]))
        m--;
    return n == m && memcmp(a, b, n) == 0;
}

static struct difference compare(const struct rule_rows *before, const json_t *after)
{
    struct difference out = {json_array(), json_array(), json_array()};

    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *row = json_array_get(after, i);
        const struct rule_source *old = rule_rows_find(before, id_of(row));

        if (!old)
            json_array_append_new(out.added, json_string(id_of(row)));
        else if (!same_text(old->text, text_of(row)))
            json_array_append_new(out.changed, json_string(id_of(row)));
    }
    for (size_t i = 0; i < before->count; i++) {
        if (!has_id(after, before->sources[i].name))
            json_array_append_new(out.removed, json_string(before->sources[i].name));
    }
    return out;
}

static size_t difference_size(const struct difference *difference)
{
    return json_array_size(difference->added) + json_array_size(difference->changed) +
           json_array_size(difference->removed);
}

static void print_ids(const char *mark, const json_t *ids)
{
    for (size_t i = 0; i < json_array_size(ids); i++)
        printf("%s %s\n", mark, json_string_value(json_array_get(ids, i)));
}

static void print_result(const struct difference *difference, int64_t version, bool stored,
                         const struct cli_change *change)
{
    if (change->json) {
        json_t *object = json_pack("{s:I, s:b, s:O, s:O, s:O}", "version", (json_int_t)version,
                                   "stored", (int)stored, "added", difference->added, "changed",
                                   difference->changed, "removed", difference->removed);
        char *text = json_dumps(object, JSON_COMPACT);

        puts(text);
        free(text);
        json_decref(object);
        return;
    }
    print_ids("+", difference->added);
    print_ids("~", difference->changed);
    print_ids("-", difference->removed);
    if (stored)
        printf("version %" PRId64 " is stored; nodes take it within a second\n", version);
    else if (difference_size(difference) == 0)
        printf("nothing changes: version %" PRId64 " is that already\n", version);
    else
        printf("nothing was stored (--dry-run); version %" PRId64 " is in force\n", version);
}

/* Who is at the keyboard, since the database knows its own users only. */
static char *where_from(void)
{
    const struct passwd *entry = getpwuid(geteuid());
    char host[64] = "";

    gethostname(host, sizeof(host) - 1);
    return xasprintf("%s@%s", entry ? entry->pw_name : "?", host);
}

static int store(struct cli_book *book, const json_t *rows, const char *note, int64_t *made)
{
    char *rules = json_dumps(rows, JSON_COMPACT);
    char *node = where_from(), *expected = xasprintf("%" PRId64, book->version);
    const char *const values[] = {rules, NULL, note, node, expected};
    PGresult *result =
        PQexecParams(book->connection, sql_rules_store.text, 5, NULL, values, NULL, NULL, 0);
    int status = EX_OK;

    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        *made = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    else
        status = cli_book_failed(book, result);
    PQclear(result);
    free(expected);
    free(node);
    free(rules);
    return status;
}

/* The rows as they would be read back, to compile exactly what is stored. */
static bool compiles(const struct cli_book *book, const json_t *rows)
{
    struct cli_book would_be = {.version = book->version};
    char *text = json_dumps(rows, JSON_COMPACT);
    struct rule_error error;
    struct rule_set *set = NULL;

    if (rule_rows_parse(&would_be.rows, text, strlen(text), &error))
        set = cli_book_compile(&would_be, NULL);
    else
        cli_rule_error(&error);
    rule_rows_deinit(&would_be.rows);
    free(text);
    rule_set_unref(set);
    return set != NULL;
}

int cli_book_change(struct cli_book *book, json_t *rows, const struct cli_change *change)
{
    struct difference difference = compare(&book->rows, rows);
    int64_t version = book->version;
    bool stores = difference_size(&difference) > 0 && !change->dry_run;
    int status = compiles(book, rows) ? EX_OK : EX_DATAERR;

    if (status == EX_OK && stores)
        status = store(book, rows, change->note, &version);
    if (status == EX_OK)
        print_result(&difference, version, stores, change);
    json_decref(difference.added);
    json_decref(difference.changed);
    json_decref(difference.removed);
    return status;
}
