/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate moderation rules: see, try and change the rules in force
 *
 * Every change is a new version of all rules of the installation; what ships with the program lies
 * below them. So a change is a small computation on a list of rows: put, take away, or set the
 * state of one; cli_rule_book.c compiles, compares and stores the outcome.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "gateway/cli.h"
#include "gateway/cli_moderation.h"
#include "gateway/cli_rule_book.h"
#include "gateway/cli_rule_edit.h"
#include "gateway/cli_sources.h"
#include "gateway/config_source.h"
#include "gateway/xasprintf.h"
#include "sql/embedded.h"

static const char help[] =
    "chatgate moderation rules: see, try and change the rules in force\n"
    "\n"
    "Usage\n"
    "  chatgate moderation rules list [--stats] [--shipped | --rules FILE]\n"
    "  chatgate moderation rules show ID... [--shipped]\n"
    "  chatgate moderation rules test [FILE]...           run the examples in files, or in force\n"
    "  chatgate moderation rules import FILE... [--replace] [--dry-run]\n"
    "  chatgate moderation rules export [--shipped]       what import reads\n"
    "  chatgate moderation rules enable|shadow|disable ID...\n"
    "  chatgate moderation rules drop ID...               a shipped rule is itself again\n"
    "  chatgate moderation rules history\n"
    "  chatgate moderation rules rollback VERSION         its rules become a new version\n"
    "\n"
    "The rules in force are those that ship with the program, and over them those of the "
    "database:\n"
    "\"rule ID\" takes the place of a shipped rule or is added, \"override ID\" changes settings "
    "of\n"
    "one. Every change is a version of its own; all nodes take it within a second.\n"
    "\n"
    "Options\n"
    "      --stats                add hits and verdicts of the last days (with list)\n"
    "      --days N               how many days --stats looks back (default 7)\n"
    "      --shipped              only what ships; needs no database\n"
    "  -r, --rules FILE           these files over what ships; needs no database (with list)\n"
    "      --replace              take away what is not in the files (with import)\n"
    "  -n, --dry-run              compile, show the difference, store nothing\n"
    "  -m, --note TEXT            why, for the audit log\n"
    "      --limit N              versions to show (with history; default 20)\n"
    "      --json                 JSON\n" CLI_COMMON_HELP "\n"
    "A fault in a file is told as FILE:LINE:COLUMN, and nothing is stored. Ends with 0, 64 for "
    "wrong\n"
    "usage, 65 for a bad rule, 66 for a file, rule or version that is not there, 69 if the "
    "database\n"
    "is away, 75 if somebody else changed the rules meanwhile, 77 without the right to.\n"
    "\n"
    "Examples\n"
    "  chatgate moderation rules export > ours.rules      # edit, then:\n"
    "  chatgate moderation rules import ours.rules --dry-run\n"
    "  chatgate moderation rules import ours.rules --note 'ticket 512'\n"
    "  chatgate moderation rules shadow en.spam.essay     # recorded, does nothing\n"
    "  chatgate moderation rules list --stats\n";

struct options {
    struct config_sources *config;
    struct cli_sources files;
    struct cli_change change;
    bool stats, shipped, replace;
    long days, limit;
};

typedef int (*verb_fn)(struct cli_book *book, struct options *options, int argc, char **argv);

/* ---- list ---- */

static const char *const action_names[] = {"flag", "hold", "block"};
static const char *const state_names[] = {"off", "shadow", "on"};

/* Where a rule comes from: "shipped", "changed" (an override), "own". */
static const char *origin(const struct cli_book *book, const struct rule_info *rule)
{
    const struct rule_source *row = rule_rows_find(&book->rows, rule->id);

    if (!row)
        return "shipped";
    return strcmp(rule->source, row->name) == 0 ? "own" : "changed";
}

/* The columns of sql/statements/rules_stats.sql, and what they are called. */
enum { STATS_COLUMNS = 8 };
static const char *const stats_names[STATS_COLUMNS] = {"rule", "hits",    "senders", "shadow",
                                                       "held", "blocked", "upheld",  "overturned"};

static int read_stats(const struct cli_book *book, long days, PGresult **stats)
{
    char *since = xasprintf("%" PRId64, ((int64_t)time(NULL) - days * 86400) * 1000000);
    const char *const values[] = {since};

    *stats = PQexecParams(book->connection, sql_rules_stats.text, 1, NULL, values, NULL, NULL, 0);
    free(since);
    return PQresultStatus(*stats) == PGRES_TUPLES_OK ? EX_OK : cli_book_failed(book, *stats);
}

static int stats_row(const PGresult *stats, const char *id)
{
    for (int i = 0; i < PQntuples(stats); i++) {
        if (strcmp(PQgetvalue(stats, i, 0), id) == 0)
            return i;
    }
    return -1;
}

static const char *stats_value(const PGresult *stats, int row, int column)
{
    return row >= 0 ? PQgetvalue(stats, row, column) : "0";
}

static json_t *rule_object(const struct cli_book *book, const struct rule_info *rule,
                           const PGresult *stats)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s}", "id", rule->id, "name",
        rule->name, "kind", rule->kind, "label", rule->label, "reason", rule->reason, "action",
        action_names[rule->action], "severity", rule->severity, "state", state_names[rule->state],
        "locale", rule->locale, "ceiling", (int)rule->ceiling, "origin", origin(book, rule));

    if (!stats)
        return object;
    int row = stats_row(stats, rule->id);
    for (int i = 1; i < STATS_COLUMNS; i++)
        json_object_set_new(object, stats_names[i],
                            json_integer(strtoll(stats_value(stats, row, i), NULL, 10)));
    return object;
}

static void print_rule(const struct cli_book *book, const struct rule_info *rule,
                       const PGresult *stats)
{
    printf("%-32s %-8s %-15s %-6s %d  %-6s  %-7s", rule->id, rule->kind, rule->label,
           action_names[rule->action], rule->severity, state_names[rule->state],
           origin(book, rule));
    int row = stats ? stats_row(stats, rule->id) : -1;
    for (int i = 1; stats && i < STATS_COLUMNS; i++)
        printf(" %10s", stats_value(stats, row, i));
    putchar('\n');
}

static void print_list(const struct cli_book *book, const struct rule_set *set,
                       const PGresult *stats)
{
    printf("%-32s %-8s %-15s %-6s %s  %-6s  %-7s", "rule", "kind", "label", "action", "S", "state",
           "origin");
    for (int i = 1; stats && i < STATS_COLUMNS; i++)
        printf(" %10s", stats_names[i]);
    putchar('\n');
    for (size_t i = 0; i < rule_set_count(set); i++) {
        struct rule_info rule = rule_set_info(set, i);

        print_rule(book, &rule, stats);
    }
}

static void print_json(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    puts(text);
    free(text);
    json_decref(value);
}

static void print_list_json(const struct cli_book *book, const struct rule_set *set,
                            const PGresult *stats)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < rule_set_count(set); i++) {
        struct rule_info rule = rule_set_info(set, i);

        json_array_append_new(rules, rule_object(book, &rule, stats));
    }
    print_json(json_pack("{s:I, s:o}", "version", (json_int_t)book->version, "rules", rules));
}

static int run_list(struct cli_book *book, struct options *options, int argc, char **argv)
{
    struct rule_layer files = cli_sources_layer(&options->files);
    struct rule_set *set = cli_book_compile(book, &files);
    PGresult *stats = NULL;
    int status = set ? EX_OK : EX_DATAERR;

    if (status == EX_OK && options->stats)
        status = read_stats(book, options->days, &stats);
    if (status == EX_OK && options->change.json)
        print_list_json(book, set, stats);
    else if (status == EX_OK)
        print_list(book, set, stats);
    PQclear(stats);
    rule_set_unref(set);
    return status;
}

/* ---- show, export, test ---- */

static const char *shipped_text(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; i < rule_set_count(set); i++) {
        struct rule_info rule = rule_set_info(set, i);

        if (strcmp(rule.id, id) == 0)
            return rule.text;
    }
    return NULL;
}

static int run_show(struct cli_book *book, struct options *options, int argc, char **argv)
{
    struct rule_error error;
    struct rule_set *ships = rule_set_default(0, &error);
    int status = EX_OK;

    if (!ships)
        return cli_rule_error(&error);
    for (int i = 0; i < argc; i++) {
        const char *shipped = shipped_text(ships, argv[i]);
        const struct rule_source *row = rule_rows_find(&book->rows, argv[i]);

        if (!shipped && !row) {
            cli_complain("there is no rule '%s'", argv[i]);
            status = EX_NOINPUT;
            continue;
        }
        if (i > 0)
            putchar('\n');
        if (shipped)
            printf("# ships with the program%s\n%s", row ? ", and lies below what comes next" : "",
                   shipped);
        if (row)
            printf("%s# version %" PRId64 " of the database\n%s", shipped ? "\n" : "",
                   book->version, row->text);
    }
    rule_set_unref(ships);
    return status;
}

static int run_export(struct cli_book *book, struct options *options, int argc, char **argv)
{
    struct rule_layer layer = rule_rows_layer(&book->rows);

    if (options->shipped)
        layer.sources = rule_set_default_sources(&layer.count);
    for (size_t i = 0; i < layer.count; i++) {
        const struct rule_source *source = &layer.sources[i];
        bool ends = source->length > 0 && source->text[source->length - 1] == '\n';

        printf("%s%.*s%s", i > 0 ? "\n" : "", (int)source->length, source->text, ends ? "" : "\n");
    }
    return EX_OK;
}

static int run_test(struct cli_book *book, struct options *options, int argc, char **argv)
{
    struct rule_layer files = cli_sources_layer(&options->files);
    struct rule_set *set = cli_book_compile(book, &files);

    if (!set)
        return EX_DATAERR;
    size_t count = argc > 0 ? cli_rule_edit_count(&files) : rule_set_count(set);
    if (options->change.json)
        print_json(json_pack("{s:b, s:I}", "ok", 1, "rules", (json_int_t)count));
    else
        printf("%zu rules are good\n", count);
    rule_set_unref(set);
    return EX_OK;
}

/* ---- changes ---- */

static int change(struct cli_book *book, struct options *options, json_t *rows,
                  const char *otherwise)
{
    if (!rows)
        return EX_DATAERR;
    if (!options->change.note)
        options->change.note = otherwise;
    int status = cli_book_change(book, rows, &options->change);
    json_decref(rows);
    return status;
}

static int run_import(struct cli_book *book, struct options *options, int argc, char **argv)
{
    char *note = xasprintf("import %s", argv[0]);
    json_t *rows = cli_rule_edit_import(book, &options->files, options->replace);
    int status = change(book, options, rows, note);

    free(note);
    return status;
}

static int set_states(struct cli_book *book, struct options *options, int argc, char **argv,
                      enum rule_state state)
{
    char *note = xasprintf("%s %s", state_names[state], argv[0]);
    int status = change(book, options, cli_rule_edit_state(book, argc, argv, state), note);

    free(note);
    return status;
}

static int run_enable(struct cli_book *book, struct options *options, int argc, char **argv)
{
    return set_states(book, options, argc, argv, RULE_ON);
}

static int run_shadow(struct cli_book *book, struct options *options, int argc, char **argv)
{
    return set_states(book, options, argc, argv, RULE_SHADOW);
}

static int run_disable(struct cli_book *book, struct options *options, int argc, char **argv)
{
    return set_states(book, options, argc, argv, RULE_OFF);
}

static int run_drop(struct cli_book *book, struct options *options, int argc, char **argv)
{
    char *note = xasprintf("drop %s", argv[0]);
    int status = change(book, options, cli_rule_edit_drop(book, argc, argv), note);

    free(note);
    return status;
}

static int run_rollback(struct cli_book *book, struct options *options, int argc, char **argv)
{
    char *end, *note;
    int64_t version = strtoll(argv[0], &end, 10);
    struct cli_book old = {.connection = book->connection};
    int status;

    if (*end || version < 0 || argc > 1)
        return cli_usage_error("moderation rules", "rollback takes the number of one version");
    status = version > 0 ? cli_book_read_version(&old, version) : EX_OK;
    note = xasprintf("rollback to %" PRId64, version);
    if (status == EX_OK)
        status = change(book, options, cli_rule_edit_rows(&old), note);
    free(note);
    rule_rows_deinit(&old.rows);
    return status;
}

/* ---- history ---- */

/* The columns of sql/statements/rules_history.sql. */
enum column { RULE_SET, MADE_US, MADE_BY, DB_USER, NODE, NOTE, RULES };

static void print_version(const PGresult *result, int row, bool json)
{
    time_t made_s = strtoll(PQgetvalue(result, row, MADE_US), NULL, 10) / 1000000;
    struct tm parts;
    char at[32];

    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&made_s, &parts));
    if (json)
        print_json(json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "version",
                             (json_int_t)strtoll(PQgetvalue(result, row, RULE_SET), NULL, 10), "at",
                             at, "db_user", PQgetvalue(result, row, DB_USER), "from",
                             PQgetvalue(result, row, NODE), "note", PQgetvalue(result, row, NOTE),
                             "rules",
                             (json_int_t)strtoll(PQgetvalue(result, row, RULES), NULL, 10)));
    else
        printf("%6s  %s  %5s rules  %s %s  %s\n", PQgetvalue(result, row, RULE_SET), at,
               PQgetvalue(result, row, RULES), PQgetvalue(result, row, DB_USER),
               PQgetvalue(result, row, NODE), PQgetvalue(result, row, NOTE));
}

static int run_history(struct cli_book *book, struct options *options, int argc, char **argv)
{
    char *limit = xasprintf("%ld", options->limit);
    const char *const values[] = {limit};
    PGresult *result =
        PQexecParams(book->connection, sql_rules_history.text, 1, NULL, values, NULL, NULL, 0);
    int status = EX_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = cli_book_failed(book, result);
    for (int row = 0; status == EX_OK && row < PQntuples(result); row++)
        print_version(result, row, options->change.json);
    PQclear(result);
    free(limit);
    return status;
}

/* ---- the verb ---- */

enum arguments { ARGUMENTS_NONE, ARGUMENTS_FILES, ARGUMENTS_FILES_OR_NONE, ARGUMENTS_SOME };

static const struct verb {
    const char *name;
    verb_fn run;
    enum arguments arguments;
} verbs[] = {
    {"list", run_list, ARGUMENTS_NONE},          {"show", run_show, ARGUMENTS_SOME},
    {"test", run_test, ARGUMENTS_FILES_OR_NONE}, {"import", run_import, ARGUMENTS_FILES},
    {"export", run_export, ARGUMENTS_NONE},      {"enable", run_enable, ARGUMENTS_SOME},
    {"shadow", run_shadow, ARGUMENTS_SOME},      {"disable", run_disable, ARGUMENTS_SOME},
    {"drop", run_drop, ARGUMENTS_SOME},          {"history", run_history, ARGUMENTS_NONE},
    {"rollback", run_rollback, ARGUMENTS_SOME},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static int take_arguments(const struct verb *verb, struct options *options, int argc, char **argv)
{
    int status = EX_OK;

    if (verb->arguments == ARGUMENTS_NONE && argc > 0)
        return cli_usage_error("moderation rules", "%s takes no '%s'", verb->name, argv[0]);
    if ((verb->arguments == ARGUMENTS_SOME || verb->arguments == ARGUMENTS_FILES) && argc == 0)
        return cli_usage_error("moderation rules", "%s what?", verb->name);
    if (verb->arguments == ARGUMENTS_SOME || verb->arguments == ARGUMENTS_NONE)
        return EX_OK;
    for (int i = 0; status == EX_OK && i < argc; i++)
        status = cli_sources_add(&options->files, argv[i]);
    return status;
}

/* Files are tried over what ships, wherever they are tried; so that needs no database. */
static bool needs_database(const struct verb *verb, const struct options *options)
{
    if (verb->run == run_list || verb->run == run_test)
        return options->stats || (options->files.count == 0 && !options->shipped);
    return !((verb->run == run_show || verb->run == run_export) && options->shipped);
}

static int run_verb(struct options *options, int argc, char **argv)
{
    const struct verb *verb = find_verb(argc > 0 ? argv[0] : "");
    struct cli_book book = {.connection = NULL};

    if (!verb)
        return cli_usage_error("moderation rules",
                               "takes list, show, test, import, export, enable, shadow, disable, "
                               "drop, history or rollback");
    int status = take_arguments(verb, options, argc - 1, argv + 1);
    if (status == EX_OK && needs_database(verb, options))
        status = cli_book_open(&book, options->config);
    if (status == EX_OK)
        status = verb->run(&book, options, argc - 1, argv + 1);
    cli_book_close(&book);
    return status;
}

static bool parse_number(const char *text, long most, long *out)
{
    char *end;

    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= 1 && *out <= most;
}

enum {
    OPTION_JSON = 256,
    OPTION_STATS,
    OPTION_DAYS,
    OPTION_SHIPPED,
    OPTION_REPLACE,
    OPTION_LIMIT,
};

/* Returns EX_OK to go on, -1 after --help, or an exit status. */
static int take_option(int option, struct options *out)
{
    enum cli_next next = CLI_CONTINUE;

    switch (option) {
    case OPTION_JSON:
        out->change.json = true;
        return EX_OK;
    case OPTION_STATS:
        out->stats = true;
        return EX_OK;
    case OPTION_SHIPPED:
        out->shipped = true;
        return EX_OK;
    case OPTION_REPLACE:
        out->replace = true;
        return EX_OK;
    case 'n':
        out->change.dry_run = true;
        return EX_OK;
    case 'm':
        out->change.note = optarg;
        return EX_OK;
    case 'r':
        return cli_sources_add(&out->files, optarg);
    case OPTION_DAYS:
        return parse_number(optarg, 36500, &out->days)
                   ? EX_OK
                   : cli_usage_error("moderation rules", "--days %s is no number of days", optarg);
    case OPTION_LIMIT:
        return parse_number(optarg, 1000000, &out->limit)
                   ? EX_OK
                   : cli_usage_error("moderation rules", "--limit %s is no number", optarg);
    default:
        next = cli_common_option(option, optarg, out->config);
        return next == CLI_CONTINUE ? EX_OK : next == CLI_HELP ? -1 : EX_USAGE;
    }
}

int cli_rules(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, OPTION_JSON},
                                          {"stats", no_argument, NULL, OPTION_STATS},
                                          {"days", required_argument, NULL, OPTION_DAYS},
                                          {"shipped", no_argument, NULL, OPTION_SHIPPED},
                                          {"replace", no_argument, NULL, OPTION_REPLACE},
                                          {"limit", required_argument, NULL, OPTION_LIMIT},
                                          {"rules", required_argument, NULL, 'r'},
                                          {"dry-run", no_argument, NULL, 'n'},
                                          {"note", required_argument, NULL, 'm'},
                                          CLI_COMMON_LONG,
                                          {NULL, 0, NULL, 0}};
    struct options options = {.config = config_sources_new(), .days = 7, .limit = 20};
    int option, status = EX_OK;

    while (status == EX_OK &&
           (option = getopt_long(argc, argv, CLI_COMMON_SHORT "r:nm:j", longs, NULL)) != -1)
        status = take_option(option == 'j' ? OPTION_JSON : option, &options);
    if (status == -1)
        status = cli_help(help);
    else if (status == EX_OK)
        status = run_verb(&options, argc - optind, argv + optind);
    cli_sources_free(&options.files);
    config_sources_free(options.config);
    return status == EX_OK && fflush(stdout) != 0 ? EX_IOERR : status;
}
