/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: a table of verbs, and what they share. */
#pragma once

#include <stdbool.h>
#include <sysexits.h>

struct config;
struct config_sources;

/* A verb gets argv[0] = "chatgate VERB", parses its own options by getopt_long, answers --help
 * itself, and returns an exit status: EX_OK 0, EX_USAGE 64, EX_DATAERR 65, EX_UNAVAILABLE 69 (a
 * dependency is down), EX_SOFTWARE 70, EX_CONFIG 78. */
struct cli_verb {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

int cli_main(int argc, char **argv);

int cli_backfill(int argc, char **argv);
int cli_check_config(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_moderation(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_version(int argc, char **argv);

/* Options of every verb that has a configuration; a verb puts the first two macros into its own
 * lists for getopt_long, and hands what it does not know itself to cli_common_option. */
/* clang-format off */
#define CLI_COMMON_SHORT "c:s:h"
#define CLI_COMMON_LONG                                                                            \
    {"config", required_argument, NULL, 'c'},                                                      \
    {"set", required_argument, NULL, 's'},                                                         \
    {"help", no_argument, NULL, 'h'}
#define CLI_COMMON_HELP                                                                            \
    "  -c, --config FILE          INI file (default /etc/chatgate/chatgate.ini, if it exists)\n"   \
    "  -s, --set SECTION.KEY=VAL  set one key, over the environment and the file\n"                \
    "  -h, --help                 this text\n"
/* clang-format on */

enum cli_next {
    CLI_CONTINUE, /* option taken, go on */
    CLI_HELP,     /* -h: print the help and return EX_OK */
    CLI_USAGE,    /* wrong, and said so on standard error: return EX_USAGE */
};
enum cli_next cli_common_option(int option, const char *argument, struct config_sources *sources);
/* As --set SECTION.KEY=argument, for an option of its own that stands for one key. */
enum cli_next cli_set_option(struct config_sources *sources, const char *path,
                             const char *argument);

/* Loads the configuration; on failure prints what is wrong and returns NULL (exit EX_CONFIG). */
struct config *cli_load_config(const struct config_sources *sources);

/* Prints a verb's help on standard output; returns EX_OK. */
int cli_help(const char *text);
/* "chatgate VERB: message", and where help is, on standard error; returns EX_USAGE. */
int cli_usage_error(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "chatgate: message" on standard error. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether to write colours to this file descriptor: a terminal, and NO_COLOR not set. */
bool cli_colors(int fd);
