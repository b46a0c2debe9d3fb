/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate config: the settings in force, an example file, the man page's part. */
#include <getopt.h>
#include <stdio.h>

#include "gateway/cli.h"
#include "gateway/config.h"
#include "gateway/config_key.h"
#include "gateway/config_print.h"
#include "gateway/config_source.h"

static const char help[] =
    "chatgate config: print the configuration\n"
    "\n"
    "Usage\n"
    "  chatgate config --show [--json] [OPTION]...\n"
    "  chatgate config --example\n"
    "\n"
    "Options\n"
    "      --show                 every setting in force and where it came from; secrets are ***\n"
    "      --json                 with --show: as one JSON object\n"
    "      --example              a complete INI file with every setting at its default\n"
    "      --man                  the settings as scdoc source, for "
    "chatgate.ini(5)\n" CLI_COMMON_HELP "\n"
    "A setting is looked for in this order; the first that has it wins:\n"
    "  1. --set section.key=value\n"
    "  2. the environment: CHATGATE_SECTION_KEY\n"
    "  3. a file: CHATGATE_SECTION_KEY_FILE=/path, or $CREDENTIALS_DIRECTORY/section.key\n"
    "  4. the INI file\n"
    "  5. the default\n"
    "\n"
    "Examples\n"
    "  chatgate config --example > chatgate.ini\n"
    "  CHATGATE_LISTEN_PORT=9000 chatgate config --show | grep listen\n";

enum { OPTION_SHOW = 256, OPTION_EXAMPLE, OPTION_MAN, OPTION_JSON };

static int show(const struct config_sources *sources, bool json)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    struct config_value values[CONFIG_KEY_COUNT] = {0};
    config_sources_read(sources, values, &errors);
    struct config *config = config_from_values(values, &errors);
    if (config != NULL)
        config_print_show(config, values, json, stdout);
    config_errors_print(&errors, stderr);
    int status = config != NULL ? EX_OK : EX_CONFIG;
    config_unref(config);
    config_values_deinit(values);
    config_errors_deinit(&errors);
    return status;
}

static int run(int what, const struct config_sources *sources, bool json)
{
    switch (what) {
    case OPTION_SHOW:
        return show(sources, json);
    case OPTION_EXAMPLE:
        config_print_example(stdout);
        return EX_OK;
    case OPTION_MAN:
        config_print_man(stdout);
        return EX_OK;
    }
    return cli_usage_error("config", "say --show or --example");
}

static int parse_and_run(int argc, char **argv, struct config_sources *sources)
{
    static const struct option options[] = {{"show", no_argument, NULL, OPTION_SHOW},
                                            {"example", no_argument, NULL, OPTION_EXAMPLE},
                                            {"man", no_argument, NULL, OPTION_MAN},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            CLI_COMMON_LONG,
                                            {NULL, 0, NULL, 0}};
    int what = 0;
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = CLI_CONTINUE;
        if (option == OPTION_JSON)
            json = true;
        else if (option >= OPTION_SHOW)
            what = option;
        else
            next = cli_common_option(option, optarg, sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    if (optind < argc)
        return cli_usage_error("config", "unexpected argument '%s'", argv[optind]);
    return run(what, sources, json);
}

int cli_config(int argc, char **argv)
{
    struct config_sources *sources = config_sources_new();
    int status = parse_and_run(argc, argv, sources);
    config_sources_free(sources);
    return status;
}
