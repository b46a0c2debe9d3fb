/* SPDX-License-Identifier: Apache-2.0 */
/* Where to connect to: a conninfo whose host names are looked up off the loop. */
#pragma once

#include <libpq-fe.h>
#include <uv.h>

struct pg_target;

/* `conninfo` and `application_name` are borrowed for the target's life. */
struct pg_target *pg_target_new(uv_loop_t *loop, const char *conninfo,
                                const char *application_name);
struct pg_target *pg_target_free(struct pg_target *target);

/* `error`: NULL, or why no host could be resolved. */
typedef void (*pg_target_fn)(void *context, const char *error);

/* Looks the names up anew. 0: there are none, go on at once. 1: `done` will be called. */
int pg_target_resolve(struct pg_target *target, pg_target_fn done, void *context);

/* The callback of a lookup under way, if there is one, won't come. */
void pg_target_cancel(struct pg_target *target);

/* Begins to connect to what was resolved; as PQconnectStartParams(). */
PGconn *pg_target_connect(const struct pg_target *target);
