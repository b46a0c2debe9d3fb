/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate serve: runs a gateway node. */
#include <getopt.h>
#include <libpq-fe.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/gateway.h"
#include "gateway/ledger.h"
#include "gateway/log.h"

enum {
    LARGE_BLOCK_BYTES = 256 << 10,
    SPARE_MEMORY_BYTES = 1 << 20,
};

static const char help[] =
    "chatgate serve: run a gateway node in the foreground\n"
    "\n"
    "Usage\n"
    "  chatgate serve [OPTION]...\n"
    "\n"
    "Options\n"
    "  -a, --address ADDRESS      listen.address\n"
    "  -p, --port PORT            listen.port; 0 takes any free one\n"
    "      --admin-port PORT      listen.admin_port\n"
    "  -n, --name NAME            node.name\n"
    "  -l, --log-level LEVEL      log.level: error, warning, notice, info or "
    "debug\n" CLI_COMMON_HELP "\n"
    "Signals\n"
    "  SIGTERM, SIGINT   drain: stop accepting, close connections over drain.window_s, end\n"
    "  SIGHUP            read the configuration, keys and certificate again; a faulty one is\n"
    "                    refused whole, and the old one stays in force\n"
    "\n"
    "Ends with 78 if the configuration is faulty or migrations are missing, 69 if it cannot start\n"
    "for want of something else. A database that is away is no reason to end: the node is not\n"
    "ready (see /readyz), and tries again.\n"
    "\n"
    "Examples\n"
    "  chatgate serve -c chatgate.ini\n"
    "  chatgate serve -c chatgate.ini -p 8081 --admin-port 9091 -n node2 -l debug\n";

/* A node on the wrong tables would do harm; a node without a database only waits. */
static int check_schema(const struct config *config)
{
    char *error = NULL;
    PGconn *connection = cli_database_connect(config->database.url, "serve", &error);
    if (connection == NULL) {
        log_warning("the database is away", LOG_STR("reason", error));
        free(error);
        return EX_OK;
    }
    struct ledger ledger = LEDGER_INIT;
    char *obstacle = ledger_read(connection, &ledger);
    if (obstacle == NULL)
        obstacle = ledger_obstacle(&ledger);
    if (obstacle != NULL)
        log_error("the database does not fit this program", LOG_STR("reason", obstacle));
    int status = obstacle == NULL ? EX_OK : EX_CONFIG;
    free(obstacle);
    ledger_deinit(&ledger);
    PQfinish(connection);
    return status;
}

/* From the first large block that is freed, 20 MB of compiling rules, the C library learns to keep
 * twice as much for ever. Fixed limits give back what sweeps and bursts of connections took. */
static void return_free_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, SPARE_MEMORY_BYTES);
}

static int serve(const struct config_sources *sources, struct config *config)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    bool good = config_check(config, &errors);
    config_errors_print(&errors, stderr);
    config_errors_deinit(&errors);
    if (!good)
        return EX_CONFIG;
    return_free_memory();
    log_open(log_format_parse(config->log.format));
    log_set_level(log_level_parse(config->log.level));
    int status = check_schema(config);
    return status == EX_OK ? gateway_run(sources, config) : status;
}

static const char *path_of(int option)
{
    switch (option) {
    case 'a':
        return "listen.address";
    case 'p':
        return "listen.port";
    case 'P':
        return "listen.admin_port";
    case 'n':
        return "node.name";
    case 'l':
        return "log.level";
    }
    return NULL;
}

static int parse_and_run(int argc, char **argv, struct config_sources *sources)
{
    static const struct option options[] = {{"address", required_argument, NULL, 'a'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"admin-port", required_argument, NULL, 'P'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"log-level", required_argument, NULL, 'l'},
                                            CLI_COMMON_LONG,
                                            {NULL, 0, NULL, 0}};
    for (int option;
         (option = getopt_long(argc, argv, "a:p:n:l:" CLI_COMMON_SHORT, options, NULL)) != -1;) {
        const char *path = path_of(option);
        enum cli_next next = path != NULL ? cli_set_option(sources, path, optarg)
                                          : cli_common_option(option, optarg, sources);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    if (optind < argc)
        return cli_usage_error("serve", "unexpected argument '%s'", argv[optind]);
    struct config *config = cli_load_config(sources);
    if (config == NULL)
        return EX_CONFIG;
    int status = serve(sources, config);
    config_unref(config);
    return status;
}

int cli_serve(int argc, char **argv)
{
    struct config_sources *sources = config_sources_new();
    int status = parse_and_run(argc, argv, sources);
    config_sources_free(sources);
    return status;
}
