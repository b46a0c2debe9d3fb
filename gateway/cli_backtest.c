/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate moderation backtest: what would rules have hit in stored history?
 *
 * Messages are read in pages by their ids, so each costs the database the same and none holds a
 * lock or a snapshot for long; and after each page the verb rests as long as the page took, so that
 * it never takes more than half of one connection. That people's messages were read, and why, goes
 * to the audit log first.
 *
 * A message is tried alone, as a new one: conditions that look at the pair, the room or the
 * sender's record count as met, and flood and contacts split over messages are not seen.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "gateway/backtest.h"
#include "gateway/cli.h"
#include "gateway/cli_moderation.h"
#include "gateway/cli_progress.h"
#include "gateway/cli_rule_book.h"
#include "gateway/cli_sources.h"
#include "gateway/clock.h"
#include "gateway/config_source.h"
#include "gateway/xasprintf.h"
#include "moderation/rule_file.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

static const char help[] =
    "chatgate moderation backtest: what would rules have hit in stored history?\n"
    "\n"
    "Usage\n"
    "  chatgate moderation backtest --rules FILE... [OPTION]...\n"
    "  chatgate moderation backtest ID... [OPTION]...\n"
    "\n"
    "Tries the rules of files, or rules in force (those that are off, too), on messages that were\n"
    "written, and tells for each rule its hits, what became of those messages, what people had\n"
    "decided on them, and some of them. Changes nothing. Reads page by page and rests after each "
    "as\n"
    "long as it took. It is noted in the audit log, since it shows people's messages.\n"
    "\n"
    "A message is tried alone: conditions on the pair, the room and the sender's record count as\n"
    "met, but for booked; floods and contacts split over messages are not seen.\n"
    "\n"
    "Options\n"
    "  -r, --rules FILE           rules to try, over those in force (may be repeated)\n"
    "      --since DATE           from this day on, UTC (YYYY-MM-DD; default: all)\n"
    "      --until DATE           before this day\n"
    "      --limit N              at most so many messages\n"
    "      --booked               as if a booking tied every pair\n"
    "      --samples N            messages shown for each rule (default 5, 0 to 1000)\n"
    "      --batch N              messages in one page (default 1000, 1 to 10000)\n"
    "      --sleep MS             rest after a page, in place of as long as it took\n"
    "      --json                 one JSON object\n" CLI_COMMON_HELP "\n"
    "Shows a bar on a terminal, elsewhere a line each 5 s, on standard error. Ends with 0, 64 for\n"
    "wrong usage, 65 for a bad rule, 66 for a rule that is not there, 69 if the database is away.\n"
    "\n"
    "Examples\n"
    "  chatgate moderation backtest --rules new.rules --since 2026-01-01\n"
    "  chatgate moderation backtest en.spam.essay --limit 100000 --samples 20\n"
    "  chatgate moderation backtest --rules new.rules --json | jq '.rules[] | {id, hits}'\n";

struct options {
    struct config_sources *config;
    struct cli_sources files;
    bool json, booked;
    long limit, samples, batch, sleep_ms; /* sleep_ms -1: as long as the page took */
    int64_t since_us, until_us;
};

/* ---- which rules ---- */

/* The rules in question are on, whatever they are in force. The texts are owned. */
struct wanted {
    char **ids;
    size_t count, in_files; /* those of files come first */
    char *overrides;        /* a source that puts them on */
};

static void want(struct wanted *wanted, const char *id)
{
    char *longer =
        xasprintf("%soverride %s\n  state on\n", wanted->overrides ? wanted->overrides : "", id);

    free(wanted->overrides);
    wanted->overrides = longer;
    wanted->ids = xreallocarray(wanted->ids, wanted->count + 1, sizeof(char *));
    wanted->ids[wanted->count++] = xstrdup(id);
}

static void wanted_deinit(struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        free(wanted->ids[i]);
    free(wanted->ids);
    free(wanted->overrides);
}

static int want_files(struct wanted *wanted, const struct cli_sources *files)
{
    struct rule_list list = {0};
    struct rule_error error;
    int status = EX_OK;

    for (size_t i = 0; status == EX_OK && i < files->count; i++) {
        if (!rule_file_parse(&list, &files->items[i], &error))
            status = cli_rule_error(&error);
    }
    for (size_t i = 0; status == EX_OK && i < list.count; i++)
        want(wanted, list.rules[i].id);
    wanted->in_files = wanted->count;
    rule_list_deinit(&list);
    return status;
}

static struct rule_set *compile(struct cli_book *book, const struct options *options,
                                const struct wanted *wanted)
{
    struct rule_source *sources = xcalloc(options->files.count + 1, sizeof(*sources));
    struct rule_layer more = {.sources = sources, .count = options->files.count + 1};

    memcpy(sources, options->files.items, options->files.count * sizeof(*sources));
    sources[options->files.count] = (struct rule_source){
        .name = "backtest", .text = wanted->overrides, .length = strlen(wanted->overrides)};
    /* What files say of an id takes the place of the row, as an import would. */
    for (size_t i = 0; i < wanted->in_files; i++) {
        for (size_t k = 0; k < book->rows.count; k++) {
            if (strcmp(book->rows.sources[k].name, wanted->ids[i]) == 0)
                book->rows.sources[k].length = 0;
        }
    }
    struct rule_set *set = cli_book_compile(book, &more);
    free(sources);
    return set;
}

/* ---- history ---- */

static int begin(const struct cli_book *book, const struct wanted *wanted, int64_t *messages)
{
    char host[64] = "", *note = xasprintf("backtest of %s%s", wanted->ids[0],
                                          wanted->count > 1 ? " and others" : "");
    gethostname(host, sizeof(host) - 1);
    const char *const values[] = {host, note};
    PGresult *result =
        PQexecParams(book->connection, sql_backtest_begin.text, 2, NULL, values, NULL, NULL, 0);
    int status = EX_OK;

    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        *messages = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    else
        status = cli_book_failed(book, result);
    PQclear(result);
    free(note);
    return status;
}

/* The columns of sql/statements/backtest.sql. */
enum column { ID, IN_RANGE, AT_US, SENDER, ROLE, STATUS, DECIDED_BY, OVERTURNED, TEXT };

static void try_row(struct backtest *backtest, const PGresult *page, int row)
{
    struct backtest_message message = {
        .id = PQgetvalue(page, row, ID),
        .sender = PQgetvalue(page, row, SENDER),
        .role = PQgetvalue(page, row, ROLE),
        .status = PQgetvalue(page, row, STATUS),
        .at_us = strtoll(PQgetvalue(page, row, AT_US), NULL, 10),
        .by_person = !PQgetisnull(page, row, DECIDED_BY),
        .overturned = *PQgetvalue(page, row, OVERTURNED) == 't',
        .text = PQgetvalue(page, row, TEXT),
        .length = (size_t)PQgetlength(page, row, TEXT),
    };

    backtest_try(backtest, &message);
}

static PGresult *read_page(const struct cli_book *book, const struct options *options,
                           const char *after, long count)
{
    char *limit = xasprintf("%ld", count), *since = xasprintf("%" PRId64, options->since_us),
         *until = xasprintf("%" PRId64, options->until_us);
    const char *const values[] = {*after ? after : NULL, limit, since, until};
    PGresult *page =
        PQexecParams(book->connection, sql_backtest.text, 4, NULL, values, NULL, NULL, 0);

    free(limit);
    free(since);
    free(until);
    return page;
}

static void rest(const struct options *options, uint64_t took_ms)
{
    uint64_t rest_ms = options->sleep_ms >= 0 ? (uint64_t)options->sleep_ms : took_ms;

    usleep((useconds_t)(rest_ms > 1000 && options->sleep_ms < 0 ? 1000 : rest_ms) * 1000);
}

static int read_history(const struct cli_book *book, const struct options *options,
                        struct backtest *backtest, int64_t estimate)
{
    struct cli_progress progress;
    int64_t most = options->limit > 0 ? options->limit : INT64_MAX, done = 0;
    char after[40] = "";
    int status = EX_OK;
    bool last = false;

    cli_progress_begin(&progress, "messages", estimate < most ? estimate : most);
    while (status == EX_OK && !last) {
        long count = options->batch < most - done ? options->batch : (long)(most - done);
        uint64_t started_ms = clock_now_ms();
        PGresult *page = read_page(book, options, after, count);
        int rows = PQntuples(page);

        if (PQresultStatus(page) != PGRES_TUPLES_OK)
            status = cli_book_failed(book, page);
        for (int row = 0; row < rows; row++) {
            if (*PQgetvalue(page, row, IN_RANGE) == 't')
                try_row(backtest, page, row);
        }
        if (rows > 0)
            snprintf(after, sizeof(after), "%s", PQgetvalue(page, rows - 1, ID));
        PQclear(page);
        done += rows;
        last = rows < count || done >= most;
        cli_progress_show(&progress, done, last);
        if (!last)
            rest(options, clock_now_ms() - started_ms);
    }
    return status;
}

/* ---- the verb ---- */

static int run_with(struct cli_book *book, const struct options *options,
                    const struct wanted *wanted)
{
    struct rule_set *set = compile(book, options, wanted);
    int64_t messages = 0;

    if (!set)
        return EX_DATAERR;
    struct backtest *backtest = backtest_new(set, (const char *const *)wanted->ids, wanted->count,
                                             (size_t)options->samples, options->booked);
    const char *unknown = backtest_unknown(backtest);
    int status = EX_OK;
    if (unknown) {
        cli_complain("there is no rule '%s'", unknown);
        status = EX_NOINPUT;
    }
    if (status == EX_OK)
        status = begin(book, wanted, &messages);
    if (status == EX_OK)
        status = read_history(book, options, backtest, messages);
    if (status == EX_OK && options->json)
        backtest_print_json(backtest, stdout);
    else if (status == EX_OK)
        backtest_print(backtest, stdout, cli_colors(STDOUT_FILENO));
    backtest_free(backtest);
    rule_set_unref(set);
    return status;
}

static int run(const struct options *options, int count, char **ids)
{
    struct cli_book book = {.connection = NULL};
    struct wanted wanted = {.count = 0};
    int status = want_files(&wanted, &options->files);

    for (int i = 0; i < count; i++)
        want(&wanted, ids[i]);
    if (status == EX_OK && wanted.count == 0)
        status = cli_usage_error("moderation backtest", "needs --rules FILE or the IDs of rules");
    if (status == EX_OK)
        status = cli_book_open(&book, options->config);
    if (status == EX_OK)
        status = run_with(&book, options, &wanted);
    cli_book_close(&book);
    wanted_deinit(&wanted);
    return status;
}

static bool parse_number(const char *text, long least, long most, long *out)
{
    char *end;

    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool parse_date(const char *text, int64_t *out_us)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%d", &parts);

    if (!end || *end)
        return false;
    *out_us = (int64_t)timegm(&parts) * 1000000;
    return true;
}

enum {
    OPTION_JSON = 256,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_LIMIT,
    OPTION_BOOKED,
    OPTION_SAMPLES,
    OPTION_BATCH,
    OPTION_SLEEP,
};

static bool take_value(int option, struct options *out)
{
    switch (option) {
    case OPTION_SINCE:
        return parse_date(optarg, &out->since_us);
    case OPTION_UNTIL:
        return parse_date(optarg, &out->until_us);
    case OPTION_LIMIT:
        return parse_number(optarg, 1, 1000000000, &out->limit);
    case OPTION_SAMPLES:
        return parse_number(optarg, 0, 1000, &out->samples);
    case OPTION_BATCH:
        return parse_number(optarg, 1, 10000, &out->batch);
    case OPTION_SLEEP:
        return parse_number(optarg, 0, 60000, &out->sleep_ms);
    case OPTION_JSON:
        out->json = true;
        return true;
    default:
        out->booked = true;
        return true;
    }
}

/* Returns EX_OK to go on, -1 after --help, or an exit status. */
static int take_option(int option, struct options *out)
{
    if (option == 'r')
        return cli_sources_add(&out->files, optarg);
    if (option >= OPTION_JSON)
        return take_value(option, out)
                   ? EX_OK
                   : cli_usage_error("moderation backtest", "'%s' is out of range, or no date",
                                     optarg);
    enum cli_next next = cli_common_option(option, optarg, out->config);
    return next == CLI_CONTINUE ? EX_OK : next == CLI_HELP ? -1 : EX_USAGE;
}

int cli_backtest(int argc, char **argv)
{
    static const struct option longs[] = {{"rules", required_argument, NULL, 'r'},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {"since", required_argument, NULL, OPTION_SINCE},
                                          {"until", required_argument, NULL, OPTION_UNTIL},
                                          {"limit", required_argument, NULL, OPTION_LIMIT},
                                          {"booked", no_argument, NULL, OPTION_BOOKED},
                                          {"samples", required_argument, NULL, OPTION_SAMPLES},
                                          {"batch", required_argument, NULL, OPTION_BATCH},
                                          {"sleep", required_argument, NULL, OPTION_SLEEP},
                                          CLI_COMMON_LONG,
                                          {NULL, 0, NULL, 0}};
    struct options options = {.config = config_sources_new(),
                              .samples = 5,
                              .batch = 1000,
                              .sleep_ms = -1,
                              .until_us = INT64_MAX};
    int option, status = EX_OK;

    while (status == EX_OK &&
           (option = getopt_long(argc, argv, CLI_COMMON_SHORT "r:", longs, NULL)) != -1)
        status = take_option(option, &options);
    if (status == -1)
        status = cli_help(help);
    else if (status == EX_OK)
        status = run(&options, argc - optind, argv + optind);
    cli_sources_free(&options.files);
    config_sources_free(options.config);
    return status == EX_OK && fflush(stdout) != 0 ? EX_IOERR : status;
}
