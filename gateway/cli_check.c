/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate moderation check: try the engine from the command line
 *
 * It answers the question that everybody has about a filter: what does it say to this? It is
 * also how the engine is scored: with --jsonl it reads rows and writes predictions, and needs
 * neither a database nor a running node.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "gateway/cli.h"
#include "gateway/cli_moderation.h"
#include "gateway/cli_sources.h"
#include "moderation/explain.h"
#include "moderation/rule_set.h"
#include "moderation/screen.h"
#include "protocol/xalloc.h"

static const char help[] =
    "chatgate moderation check: what do the rules say to this?\n"
    "\n"
    "Usage\n"
    "  chatgate moderation check [OPTION]... TEXT...\n"
    "  chatgate moderation check [OPTION]... - < TEXT\n"
    "  chatgate moderation check --jsonl|--sequences [OPTION]... < ROWS > PREDICTIONS\n"
    "\n"
    "Screens texts as a node would, with the shipped rules, and says how each was read and what "
    "it\n"
    "matched; needs neither a database nor a node. \"-\" is standard input, one text.\n"
    "\n"
    "Options\n"
    "  -r, --rules FILE           rules in place of the shipped ones (may be repeated)\n"
    "  -j, --json                 one JSON object a text\n"
    "      --jsonl                rows {\"id\", \"text\"} to {\"id\", \"labels\", \"verdict\", "
    "\"us\"}\n"
    "      --sequences            rows {\"id\", \"messages\"}, each message a text or\n"
    "                             {\"from\", \"text\", \"t_ms\"}, fed in order\n"
    "  -h, --help                 this text\n"
    "\n"
    "Ends with 0 whatever the verdict; 64 for wrong usage, 65 for a bad text, row or rule, 66 if "
    "a\n"
    "file can't be read.\n"
    "\n"
    "Examples\n"
    "  chatgate moderation check 'call me 8 (912) 345-67-89'\n"
    "  chatgate moderation check --json - < letter.txt | jq -r .verdict\n"
    "  chatgate moderation check --rules new.rules 'some text'\n";

/* What a command works with. */
struct session {
    struct rule_set *rules;
    struct screener *screener;
};

static int session_open(struct session *session, const struct cli_sources *sources)
{
    struct rule_error error;

    session->rules = sources->count ? rule_set_compile(sources->items, sources->count, 1, &error)
                                    : rule_set_default(1, &error);
    if (!session->rules)
        return cli_rule_error(&error);
    session->screener = screener_new();
    return EX_OK;
}

static void session_close(struct session *session)
{
    screener_free(session->screener);
    rule_set_unref(session->rules);
}

/* ---- output ---- */

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The labels of matches that act; each once. */
static void add_labels(json_t *labels, const struct screen_result *result)
{
    for (size_t i = 0; i < result->match_count; i++) {
        const struct screen_match *match = &result->matches[i];
        size_t have = 0;

        if (match->shadow || match->action == RULE_FLAG)
            continue;
        while (have < json_array_size(labels) &&
               strcmp(json_string_value(json_array_get(labels, have)), match->label) != 0)
            have++;
        if (have == json_array_size(labels))
            json_array_append_new(labels, json_string(match->label));
    }
}

static void print_object(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));

    puts(text);
    free(text);
    json_decref(object);
}

static json_t *match_object(const struct screen_match *match, const char *text)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:[i,i], s:s%}", "rule", match->rule, "label",
                     match->label, "reason", match->reason, "action",
                     match->action == RULE_BLOCK  ? "block"
                     : match->action == RULE_HOLD ? "hold"
                                                  : "flag",
                     "severity", (int)match->severity, "bytes", (int)match->from, (int)match->to,
                     "text", text + match->from, (size_t)(match->to - match->from));
}

static void print_json(const struct screen_result *result, const char *text)
{
    json_t *matches = json_array(), *labels = json_array();

    add_labels(labels, result);
    for (size_t i = 0; i < result->match_count; i++)
        json_array_append_new(matches, match_object(&result->matches[i], text));
    print_object(json_pack("{s:s, s:s?, s:o, s:o}", "verdict", screen_verdict_name(result->verdict),
                           "reason", result->reason, "labels", labels, "matches", matches));
}

static void print_view(void *context, const char *name, const char *text)
{
    (void)context;
    printf("  read as %-9s %s\n", name, text);
}

static void print_match(const struct screen_match *match, const char *text)
{
    static const char *const actions[] = {"flag", "hold", "block"};

    printf("  %-28s %-15s %-6s severity %d  \"%.*s\"\n", match->rule, match->label,
           match->shadow ? "shadow" : actions[match->action], match->severity,
           (int)(match->to - match->from), text + match->from);
}

static void print_plain(const struct session *session, const struct screen_result *result,
                        const char *text)
{
    printf("%s%s%s\n", screen_verdict_name(result->verdict), result->reason ? "  " : "",
           result->reason ? result->reason : "");
    for (size_t i = 0; i < result->match_count; i++)
        print_match(&result->matches[i], text);
    screener_explain(session->screener, print_view, NULL);
}

/* ---- check ---- */

static int check_text(struct session *session, const char *text, size_t length, bool json)
{
    struct screen_input input = {.text = text, .length = length};
    struct screen_result result;

    if (screener_run(session->screener, session->rules, &input, &result) != 0) {
        cli_complain("the text is not UTF-8, or longer than %d bytes", SCREEN_TEXT_BYTES_MAX);
        return EX_DATAERR;
    }
    if (json)
        print_json(&result, text);
    else
        print_plain(session, &result, text);
    return EX_OK;
}

/* "-": standard input is the text, without the newline that ends it. */
static int check_argument(struct session *session, const char *argument, bool json)
{
    static char text[SCREEN_TEXT_BYTES_MAX + 2];

    if (strcmp(argument, "-") != 0)
        return check_text(session, argument, strlen(argument), json);
    size_t length = fread(text, 1, sizeof(text), stdin);
    if (ferror(stdin)) {
        cli_complain("standard input can't be read");
        return EX_NOINPUT;
    }
    if (length > 0 && text[length - 1] == '\n')
        length--;
    return check_text(session, text, length, json);
}

/* A row's id goes back as it came, whatever its type. */
static json_t *prediction(const json_t *row, json_t *labels, enum screen_verdict verdict, double us)
{
    json_t *id = json_object_get(row, "id");

    return json_pack("{s:O?, s:o, s:s, s:f}", "id", id, "labels", labels, "verdict",
                     screen_verdict_name(verdict), "us", us);
}

static bool check_row(struct session *session, const json_t *row)
{
    const char *text = json_string_value(json_object_get(row, "text"));
    struct screen_result result;
    json_t *labels = json_array();

    if (!text)
        return json_decref(labels), false;
    struct screen_input input = {.text = text,
                                 .length = json_string_length(json_object_get(row, "text"))};
    double start = now_us();
    screener_run(session->screener, session->rules, &input, &result);
    double us = now_us() - start;
    add_labels(labels, &result);
    print_object(prediction(row, labels, result.verdict, us));
    return true;
}

/* The windows of the senders in one conversation. */
struct window {
    const char *from;
    struct screen_trace traces[SCREEN_WINDOW_MAX];
    size_t count;
};

enum { SENDERS_MAX = 8 };

static struct window *find_window(struct window windows[SENDERS_MAX], const char *from)
{
    size_t i = 0;

    while (i < SENDERS_MAX - 1 && windows[i].from && strcmp(windows[i].from, from) != 0)
        i++;
    windows[i].from = from;
    return &windows[i];
}

static void push_trace(struct window *window, const struct screen_trace *trace)
{
    if (window->count == SCREEN_WINDOW_MAX) {
        memmove(window->traces, window->traces + 1,
                (SCREEN_WINDOW_MAX - 1) * sizeof(window->traces[0]));
        window->count--;
    }
    window->traces[window->count++] = *trace;
}

/* A message is its text, or an object that says more. */
static const json_t *message_text(const json_t *message)
{
    return json_is_string(message) ? message : json_object_get(message, "text");
}

static bool are_messages(const json_t *messages)
{
    for (size_t i = 0; i < json_array_size(messages); i++) {
        if (!json_is_string(message_text(json_array_get(messages, i))))
            return false;
    }
    return json_is_array(messages);
}

static bool check_sequence(struct session *session, const json_t *row)
{
    const json_t *messages = json_object_get(row, "messages");
    struct window windows[SENDERS_MAX] = {{0}};
    enum screen_verdict worst = SCREEN_DELIVER;

    if (!are_messages(messages))
        return false;
    json_t *labels = json_array();
    double start = now_us();
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        const char *from = json_string_value(json_object_get(message, "from"));
        const json_t *text = message_text(message);
        const json_t *t_ms = json_object_get(message, "t_ms");
        struct window *window = find_window(windows, from ? from : "");
        struct screen_input input = {
            .text = json_string_value(text),
            .length = json_string_length(text),
            .at_ms = json_is_integer(t_ms) ? 1 + json_integer_value(t_ms) : 0,
            .earlier = window->traces,
            .earlier_count = window->count,
        };
        struct screen_result result;

        screener_run(session->screener, session->rules, &input, &result);
        add_labels(labels, &result);
        worst = result.verdict > worst ? result.verdict : worst;
        push_trace(window, &result.trace);
    }
    print_object(prediction(row, labels, worst, now_us() - start));
    return true;
}

static int check_rows(struct session *session,
                      bool (*check)(struct session *session, const json_t *row))
{
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t length;
    int status = EX_OK;

    while (status == EX_OK && (length = getline(&line, &room, stdin)) > 0) {
        json_t *row = json_loadb(line, (size_t)length, JSON_ALLOW_NUL, NULL);

        number++;
        if (!json_is_object(row) || !check(session, row)) {
            fprintf(stderr, "chatgate moderation check: line %zu is not a row {\"id\", \"%s\"}\n",
                    number, check == check_sequence ? "messages" : "text");
            status = EX_DATAERR;
        }
        json_decref(row);
    }
    free(line);
    return status;
}

/* ---- the verb ---- */

struct options {
    struct cli_sources sources;
    bool json, jsonl, sequences;
};

static int run_check(int argc, char **argv, const struct options *options)
{
    struct session session = {0};
    int status = session_open(&session, &options->sources);

    if (status == EX_OK && options->sequences)
        status = check_rows(&session, check_sequence);
    else if (status == EX_OK && options->jsonl)
        status = check_rows(&session, check_row);
    else if (status == EX_OK && argc == 0)
        status = cli_usage_error("moderation check", "needs a TEXT, --jsonl or --sequences");
    for (int i = 0; status == EX_OK && i < argc; i++)
        status = check_argument(&session, argv[i], options->json);
    session_close(&session);
    return status;
}

/* Returns EX_OK to go on, -1 after --help, or an exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"rules", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
        {"jsonl", no_argument, NULL, 'l'},       {"sequences", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    int option, status = EX_OK;

    while (status == EX_OK && (option = getopt_long(argc, argv, "r:jh", longs, NULL)) != -1) {
        switch (option) {
        case 'r':
            status = cli_sources_add(&options->sources, optarg);
            break;
        case 'j':
            options->json = true;
            break;
        case 'l':
            options->jsonl = true;
            break;
        case 'q':
            options->sequences = true;
            break;
        case 'h':
            fputs(help, stdout);
            return -1;
        default:
            return cli_usage_error("moderation check", "see the options that it has");
        }
    }
    return status;
}

int cli_check(int argc, char **argv)
{
    struct options options = {.json = false};
    int status = read_options(argc, argv, &options);

    if (status == EX_OK)
        status = run_check(argc - optind, argv + optind, &options);
    cli_sources_free(&options.sources);
    if (status != -1 && fflush(stdout) != 0)
        return EX_IOERR;
    return status == -1 ? EX_OK : status;
}
