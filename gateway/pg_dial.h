/* SPDX-License-Identifier: Apache-2.0 */
/* From a conninfo to a configured session, without blocking. */
#pragma once

#include <libpq-fe.h>
#include <uv.h>

struct pg_conn_options;
struct pg_dial;
struct pg_history;

/* `pg`: a non-blocking, idle connection, the caller's now, and the history of its server; or NULL,
 * and `error` says why, with nothing secret in it. */
typedef void (*pg_dial_fn)(void *context, PGconn *pg, const struct pg_history *history,
                           const char *error);

/* `options` are complete and borrowed for the dialler's life. */
struct pg_dial *pg_dial_new(uv_loop_t *loop, const struct pg_conn_options *options, pg_dial_fn done,
                            void *context);
struct pg_dial *pg_dial_free(struct pg_dial *dial);

/* Begins a try at all hosts, each time with another of them first: one that says nothing takes all
 * the time of its try, and a left primary that stands first would be found for ever. done()
 * comes once, possibly at once, unless it is cancelled. There is no limit of time here: who started
 * it stops it. */
void pg_dial_start(struct pg_dial *dial);
void pg_dial_cancel(struct pg_dial *dial);
