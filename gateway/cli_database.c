/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the synchronous database connection of the verbs. Never used by the daemon. */
#include "gateway/cli_database.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/cli.h"
#include "gateway/redact.h"
#include "gateway/xasprintf.h"

PGconn *cli_database_connect(const char *url, const char *verb, char **error)
{
    char *name = xasprintf("chatgate %s", verb);
    /* The URL comes last and is expanded, so what it says itself wins. */
    const char *const keywords[] = {
        "connect_timeout", "client_encoding", "fallback_application_name",
        "options",         "dbname",          NULL};
    const char *const values[] = {"5", "UTF8", name, "-c TimeZone=UTC", url, NULL};
    PGconn *connection = PQconnectdbParams(keywords, values, 1);
    free(name);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    char *shown = redact_url(url);
    const char *reason = PQerrorMessage(connection);
    *error = xasprintf("cannot reach the database (database.url = %s): %.*s", shown,
                       (int)strcspn(reason, "\n"), reason);
    free(shown);
    PQfinish(connection);
    return NULL;
}

PGconn *cli_database_open(const char *url, const char *verb)
{
    char *error = NULL;
    PGconn *connection = cli_database_connect(url, verb, &error);
    if (connection == NULL)
        cli_complain("%s", error);
    free(error);
    return connection;
}
