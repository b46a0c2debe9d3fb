/* SPDX-License-Identifier: Apache-2.0 */
/* chatgate version: the program's version, and the libraries it runs with. */
#include <getopt.h>
#include <libpq-fe.h>
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#include "gateway/cli.h"
#include "gateway/version.h"
#include "protocol/json_writer.h"
#include "sql/embedded.h"

static const char help[] =
    "chatgate version: the version of the program, of its protocol and of its libraries\n"
    "\n"
    "Usage\n"
    "  chatgate version [--json]\n"
    "\n"
    "Options\n"
    "      --json   as one JSON object\n"
    "  -h, --help   this text\n";

static void print_json(void)
{
    struct json_writer writer = JSON_WRITER_INIT;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_cstring(&writer, "version", CHATGATE_VERSION);
    json_add_cstring(&writer, "protocol", "chatgate.v1");
    json_add_cstring(&writer, "schema", sql_migrations[sql_migration_count - 1].name);
    json_add_cstring(&writer, "libwebsockets", lws_get_library_version());
    json_add_cstring(&writer, "libuv", uv_version_string());
    json_add_int(&writer, "libpq", PQlibVersion());
    json_add_cstring(&writer, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    json_object_end(&writer);
    printf("%s\n", json_text(&writer));
    json_writer_deinit(&writer);
}

int cli_version(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h')
            return cli_help(help);
        if (option != 'j')
            return EX_USAGE;
        json = true;
    }
    if (json)
        print_json();
    else
        printf("chatgate %s (protocol chatgate.v1, schema %s)\n", CHATGATE_VERSION,
               sql_migrations[sql_migration_count - 1].name);
    return EX_OK;
}
