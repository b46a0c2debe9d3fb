/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: a table of verbs, and what they share. */

/* One verb is one file, cli_VERB.c, and one row of the table here; a verb knows nothing of the
 * others. What people type first must teach: `chatgate` alone lists the verbs, `chatgate help
 * VERB` shows a verb's options with examples, and a misspelt verb is answered with the nearest. */
#include "gateway/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/edit_distance.h"
#include "gateway/xasprintf.h"

static int cli_help_verb(int argc, char **argv);

static const struct cli_verb verbs[] = {
    {"serve", "run a gateway node", cli_serve},
    {"migrate", "bring the database up to date, or say what is missing", cli_migrate},
    {"check-config", "say whether a node could serve with this configuration", cli_check_config},
    {"config", "print the settings in force, or an example file", cli_config},
    {"doctor", "look at everything that a node needs, and say what to do", cli_doctor},
    {"verify", "say whether bookings make chat rooms, and count the missing", cli_verify},
    {"backfill", "make the chat rooms that are missing", cli_backfill},
    {"moderation", "try the moderation rules on texts and files", cli_moderation},
    {"token", "mint or verify an access token", cli_token},
    {"user", "add a user, or set a password", cli_user},
    {"version", "print the version", cli_version},
    {"help", "explain a verb", cli_help_verb},
    {NULL, NULL, NULL},
};

static const struct cli_verb *find_verb(const char *name)
{
    for (const struct cli_verb *verb = verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static void print_overview(FILE *out)
{
    bool colors = cli_colors(fileno(out));
    const char *bold = colors ? "\033[1m" : "", *plain = colors ? "\033[0m" : "";
    fprintf(out,
            "%schatgate%s: a moderated real-time chat gateway\n\n"
            "%sUsage%s\n  chatgate VERB [OPTION]...\n\n%sVerbs%s\n",
            bold, plain, bold, plain, bold, plain);
    for (const struct cli_verb *verb = verbs; verb->name != NULL; verb++)
        fprintf(out, "  %-14s %s\n", verb->name, verb->summary);
    fprintf(out,
            "\n%sFirst steps%s\n"
            "  chatgate config --example > chatgate.ini   write a configuration, then edit it\n"
            "  chatgate migrate up -c chatgate.ini        make or update the tables\n"
            "  chatgate doctor -c chatgate.ini            see whether all is well\n"
            "  chatgate serve -c chatgate.ini             run it\n\n"
            "`chatgate help VERB` explains a verb. Exit statuses are those of sysexits.h: 64 "
            "usage,\n69 something needed is down, 70 a bug, 78 configuration.\n",
            bold, plain);
}

static int run_verb(const struct cli_verb *verb, int argc, char **argv)
{
    char *name = xasprintf("chatgate %s", verb->name);
    argv[0] = name;
    optind = 0; /* glibc: start afresh */
    int status = verb->run(argc, argv);
    free(name);
    return status;
}

static int unknown_verb(const char *name)
{
    const struct cli_verb *nearest = NULL;
    size_t least = 3;
    for (const struct cli_verb *verb = verbs; verb->name != NULL; verb++) {
        size_t distance = edit_distance(verb->name, name);
        if (distance < least) {
            least = distance;
            nearest = verb;
        }
    }
    if (nearest != NULL)
        cli_complain("there is no verb '%s'; did you mean '%s'?", name, nearest->name);
    else
        cli_complain("there is no verb '%s'; `chatgate help` lists them", name);
    return EX_USAGE;
}

static int cli_help_verb(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        print_overview(stdout);
        return EX_OK;
    }
    const struct cli_verb *verb = find_verb(argv[1]);
    if (verb == NULL)
        return unknown_verb(argv[1]);
    char help[] = "--help";
    char *arguments[] = {NULL, help, NULL};
    return run_verb(verb, 2, arguments);
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EX_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    const struct cli_verb *verb = find_verb(name);
    if (verb == NULL)
        return unknown_verb(name);
    return run_verb(verb, argc - 1, argv + 1);
}

int cli_main(int argc, char **argv)
{
    int status = run_command(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_complain("cannot write to standard output: %s", strerror(errno));
        return status != EX_OK ? status : EX_IOERR;
    }
    return status;
}

/* What the verbs share */

enum cli_next cli_common_option(int option, const char *argument, struct config_sources *sources)
{
    if (option == 'h')
        return CLI_HELP;
    if (option == 'c') {
        config_sources_set_path(sources, argument);
        return CLI_CONTINUE;
    }
    if (option != 's')
        return CLI_USAGE; /* getopt_long has said what is wrong */
    struct config_errors errors = CONFIG_ERRORS_INIT;
    bool taken = config_sources_set(sources, argument, &errors);
    config_errors_print(&errors, stderr);
    config_errors_deinit(&errors);
    return taken ? CLI_CONTINUE : CLI_USAGE;
}

enum cli_next cli_set_option(struct config_sources *sources, const char *path, const char *argument)
{
    char *assignment = xasprintf("%s=%s", path, argument);
    enum cli_next next = cli_common_option('s', assignment, sources);
    free(assignment);
    return next;
}

struct config *cli_load_config(const struct config_sources *sources)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    struct config *config = config_load(sources, &errors);
    config_errors_print(&errors, stderr);
    config_errors_deinit(&errors);
    return config;
}

int cli_help(const char *text)
{
    fputs(text, stdout);
    return EX_OK;
}

int cli_usage_error(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "chatgate %s: ", verb);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nSee `chatgate help %s`.\n", verb);
    va_end(arguments);
    return EX_USAGE;
}

void cli_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("chatgate: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

bool cli_colors(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(fd) && (no_color == NULL || *no_color == '\0');
}
