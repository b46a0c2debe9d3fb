/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the synchronous database connection of the verbs. Never used by the daemon. */
#pragma once

#include <libpq-fe.h>

/* Connects to a libpq connection string or URL, in 5 s at most, with UTF-8, UTC and the
 * application_name "chatgate VERB". Returns a connection for PQfinish; or NULL, and why in *error,
 * without the password: a string for free(). */
PGconn *cli_database_connect(const char *url, const char *verb, char **error);

/* The same, saying why on standard error (exit EX_UNAVAILABLE). */
PGconn *cli_database_open(const char *url, const char *verb);
