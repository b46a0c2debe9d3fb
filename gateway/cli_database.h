/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the synchronous database connection of the verbs. Never used by the daemon. */
#ifndef GATEWAY_CLI_DATABASE_H
#define GATEWAY_CLI_DATABASE_H

#include <libpq-fe.h>

/* Connects to a libpq connection string or URL, in 5 s at most, UTC, application_name
 * "chatgate VERB". Returns a connection for PQfinish, or NULL after saying why on standard error,
 * without the password (exit EX_UNAVAILABLE). */
PGconn *cli_database_open(const char *url, const char *verb);

#endif
