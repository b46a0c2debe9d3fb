/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate backfill: makes the chat rooms that active bookings lack. */

/* The missing pairs are read once, without a lock, into a temporary table; then they are made in
 * transactions of one batch each, in the order of their ids, as every other backfill does (see
 * sql/migrations/050). So it may be killed anywhere and started again, run beside another one, and
 * be slowed down by --batch and --sleep while the platform is busy. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/cli_progress.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/xasprintf.h"
#include "protocol/json_writer.h"

static const char help[] =
    "chatgate backfill: make the chat rooms that active bookings lack\n"
    "\n"
    "Usage\n"
    "  chatgate backfill [OPTION]...\n"
    "\n"
    "Options\n"
    "      --batch N              rooms made in one transaction (default 2000, 1 to 100000)\n"
    "      --sleep MS             pause between two batches (default 0, up to 60000)\n"
    "      --database-url URL     the database (without a password: use PGPASSFILE or the\n"
    "                             environment), instead of database.url\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "Safe to run at any time, beside others too; killed, it goes on where it was when it is "
    "started\n"
    "again. Shows a bar on a terminal, elsewhere a line each 5 s. Ends with 0, or 69 if the "
    "database\n"
    "is away, 70 if it refused, 78 if a migration is missing.\n"
    "\n"
    "Examples\n"
    "  chatgate backfill -c chatgate.ini\n"
    "  chatgate backfill --batch 200 --sleep 100     # gently, while lessons are on\n";

enum {
    TRIES = 10, /* of a batch that met a lock */
    TRY_AGAIN_MS = 500,
};

struct backfill_options {
    struct config_sources *sources;
    bool json;
    long batch, sleep_ms;
};

struct backfill {
    PGconn *connection;
    const struct backfill_options *options;
    struct cli_progress progress;
    int64_t total, done, made;
};

/* The work. What follows returns an exit status. */

static int refuse(const struct backfill *backfill, const PGresult *result)
{
    const char *error = PQerrorMessage(backfill->connection);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    cli_complain("%.*s", (int)strcspn(error, "\n"), error);
    if (PQstatus(backfill->connection) != CONNECTION_OK)
        return EX_UNAVAILABLE;
    if (sqlstate != NULL && (strcmp(sqlstate, "42883") == 0 || strcmp(sqlstate, "42P01") == 0)) {
        cli_complain("a migration is missing: run `chatgate migrate up`");
        return EX_CONFIG;
    }
    return EX_SOFTWARE;
}

/* An int64 that a statement returns, in *out. */
static int ask_number(struct backfill *backfill, const char *statement, int64_t *out)
{
    PGresult *result = PQexec(backfill->connection, statement);
    int status = EX_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        *out = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    else
        status = refuse(backfill, result);
    PQclear(result);
    return status;
}

static int find_missing(struct backfill *backfill)
{
    bool terminal = isatty(STDERR_FILENO);
    if (terminal) /* it takes seconds for each million bookings */
        fputs("looking for active bookings without a room ...", stderr);
    PGresult *result = PQexec(
        backfill->connection,
        "SET lock_timeout = '2s';"
        "CREATE TEMPORARY TABLE missing AS"
        " SELECT row_number() OVER (ORDER BY m.teacher, m.student) AS place, m.teacher, m.student"
        " FROM public.chatgate_missing_rooms(false) m;"
        "ALTER TABLE pg_temp.missing ADD PRIMARY KEY (place)");
    if (terminal)
        fputs("\r\033[K", stderr);
    int status = PQresultStatus(result) == PGRES_COMMAND_OK ? EX_OK : refuse(backfill, result);
    PQclear(result);
    if (status != EX_OK)
        return status;
    return ask_number(backfill, "SELECT count(*) FROM pg_temp.missing", &backfill->total);
}

static bool met_a_lock(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return sqlstate != NULL && (strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "40P01") == 0);
}

/* One transaction. A lock that somebody holds is given time, not waited for. */
static int make_batch(struct backfill *backfill, int64_t from, int64_t to)
{
    char *statement =
        xasprintf("SELECT public.chatgate_make_rooms(array_agg(teacher ORDER BY place),"
                  "                                  array_agg(student ORDER BY place))"
                  " FROM pg_temp.missing WHERE place > %" PRId64 " AND place <= %" PRId64,
                  from, to);
    PGresult *result = PQexec(backfill->connection, statement);
    for (int i = 1; i < TRIES && met_a_lock(result); i++) {
        PQclear(result);
        usleep(TRY_AGAIN_MS * 1000);
        result = PQexec(backfill->connection, statement);
    }
    int status = EX_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        backfill->made += atoi(PQgetvalue(result, 0, 0));
    else
        status = refuse(backfill, result);
    PQclear(result);
    free(statement);
    return status;
}

static int make_rooms(struct backfill *backfill)
{
    cli_progress_begin(&backfill->progress, "rooms", backfill->total);
    while (backfill->done < backfill->total) {
        int64_t end = backfill->done + backfill->options->batch;
        if (end > backfill->total)
            end = backfill->total;
        int status = make_batch(backfill, backfill->done, end);
        if (status != EX_OK)
            return status;
        backfill->done = end;
        cli_progress_show(&backfill->progress, end, end == backfill->total);
        if (end < backfill->total && backfill->options->sleep_ms > 0)
            usleep((useconds_t)backfill->options->sleep_ms * 1000);
    }
    return EX_OK;
}

/* For the metrics, which cannot look at all bookings each time they are asked. */
static int take_census(struct backfill *backfill)
{
    char *statement = xasprintf("SELECT public.chatgate_take_census(%" PRId64 ")", backfill->total);
    PGresult *result = PQexec(backfill->connection, statement);
    int status = PQresultStatus(result) == PGRES_TUPLES_OK ? EX_OK : refuse(backfill, result);
    PQclear(result);
    free(statement);
    return status;
}

static void print_result(const struct backfill *backfill, bool complete)
{
    if (!backfill->options->json) {
        printf("rooms made: %" PRId64 "\n", backfill->made);
        return;
    }
    struct json_writer json = JSON_WRITER_INIT;
    json_writer_init(&json);
    json_object_begin(&json);
    json_add_bool(&json, "ok", complete);
    json_add_int(&json, "missing", backfill->total);
    json_add_int(&json, "rooms_made", backfill->made);
    json_object_end(&json);
    puts(json_text(&json));
    json_writer_deinit(&json);
}

static int run(const struct backfill_options *options)
{
    struct config *config = cli_load_config(options->sources);
    if (config == NULL)
        return EX_CONFIG;
    struct backfill backfill = {.options = options};
    int status = EX_UNAVAILABLE;
    backfill.connection = cli_database_open(config->database.url, "backfill");
    if (backfill.connection != NULL) {
        status = find_missing(&backfill);
        if (status == EX_OK)
            status = make_rooms(&backfill);
        if (status == EX_OK)
            status = take_census(&backfill);
        print_result(&backfill, status == EX_OK);
    }
    PQfinish(backfill.connection);
    config_unref(config);
    return status;
}

/* The verb */

static bool parse_number(const char *text, long least, long most, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static int parse_and_run(int argc, char **argv, struct backfill_options *out)
{
    enum { OPTION_JSON = 256, OPTION_BATCH, OPTION_SLEEP, OPTION_DATABASE_URL };
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"batch", required_argument, NULL, OPTION_BATCH},
        {"sleep", required_argument, NULL, OPTION_SLEEP},
        {"database-url", required_argument, NULL, OPTION_DATABASE_URL},
        CLI_COMMON_LONG,
        {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = CLI_CONTINUE;
        if (option == OPTION_JSON)
            out->json = true;
        else if (option == OPTION_BATCH && !parse_number(optarg, 1, 100000, &out->batch))
            return cli_usage_error("backfill", "--batch %s is no number of 1 to 100000", optarg);
        else if (option == OPTION_SLEEP && !parse_number(optarg, 0, 60000, &out->sleep_ms))
            return cli_usage_error("backfill", "--sleep %s is no number of 0 to 60000", optarg);
        else if (option == OPTION_DATABASE_URL)
            next = cli_set_option(out->sources, "database.url", optarg);
        else if (option != OPTION_BATCH && option != OPTION_SLEEP)
            next = cli_common_option(option, optarg, out->sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    if (optind < argc)
        return cli_usage_error("backfill", "takes no arguments, but '%s' was given", argv[optind]);
    return run(out);
}

int cli_backfill(int argc, char **argv)
{
    struct backfill_options options = {.sources = config_sources_new(), .batch = 2000};
    int status = parse_and_run(argc, argv, &options);
    config_sources_free(options.sources);
    return status;
}
