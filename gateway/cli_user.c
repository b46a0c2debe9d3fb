/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate user: adds users and sets passwords, for installations without a platform around. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli.h"
#include "gateway/cli_database.h"
#include "gateway/cli_secret.h"
#include "gateway/config.h"
#include "gateway/config_source.h"
#include "gateway/password.h"
#include "gateway/user.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"
#include "sql/embedded.h"

static const char help[] =
    "chatgate user: users, where no platform around keeps them\n"
    "\n"
    "Usage\n"
    "  chatgate user add --email E --role R --first-name F --last-name L [OPTION]...\n"
    "  chatgate user passwd --email E [OPTION]...\n"
    "\n"
    "Options\n"
    "  -e, --email EMAIL          the address that signs in\n"
    "  -r, --role ROLE            student, teacher, moderator or admin\n"
    "  -f, --first-name NAME\n"
    "  -l, --last-name NAME\n"
    "      --json                 the result as one JSON object\n" CLI_COMMON_HELP "\n"
    "The password is read from the terminal without showing it, or as one line from standard\n"
    "input; it has 1 to 72 bytes and is stored as a bcrypt hash (auth.bcrypt_cost). `add` changes\n"
    "the user who already has this address. `passwd` ends the tokens issued before.\n"
    "\n"
    "Examples\n"
    "  chatgate user add -c chatgate.ini -e anna@example.com -r teacher -f Anna -l Ivanova\n"
    "  chatgate user passwd -c chatgate.ini -e anna@example.com < password.txt\n";

struct user_options {
    struct config_sources *sources;
    const char *email, *role, *first_name, *last_name;
    bool json;
};

/* Asks twice on a terminal. */
static char *read_password(void)
{
    char *password = cli_secret_read("Password: ", PASSWORD_MAX_BYTES);
    if (password == NULL) {
        cli_complain("no password on standard input, or one of more than %d bytes",
                     PASSWORD_MAX_BYTES);
        return NULL;
    }
    if (!isatty(STDIN_FILENO))
        return password;
    char *again = cli_secret_read("The same again: ", PASSWORD_MAX_BYTES);
    if (again == NULL || strcmp(again, password) != 0) {
        cli_complain("these were two different passwords");
        password = cli_secret_free(password);
    }
    cli_secret_free(again);
    return password;
}

static int read_hash(const struct config *config, char hash[static PASSWORD_HASH_BYTES])
{
    char *password = read_password();
    if (password == NULL)
        return EX_DATAERR;
    int error = password_hash_sync(password, strlen(password), config->auth.bcrypt_cost, hash);
    cli_secret_free(password);
    if (error == 0)
        return EX_OK;
    cli_complain("%s", error == PASSWORD_EMPTY ? "the password is empty"
                                               : "the password cannot be hashed");
    return error == PASSWORD_EMPTY ? EX_DATAERR : EX_SOFTWARE;
}

static void print_user(const struct user_options *options, const char *id, const char *what)
{
    if (!options->json) {
        printf("%s %s (%s)\n", what, options->email, id);
        return;
    }
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_cstring(&writer, "id", id);
    json_add_cstring(&writer, "email", options->email);
    json_add_cstring(&writer, "result", what);
    json_object_end(&writer);
    puts(json_text(&writer));
    json_writer_deinit(&writer);
}

static int database_failed(PGconn *connection)
{
    const char *text = PQerrorMessage(connection);
    cli_complain("%.*s", (int)strcspn(text, "\n"), text);
    return PQstatus(connection) == CONNECTION_OK ? EX_SOFTWARE : EX_UNAVAILABLE;
}

static int add(PGconn *connection, const struct user_options *options, const char *hash)
{
    const char *const values[] = {
        NULL, options->email, options->first_name, options->last_name, options->role, hash};
    PGresult *result =
        PQexecParams(connection, sql_user_upsert.text, 6, NULL, values, NULL, NULL, 0);
    int status = EX_OK;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = database_failed(connection);
    else
        print_user(options, PQgetvalue(result, 0, 0),
                   *PQgetvalue(result, 0, 1) == 't' ? "added" : "changed");
    PQclear(result);
    return status;
}

static int passwd(PGconn *connection, const struct user_options *options, const char *hash)
{
    const char *const values[] = {options->email, hash};
    PGresult *result =
        PQexecParams(connection, sql_user_set_password.text, 2, NULL, values, NULL, NULL, 0);
    int status = EX_OK;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        status = database_failed(connection);
    } else if (PQntuples(result) == 0) {
        cli_complain("nobody has the address %s", options->email);
        status = EX_NOUSER;
    } else {
        print_user(options, PQgetvalue(result, 0, 0), "changed");
    }
    PQclear(result);
    return status;
}

typedef int (*user_action)(PGconn *, const struct user_options *, const char *);

static int run_action(const struct user_options *options, const struct config *config,
                      user_action action)
{
    char hash[PASSWORD_HASH_BYTES];
    PGconn *connection = cli_database_open(config->database.url, "user");
    int status = connection != NULL ? read_hash(config, hash) : EX_UNAVAILABLE;
    if (status == EX_OK)
        status = action(connection, options, hash);
    PQfinish(connection);
    return status;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strpbrk(text, " \t\r\n") == NULL && strlen(text) <= 254 &&
           utf8_valid(text, strlen(text));
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && utf8_valid(text, length) && utf8_count(text, length) <= 100;
}

static int run(const struct user_options *options, int argc, char **argv)
{
    bool adds = argc == 1 && strcmp(argv[0], "add") == 0;
    enum user_role role;
    if (!adds && (argc != 1 || strcmp(argv[0], "passwd") != 0))
        return cli_usage_error("user", "say add or passwd");
    if (options->email == NULL || !is_email(options->email))
        return cli_usage_error("user", "say which address: --email name@host");
    if (adds && (options->role == NULL || !user_role_parse(&role, options->role)))
        return cli_usage_error("user", "add: say --role student, teacher, moderator or admin");
    if (adds && (options->first_name == NULL || !is_name(options->first_name) ||
                 options->last_name == NULL || !is_name(options->last_name)))
        return cli_usage_error("user", "add: say --first-name and --last-name");
    struct config *config = cli_load_config(options->sources);
    if (config == NULL)
        return EX_CONFIG;
    int status = run_action(options, config, adds ? add : passwd);
    config_unref(config);
    return status;
}

static enum cli_next take_option(struct user_options *out, int option)
{
    switch (option) {
    case 'e':
        out->email = optarg;
        return CLI_CONTINUE;
    case 'r':
        out->role = optarg;
        return CLI_CONTINUE;
    case 'f':
        out->first_name = optarg;
        return CLI_CONTINUE;
    case 'l':
        out->last_name = optarg;
        return CLI_CONTINUE;
    case 'j':
        out->json = true;
        return CLI_CONTINUE;
    }
    return cli_common_option(option, optarg, out->sources);
}

static int parse_and_run(int argc, char **argv, struct user_options *out)
{
    static const struct option options[] = {{"email", required_argument, NULL, 'e'},
                                            {"role", required_argument, NULL, 'r'},
                                            {"first-name", required_argument, NULL, 'f'},
                                            {"last-name", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            CLI_COMMON_LONG,
                                            {NULL, 0, NULL, 0}};
    for (int option;
         (option = getopt_long(argc, argv, "e:r:f:l:" CLI_COMMON_SHORT, options, NULL)) != -1;) {
        enum cli_next next = take_option(out, option);
        if (next != CLI_CONTINUE)
            return next == CLI_HELP ? cli_help(help) : EX_USAGE;
    }
    return run(out, argc - optind, argv + optind);
}

int cli_user(int argc, char **argv)
{
    struct user_options options = {.sources = config_sources_new()};
    int status = parse_and_run(argc, argv, &options);
    config_sources_free(options.sources);
    return status;
}
