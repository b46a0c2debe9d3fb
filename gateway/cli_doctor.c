/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate doctor: looks at everything that a node needs, and says what to do. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/cli.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/doctor.h"
#include "gateway/xasprintf.h"
#include "protocol/json_writer.h"

static const char help[] =
    "chatgate doctor: look at everything that a node needs, and say what to do\n"
    "\n"
    "Usage\n"
    "  chatgate doctor [OPTION]...\n"
    "\n"
    "Options\n"
    "      --json                 the findings as one JSON object\n" CLI_COMMON_HELP "\n"
    "Looks at the configuration, the keys, the certificate and how long it lives, the limit of\n"
    "open files, Postgres (version, settings, rights, migrations, clock) and Redis. Changes\n"
    "nothing. Ends with 0 if a node can serve, 78 if something must be set right first, 69 if\n"
    "something is away.\n"
    "\n"
    "Examples\n"
    "  chatgate doctor -c chatgate.ini\n"
    "  chatgate doctor --json | jq '.findings[] | select(.level != \"ok\")'\n";

static const struct {
    const char *name, *mark, *color;
} levels[] = {
    [DOCTOR_OK] = {"ok", "ok  ", "\033[32m"},
    [DOCTOR_WARNING] = {"warning", "warn", "\033[33m"},
    [DOCTOR_FAULTY] = {"fault", "FAIL", "\033[31m"},
    [DOCTOR_DOWN] = {"down", "DOWN", "\033[31m"},
};

static void report_json(struct json_writer *json, enum doctor_level level, const char *subject,
                        const char *text, const char *advice)
{
    json_object_begin(json);
    json_add_cstring(json, "level", levels[level].name);
    json_add_cstring(json, "subject", subject);
    json_add_cstring(json, "finding", text);
    json_add_cstring(json, "advice", advice);
    json_object_end(json);
}

void doctor_report(struct doctor *doctor, enum doctor_level level, const char *subject,
                   const char *advice, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    if (level > doctor->worst)
        doctor->worst = level;
    if (doctor->json != NULL) {
        report_json(doctor->json, level, subject, text, advice);
    } else {
        printf("%s%s%s  %-12s %s\n", doctor->colors ? levels[level].color : "", levels[level].mark,
               doctor->colors ? "\033[0m" : "", subject, text);
        if (advice != NULL)
            printf("      %-12s -> %s\n", "", advice);
    }
    free(text);
}

static void examine(struct doctor *doctor)
{
    doctor_check_config(doctor);
    doctor_check_keys(doctor);
    doctor_check_certificate(doctor);
    doctor_check_descriptors(doctor);
    doctor_check_database(doctor);
    doctor_check_redis(doctor);
}

static void examine_as_json(struct doctor *doctor)
{
    struct json_writer json = JSON_WRITER_INIT;
    json_writer_init(&json);
    json_object_begin(&json);
    json_key(&json, "findings");
    json_array_begin(&json);
    doctor->json = &json;
    examine(doctor);
    doctor->json = NULL;
    json_array_end(&json);
    json_add_bool(&json, "ok", doctor->worst <= DOCTOR_WARNING);
    json_object_end(&json);
    puts(json_text(&json));
    json_writer_deinit(&json);
}

static int exit_status(enum doctor_level worst)
{
    switch (worst) {
    case DOCTOR_OK:
    case DOCTOR_WARNING:
        return EX_OK;
    case DOCTOR_FAULTY:
        return EX_CONFIG;
    case DOCTOR_DOWN:
        return EX_UNAVAILABLE;
    }
    return EX_SOFTWARE;
}

static int run(const struct config_sources *sources, bool json)
{
    struct config *config = cli_load_config(sources);
    if (config == NULL)
        return EX_CONFIG;
    struct doctor doctor = {.config = config, .colors = cli_colors(STDOUT_FILENO)};
    if (json)
        examine_as_json(&doctor);
    else
        examine(&doctor);
    config_unref(config);
    return exit_status(doctor.worst);
}

static int parse_and_run(int argc, char **argv, struct config_sources *sources)
{
    enum { OPTION_JSON = 256 };
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON}, CLI_COMMON_LONG, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = CLI_CONTINUE;
        if (option == OPTION_JSON)
            json = true;
        else
            next = cli_common_option(option, optarg, sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    if (optind < argc)
        return cli_usage_error("doctor", "unexpected argument '%s'", argv[optind]);
    return run(sources, json);
}

int cli_doctor(int argc, char **argv)
{
    struct config_sources *sources = config_sources_new();
    int status = parse_and_run(argc, argv, sources);
    config_sources_free(sources);
    return status;
}
