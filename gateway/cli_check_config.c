/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate check-config: says whether a node could serve with this configuration. */
#include <getopt.h>
#include <stdio.h>

#include "gateway/cli.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "protocol/json_writer.h"

static const char help[] =
    "chatgate check-config: say whether a node could serve with this configuration\n"
    "\n"
    "Usage\n"
    "  chatgate check-config [OPTION]...\n"
    "\n"
    "Options\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "Reads every source, the keys and the certificate, and reports all faults at once; reaches "
    "for\n"
    "no database (`chatgate doctor` does). Ends with 0, or 78 if anything is wrong. Run it before\n"
    "a reload: a node that is told to reload a faulty configuration keeps the one it has.\n"
    "\n"
    "Example\n"
    "  chatgate check-config -c chatgate.ini && systemctl reload chatgate\n";

static void print_json(const struct config_errors *errors)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_bool(&writer, "ok", errors->count == 0);
    json_key(&writer, "errors");
    json_array_begin(&writer);
    for (size_t i = 0; i < errors->count; i++)
        json_put_cstring(&writer, errors->lines[i]);
    json_array_end(&writer);
    json_object_end(&writer);
    printf("%s\n", json_text(&writer));
    json_writer_deinit(&writer);
}

static int run(const struct config_sources *sources, bool json)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    struct config *config = config_load(sources, &errors);
    bool good = config != NULL && config_check(config, &errors);
    if (json)
        print_json(&errors);
    else if (good)
        puts("the configuration is good");
    else
        config_errors_print(&errors, stderr);
    config_unref(config);
    config_errors_deinit(&errors);
    return good ? EX_OK : EX_CONFIG;
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
        return cli_usage_error("check-config", "unexpected argument '%s'", argv[optind]);
    return run(sources, json);
}

int cli_check_config(int argc, char **argv)
{
    struct config_sources *sources = config_sources_new();
    int status = parse_and_run(argc, argv, sources);
    config_sources_free(sources);
    return status;
}
