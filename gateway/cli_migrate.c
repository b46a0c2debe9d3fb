/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate migrate: brings the database up to date, or says what is missing. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/ledger.h"
#include "gateway/migrate.h"
#include "protocol/json_writer.h"

static const char help[] =
    "chatgate migrate: the database's tables, functions and triggers\n"
    "\n"
    "Usage\n"
    "  chatgate migrate up [OPTION]...            apply what is missing, in order\n"
    "  chatgate migrate status [OPTION]...        say what is applied and what is missing\n"
    "  chatgate migrate adopt VERSION... [OPTION] record as applied what was applied by hand\n"
    "\n"
    "Options\n"
    "      --database-url URL     the database (without a password: use PGPASSFILE or the\n"
    "                             environment), instead of database.url\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "`up` is safe to start anywhere and any number of times: one program works, the others wait.\n"
    "It never waits more than 2 s for a lock, so that nobody queues behind it; it tries again.\n"
    "`status` ends with 0 if nothing is missing, else with 78.\n"
    "\n"
    "Examples\n"
    "  chatgate migrate up --database-url postgresql:///chatgate\n"
    "  chatgate migrate status --json | jq .pending\n"
    "  psql -v ON_ERROR_STOP=1 -f 050_chat_on_booking.sql && chatgate migrate adopt 50\n";

struct migrate_options {
    struct config_sources *sources;
    bool json;
    char **arguments; /* after up, status or adopt */
    int argument_count;
};

/* up */

/* On a terminal a migration has one line that changes; elsewhere a line is written when it is done,
 * and every MIGRATE_TICK_MS while it goes on. */
struct progress {
    bool terminal;
    bool open;        /* a line without its end is on the terminal */
    int64_t shown_ms; /* of the migration's time, when progress was shown last */
    struct json_writer applied;
};

static void end_line(struct progress *progress)
{
    if (progress->open)
        fputc('\n', stderr);
    progress->open = false;
}

static void print_line(struct progress *progress, const char *name, const char *text)
{
    end_line(progress);
    fprintf(stderr, "%s%s%s\n", name != NULL ? name : "", name != NULL ? ": " : "", text);
}

static void print_progress(struct progress *progress, const char *name, const char *text,
                           int64_t elapsed_ms)
{
    if (progress->terminal) {
        fprintf(stderr, "\r%-32s %s\033[K", name, text);
        progress->open = true;
    } else if (elapsed_ms - progress->shown_ms >= MIGRATE_TICK_MS) {
        print_line(progress, name, text);
        progress->shown_ms = elapsed_ms;
    }
}

static void print_running(struct progress *progress, const char *name, int64_t elapsed_ms)
{
    char text[64];
    snprintf(text, sizeof(text), "running for %" PRId64 " s", elapsed_ms / 1000);
    print_progress(progress, name, text, elapsed_ms);
}

static void print_applied(struct progress *progress, const char *name, int64_t elapsed_ms)
{
    char text[64];
    snprintf(text, sizeof(text), "applied in %" PRId64 " ms", elapsed_ms);
    if (progress->terminal)
        print_progress(progress, name, text, elapsed_ms);
    else
        print_line(progress, name, text);
    end_line(progress);
    json_put_cstring(&progress->applied, name);
}

static void print_started(struct progress *progress, const char *name)
{
    progress->shown_ms = 0;
    if (progress->terminal)
        print_progress(progress, name, "...", 0);
}

static void handle_event(void *context, enum migrate_event event, const char *name,
                         const char *detail, int64_t elapsed_ms)
{
    struct progress *progress = context;
    switch (event) {
    case MIGRATE_WAITING:
        print_line(progress, NULL, "another program is migrating this database; waiting for it");
        break;
    case MIGRATE_STARTED:
        print_started(progress, name);
        break;
    case MIGRATE_RUNNING:
        print_running(progress, name, elapsed_ms);
        break;
    case MIGRATE_RETRYING:
        print_line(progress, "trying again", detail);
        break;
    case MIGRATE_PROGRESS:
        print_progress(progress, name, detail, elapsed_ms);
        break;
    case MIGRATE_WARNED:
        print_line(progress, name, detail);
        break;
    case MIGRATE_APPLIED:
        print_applied(progress, name, elapsed_ms);
        break;
    }
}

static int exit_status(enum migrate_result result)
{
    switch (result) {
    case MIGRATE_OK:
        return EX_OK;
    case MIGRATE_CONFLICT:
        return EX_CONFIG;
    case MIGRATE_BUSY:
        return EX_TEMPFAIL;
    case MIGRATE_FAILED:
        return EX_SOFTWARE;
    case MIGRATE_NO_SERVER:
        return EX_UNAVAILABLE;
    }
    return EX_SOFTWARE;
}

static void print_up_json(const struct progress *progress, const char *error)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_bool(&writer, "ok", error == NULL);
    json_add_raw(&writer, "applied", json_text(&progress->applied),
                 json_length(&progress->applied));
    json_add_cstring(&writer, "error", error);
    json_object_end(&writer);
    printf("%s\n", json_text(&writer));
    json_writer_deinit(&writer);
}

static int up(PGconn *connection, const struct migrate_options *options)
{
    struct progress progress = {.terminal = isatty(STDERR_FILENO)};
    json_writer_init(&progress.applied);
    json_array_begin(&progress.applied);
    char *error = NULL;
    enum migrate_result result = migrate_up(connection, handle_event, &progress, &error);
    json_array_end(&progress.applied);
    end_line(&progress);
    if (error != NULL)
        cli_complain("%s", error);
    if (options->json)
        print_up_json(&progress, error);
    else if (result == MIGRATE_OK)
        puts("the database is up to date");
    json_writer_deinit(&progress.applied);
    free(error);
    return exit_status(result);
}

/* status */

static const char *state_name(const struct ledger_row *row)
{
    switch (row->state) {
    case LEDGER_PENDING:
        return "pending";
    case LEDGER_APPLIED:
        return row->adopted ? "adopted" : "applied";
    case LEDGER_CHANGED:
        return "changed";
    case LEDGER_UNKNOWN:
        return "unknown";
    }
    return "";
}

static void add_row_json(struct json_writer *writer, const struct ledger_row *row)
{
    json_object_begin(writer);
    json_add_int(writer, "version", row->version);
    json_add_cstring(writer, "name", row->name);
    json_add_cstring(writer, "state", state_name(row));
    if (row->state != LEDGER_PENDING) {
        json_add_time(writer, "applied_at", row->applied_us);
        json_add_int(writer, "duration_ms", row->duration_ms);
    }
    json_object_end(writer);
}

static void print_status_json(const struct ledger *ledger, const char *obstacle)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_bool(&writer, "ok", obstacle == NULL);
    json_add_int(&writer, "pending", (int64_t)ledger->pending);
    json_add_int(&writer, "changed", (int64_t)ledger->changed);
    json_add_int(&writer, "unknown", (int64_t)ledger->unknown);
    json_add_cstring(&writer, "problem", obstacle);
    json_key(&writer, "migrations");
    json_array_begin(&writer);
    for (size_t i = 0; i < ledger->count; i++)
        add_row_json(&writer, &ledger->rows[i]);
    json_array_end(&writer);
    json_object_end(&writer);
    printf("%s\n", json_text(&writer));
    json_writer_deinit(&writer);
}

static void print_row(const struct ledger_row *row)
{
    if (row->state == LEDGER_PENDING) {
        printf("%-32s pending\n", row->name);
        return;
    }
    char at[32] = "";
    time_t seconds = row->applied_us / 1000000;
    struct tm fields;
    if (gmtime_r(&seconds, &fields) != NULL)
        strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%SZ", &fields);
    printf("%-32s %-8s %s %8" PRId64 " ms\n", row->name, state_name(row), at, row->duration_ms);
}

static int status(PGconn *connection, const struct migrate_options *options)
{
    struct ledger ledger = LEDGER_INIT;
    char *error = ledger_read(connection, &ledger);
    if (error != NULL) {
        cli_complain("%s", error);
        free(error);
        ledger_deinit(&ledger);
        return EX_UNAVAILABLE;
    }
    char *obstacle = ledger_obstacle(&ledger);
    if (options->json)
        print_status_json(&ledger, obstacle);
    else
        for (size_t i = 0; i < ledger.count; i++)
            print_row(&ledger.rows[i]);
    if (obstacle != NULL)
        cli_complain("%s", obstacle);
    int result = obstacle == NULL ? EX_OK : EX_CONFIG;
    free(obstacle);
    ledger_deinit(&ledger);
    return result;
}

/* adopt */

static int adopt(PGconn *connection, const struct migrate_options *options)
{
    for (int i = 0; i < options->argument_count; i++) {
        char *error = NULL;
        int version = ledger_version(options->arguments[i]);
        enum migrate_result result = migrate_adopt(connection, version, &error);
        if (result != MIGRATE_OK) {
            cli_complain("%s", error);
            free(error);
            return EX_DATAERR;
        }
        printf("%03d is recorded as applied\n", version);
    }
    return EX_OK;
}

/* The verb */

static const struct {
    const char *name;
    int (*run)(PGconn *connection, const struct migrate_options *options);
    bool arguments;
} actions[] = {{"up", up, false}, {"status", status, false}, {"adopt", adopt, true}};

static int run_action(size_t i, const struct migrate_options *options)
{
    if (actions[i].arguments != (options->argument_count > 0))
        return cli_usage_error(
            "migrate", actions[i].arguments ? "%s: say which versions" : "%s takes no arguments",
            actions[i].name);
    struct config *config = cli_load_config(options->sources);
    if (config == NULL)
        return EX_CONFIG;
    PGconn *connection = cli_database_open(config->database.url, "migrate");
    int result = connection != NULL ? actions[i].run(connection, options) : EX_UNAVAILABLE;
    PQfinish(connection);
    config_unref(config);
    return result;
}

static int run(const struct migrate_options *options, const char *action)
{
    for (size_t i = 0; action != NULL && i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, action) == 0)
            return run_action(i, options);
    return cli_usage_error("migrate", "say up, status or adopt");
}

static int parse_and_run(int argc, char **argv, struct migrate_options *out)
{
    enum { OPTION_JSON = 256, OPTION_DATABASE_URL };
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"database-url", required_argument, NULL, OPTION_DATABASE_URL},
        CLI_COMMON_LONG,
        {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = CLI_CONTINUE;
        if (option == OPTION_JSON)
            out->json = true;
        else if (option == OPTION_DATABASE_URL)
            next = cli_set_option(out->sources, "database.url", optarg);
        else
            next = cli_common_option(option, optarg, out->sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    out->arguments = argv + optind + 1;
    out->argument_count = argc - optind - 1;
    return run(out, argv[optind]);
}

int cli_migrate(int argc, char **argv)
{
    struct migrate_options options = {.sources = config_sources_new()};
    int status = parse_and_run(argc, argv, &options);
    config_sources_free(options.sources);
    return status;
}
