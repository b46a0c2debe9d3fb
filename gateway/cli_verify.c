/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate verify: do bookings make chat rooms, and is any room missing? */

/* The checks are the queries of sql/checks, the same that deploy/verify-chat-creation.sh runs and
 * that a person may run by psql -f. Here is only which of their rows are faults: a judge for each
 * check, in a table. Everything runs in read-only transactions. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/xasprintf.h"
#include "protocol/json_writer.h"
#include "sql/embedded.h"

static const char help[] =
    "chatgate verify: do bookings make chat rooms, and is any room missing?\n"
    "\n"
    "Usage\n"
    "  chatgate verify [OPTION]...\n"
    "\n"
    "Options\n"
    "      --verbose              more detail: definitions, the bookings without a room\n"
    "      --database-url URL     the database (without a password: use PGPASSFILE or the\n"
    "                             environment), instead of database.url\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "Looks at the triggers and functions on bookings, at bookings without a room, at rooms "
    "without\n"
    "members, and prints statistics. Changes nothing. Ends with 0 if all is well, 1 if not, 69 if\n"
    "the database is away.\n"
    "\n"
    "Examples\n"
    "  chatgate verify -c chatgate.ini && echo healthy\n"
    "  chatgate verify --json | jq .faults\n";

enum { EX_UNHEALTHY = 1 };

struct verify_options {
    struct config_sources *sources;
    bool json, verbose;
};

struct verify {
    PGconn *connection;
    bool json, verbose, colors;
    size_t fault_count;
    struct json_writer faults, warnings, checks;
};

/* What is said */

__attribute__((format(printf, 2, 3))) static void detail(const struct verify *verify,
                                                         const char *format, ...)
{
    if (verify->json)
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("          ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

static void print_finding(const struct verify *verify, const char *color, const char *mark,
                          const char *text)
{
    if (!verify->json)
        printf("  %s%s%s  %s\n", verify->colors ? color : "", mark, verify->colors ? "\033[0m" : "",
               text);
}

__attribute__((format(printf, 2, 3))) static void ok(struct verify *verify, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    print_finding(verify, "\033[32m", "ok  ", text);
    free(text);
}

__attribute__((format(printf, 2, 3))) static void warn(struct verify *verify, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    print_finding(verify, "\033[33m", "WARN", text);
    json_put_cstring(&verify->warnings, text);
    free(text);
}

__attribute__((format(printf, 2, 3))) static void fail(struct verify *verify, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    print_finding(verify, "\033[31m", "FAIL", text);
    json_put_cstring(&verify->faults, text);
    verify->fault_count++;
    free(text);
}

/* The judges. A result's columns are those that the head of its file in sql/checks names. */

static bool is_true(const PGresult *result, int row, int column)
{
    return *PQgetvalue(result, row, column) == 't';
}

static void judge_objects(struct verify *verify, const PGresult *result, const char *kind)
{
    int good = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *name = PQgetvalue(result, row, 0);
        if (!is_true(result, row, 1)) {
            fail(verify, "%s %s: %s", kind, name, PQgetvalue(result, row, 2));
            continue;
        }
        good++;
        if (verify->verbose)
            detail(verify, "%s: %s", name, PQgetvalue(result, row, 3));
    }
    if (good == PQntuples(result))
        ok(verify, "%ss: all %d are in place", kind, good);
}

static void judge_triggers(struct verify *verify, const PGresult *result)
{
    judge_objects(verify, result, "trigger");
}

static void judge_functions(struct verify *verify, const PGresult *result)
{
    judge_objects(verify, result, "function");
}

static void judge_statistics(struct verify *verify, const PGresult *result)
{
    ok(verify, "statistics");
    for (int row = 0; row < PQntuples(result); row++)
        detail(verify, "%s: %s", PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
}

static void judge_candidates(struct verify *verify, const PGresult *result)
{
    const char *bookings = PQgetvalue(result, 0, 1);
    if (strcmp(bookings, "0") == 0) {
        ok(verify, "candidates: no active booking lacks its room");
        return;
    }
    fail(verify, "candidates: %s active bookings without a room (%s rooms to make)", bookings,
         PQgetvalue(result, 0, 2));
    detail(verify, "of lessons that are over: %s bookings, %s rooms", PQgetvalue(result, 1, 1),
           PQgetvalue(result, 1, 2));
}

static void judge_candidate_list(struct verify *verify, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        detail(verify, "booking %s, teacher %s, student %s, %s", PQgetvalue(result, row, 0),
               PQgetvalue(result, row, 2), PQgetvalue(result, row, 3), PQgetvalue(result, row, 4));
}

static void judge_duplicates(struct verify *verify, const PGresult *result)
{
    if (PQntuples(result) == 0)
        ok(verify, "duplicates: no pair has two rooms");
    for (int row = 0; row < PQntuples(result); row++)
        fail(verify, "duplicates: teacher %s, student %s: %s rooms", PQgetvalue(result, row, 0),
             PQgetvalue(result, row, 1), PQgetvalue(result, row, 2));
}

static void judge_members(struct verify *verify, const PGresult *result)
{
    if (PQntuples(result) == 0)
        ok(verify, "invalid_members: each room has a teacher and a student");
    for (int row = 0; row < PQntuples(result); row++)
        fail(verify, "invalid_members: room %s, %s %s: %s", PQgetvalue(result, row, 0),
             PQgetvalue(result, row, 1), PQgetvalue(result, row, 2), PQgetvalue(result, row, 3));
}

/* A lesson that was deleted, or has no teacher yet, is the platform's business; one that never was
 * is damage. */
static void judge_lessons(struct verify *verify, const PGresult *result)
{
    if (PQntuples(result) == 0)
        ok(verify, "bookings_without_lesson: each active booking has a lesson");
    for (int row = 0; row < PQntuples(result); row++) {
        const char *booking = PQgetvalue(result, row, 0), *lesson = PQgetvalue(result, row, 1);
        const char *problem = PQgetvalue(result, row, 3);
        static const char format[] = "bookings_without_lesson: booking %s, lesson %s: %s";
        if (strcmp(problem, "no such lesson") == 0)
            fail(verify, format, booking, lesson, problem);
        else
            warn(verify, format, booking, lesson, problem);
    }
}

static void judge_bookings(struct verify *verify, const PGresult *result)
{
    ok(verify, "last_bookings: a room is made when one becomes active:");
    for (int row = 0; row < PQntuples(result); row++) {
        bool room = !PQgetisnull(result, row, 8);
        detail(verify, "%s  %s  %s%s, %s%s", PQgetvalue(result, row, 2), PQgetvalue(result, row, 0),
               PQgetvalue(result, row, 1), is_true(result, row, 4) ? " (deleted)" : "",
               room ? "room " : "no room", PQgetvalue(result, row, 8));
    }
}

static void judge_rooms_today(struct verify *verify, const PGresult *result)
{
    ok(verify, "rooms_today: %d rooms made today (UTC)", PQntuples(result));
    for (int row = 0; verify->verbose && row < PQntuples(result); row++)
        detail(verify, "%s  %s", PQgetvalue(result, row, 3), PQgetvalue(result, row, 0));
}

static const char *number(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? "0" : PQgetvalue(result, row, column);
}

static void judge_lag(struct verify *verify, const PGresult *result)
{
    ok(verify, "room_lag: of %s rooms of lessons that are over, %s came in time",
       number(result, 0, 0), number(result, 0, 1));
    detail(verify, "the others %s s late on average, %s s at most; %s over an hour",
           number(result, 0, 2), number(result, 0, 3), number(result, 0, 4));
}

static const struct {
    const char *name; /* of the file in sql/checks */
    void (*judge)(struct verify *verify, const PGresult *result);
    bool verbose; /* only where more detail was asked for */
} checks[] = {
    {"triggers", judge_triggers, false},
    {"functions", judge_functions, false},
    {"statistics", judge_statistics, false},
    {"candidates", judge_candidates, false},
    {"candidate_list", judge_candidate_list, true},
    {"duplicates", judge_duplicates, false},
    {"invalid_members", judge_members, false},
    {"bookings_without_lesson", judge_lessons, false},
    {"last_bookings", judge_bookings, false},
    {"rooms_today", judge_rooms_today, false},
    {"room_lag", judge_lag, false},
};

/* Running them */

static const char *check_text(const char *name)
{
    for (size_t i = 0; i < sql_check_count; i++)
        if (strcmp(sql_checks[i].name, name) == 0)
            return sql_checks[i].text;
    return NULL;
}

static void add_value(struct json_writer *json, const PGresult *result, int row, int column)
{
    enum { BOOL_OID = 16, INT8_OID = 20, NUMERIC_OID = 1700 }; /* pg_type_d.h */
    const char *text = PQgetvalue(result, row, column);
    Oid type = PQftype(result, column);
    json_key(json, PQfname(result, column));
    if (PQgetisnull(result, row, column))
        json_put_null(json);
    else if (type == BOOL_OID)
        json_put_bool(json, *text == 't');
    else if (type == INT8_OID || type == NUMERIC_OID)
        json_put_raw(json, text, strlen(text));
    else
        json_put_cstring(json, text);
}

static void add_rows(struct json_writer *json, const char *name, const PGresult *result)
{
    json_key(json, name);
    json_array_begin(json);
    for (int row = 0; row < PQntuples(result); row++) {
        json_object_begin(json);
        for (int column = 0; column < PQnfields(result); column++)
            add_value(json, result, row, column);
        json_object_end(json);
    }
    json_array_end(json);
}

static void run_check(struct verify *verify, size_t i)
{
    if (checks[i].verbose && !verify->verbose)
        return;
    PGresult *result = PQexec(verify->connection, check_text(checks[i].name));
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        checks[i].judge(verify, result);
        add_rows(&verify->checks, checks[i].name, result);
    } else {
        const char *error = PQerrorMessage(verify->connection);
        fail(verify, "%s: %.*s", checks[i].name, (int)strcspn(error, "\n"), error);
    }
    PQclear(result);
}

static void print_json(const struct verify *verify)
{
    struct json_writer json = JSON_WRITER_INIT;
    json_writer_init(&json);
    json_object_begin(&json);
    json_add_bool(&json, "healthy", verify->fault_count == 0);
    json_add_raw(&json, "faults", json_text(&verify->faults), json_length(&verify->faults));
    json_add_raw(&json, "warnings", json_text(&verify->warnings), json_length(&verify->warnings));
    json_add_raw(&json, "checks", json_text(&verify->checks), json_length(&verify->checks));
    json_object_end(&json);
    puts(json_text(&json));
    json_writer_deinit(&json);
}

static void print_verdict(const struct verify *verify)
{
    if (verify->fault_count == 0)
        puts("\nHealthy.");
    else
        printf("\nNot healthy, faults: %zu. `chatgate backfill` makes missing rooms;\n"
               "`verify-chat-creation.sh --backfill` puts back triggers and functions too.\n",
               verify->fault_count);
}

static int run_checks(PGconn *connection, const struct verify_options *options)
{
    struct verify verify = {.connection = connection,
                            .json = options->json,
                            .verbose = options->verbose,
                            .colors = cli_colors(STDOUT_FILENO)};
    json_writer_init(&verify.faults);
    json_writer_init(&verify.warnings);
    json_writer_init(&verify.checks);
    json_array_begin(&verify.faults);
    json_array_begin(&verify.warnings);
    json_object_begin(&verify.checks);
    PQclear(PQexec(connection, "SET default_transaction_read_only = on"));
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        run_check(&verify, i);
    json_object_end(&verify.checks);
    json_array_end(&verify.warnings);
    json_array_end(&verify.faults);
    if (options->json)
        print_json(&verify);
    else
        print_verdict(&verify);
    json_writer_deinit(&verify.checks);
    json_writer_deinit(&verify.warnings);
    json_writer_deinit(&verify.faults);
    return verify.fault_count == 0 ? EX_OK : EX_UNHEALTHY;
}

static int run(const struct verify_options *options)
{
    struct config *config = cli_load_config(options->sources);
    if (config == NULL)
        return EX_CONFIG;
    PGconn *connection = cli_database_open(config->database.url, "verify");
    int status = EX_UNAVAILABLE;
    if (connection != NULL)
        status = run_checks(connection, options);
    if (connection != NULL && PQstatus(connection) != CONNECTION_OK)
        status = EX_UNAVAILABLE;
    PQfinish(connection);
    config_unref(config);
    return status;
}

/* The verb */

static int parse_and_run(int argc, char **argv, struct verify_options *out)
{
    enum { OPTION_JSON = 256, OPTION_VERBOSE, OPTION_DATABASE_URL };
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"verbose", no_argument, NULL, OPTION_VERBOSE},
        {"database-url", required_argument, NULL, OPTION_DATABASE_URL},
        CLI_COMMON_LONG,
        {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = CLI_CONTINUE;
        if (option == OPTION_JSON)
            out->json = true;
        else if (option == OPTION_VERBOSE)
            out->verbose = true;
        else if (option == OPTION_DATABASE_URL)
            next = cli_set_option(out->sources, "database.url", optarg);
        else
            next = cli_common_option(option, optarg, out->sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    if (optind < argc)
        return cli_usage_error("verify", "takes no arguments, but '%s' was given", argv[optind]);
    return run(out);
}

int cli_verify(int argc, char **argv)
{
    struct verify_options options = {.sources = config_sources_new()};
    int status = parse_and_run(argc, argv, &options);
    config_sources_free(options.sources);
    return status;
}
