/* SPDX-License-Identifier: Apache-2.0 */
/* A new session's settings, before it may be used.
 *
 * One simple query of several statements, rather than the startup packet's `options`: it leaves an
 * operator's options alone, its errors are plain, and LISTEN fits in.
 *
 * synchronous_commit is what our promise "committed at ack" rests on, so a laxer default of the
 * database is raised to on, while a stricter one (remote_apply) stays. The parameters of a failing
 * statement stay out of the server's log. jit costs more than it gives for statements of a
 * millisecond. A transaction that we forget open would hold rooms' locks: the server ends it.
 *
 * A node that is cut off in the middle of a batch leaves its rooms locked too, and no timeout runs
 * between a statement's end and the Sync: the server finds out by keepalives, in 11 s instead of
 * the kernel's two hours. (On a Unix socket these settings do nothing.)
 *
 * Last, the server says which history of the database it has (pg_fence). On a standby that fails,
 * and so does the connection: libpq looks for a primary by itself (target_session_attrs), unless an
 * operator's conninfo tells it otherwise.
 */

#include "gateway/pg_session.h"

#include "gateway/pg_conn.h"
#include "gateway/pg_fence.h"
#include "protocol/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char settings_format[] =
    "SET statement_timeout = %u;"
    "SET lock_timeout = %u;"
    "SET idle_in_transaction_session_timeout = %u;"
    "SET tcp_keepalives_idle = 5;"
    "SET tcp_keepalives_interval = 2;"
    "SET tcp_keepalives_count = 3;"
    "SET tcp_user_timeout = 10000;"
    "SET default_transaction_isolation = 'read committed';"
    "SET client_min_messages = warning;"
    "SET log_parameter_max_length_on_error = 0;"
    "SET jit = off;"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');";

static const char history_query[] = "SELECT system_identifier::text AS chatgate_system,"
                                    " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
                                    " FROM pg_control_system();";

static void write_listen(FILE *sql, PGconn *pg, const char *const *channels)
{
    for (; *channels; channels++) {
        char *quoted = PQescapeIdentifier(pg, *channels, strlen(*channels));

        fprintf(sql, "LISTEN %s;", quoted ? quoted : "");
        PQfreemem(quoted);
    }
}

static char *make_settings(PGconn *pg, const struct pg_conn_options *options)
{
    char *text = NULL;
    size_t length = 0;
    FILE *sql = open_memstream(&text, &length);

    if (!sql)
        return NULL;
    fprintf(sql, settings_format, options->statement_timeout_ms, options->lock_timeout_ms,
            2 * options->statement_timeout_ms);
    fprintf(sql, "%s;", options->settings);
    write_listen(sql, pg, options->listen);
    fputs(history_query, sql);
    if (fclose(sql) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool pg_session_start(PGconn *pg, const struct pg_conn_options *options)
{
    char *settings = make_settings(pg, options);
    bool sent = settings && PQsetnonblocking(pg, 1) == 0 && PQsendQuery(pg, settings) == 1;

    free(settings);
    return sent;
}

static bool read_history(const PGresult *result, struct pg_history *history)
{
    return PQntuples(result) == 1 && PQnfields(result) == 2 &&
           pg_history_parse(history, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
}

/* Takes the results that are there. */
static enum pg_session_step take_results(PGconn *pg, struct pg_history *history, char *error,
                                         size_t error_bytes)
{
    while (!PQisBusy(pg)) {
        PGresult *result = PQgetResult(pg);
        ExecStatusType status = PQresultStatus(result);

        if (!result)
            return PG_SESSION_DONE;
        if (status == PGRES_FATAL_ERROR) {
            snprintf(error, error_bytes, "session settings: %s", PQresultErrorMessage(result));
            PQclear(result);
            return PG_SESSION_FAILED;
        }
        if (PQfnumber(result, "chatgate_system") == 0 && !read_history(result, history)) {
            snprintf(error, error_bytes, "the server's history can't be read");
            PQclear(result);
            return PG_SESSION_FAILED;
        }
        PQclear(result);
    }
    return PG_SESSION_WANT_READ;
}

enum pg_session_step pg_session_poll(PGconn *pg, struct pg_history *history, char *error,
                                     size_t error_bytes)
{
    int left = PQflush(pg);

    if (left < 0 || PQconsumeInput(pg) != 1) {
        snprintf(error, error_bytes, "%s", PQerrorMessage(pg));
        return PG_SESSION_FAILED;
    }
    if (left > 0)
        return PG_SESSION_WANT_WRITE;
    return take_results(pg, history, error, error_bytes);
}
