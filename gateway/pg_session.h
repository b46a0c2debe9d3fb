/* SPDX-License-Identifier: Apache-2.0 */
/* A new session's settings, before it may be used. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct pg_conn_options;
struct pg_history;

enum pg_session_step {
    PG_SESSION_WANT_READ,
    PG_SESSION_WANT_WRITE, /* or read */
    PG_SESSION_DONE,
    PG_SESSION_FAILED,
};

/* Makes `pg` non-blocking and sends it the settings. False: see PQerrorMessage(). */
bool pg_session_start(PGconn *pg, const struct pg_conn_options *options);

/* Goes on when the socket is ready, until DONE (`history` is what the server says of itself) or
 * FAILED (`error` says why). */
enum pg_session_step pg_session_poll(PGconn *pg, struct pg_history *history, char *error,
                                     size_t error_bytes);
