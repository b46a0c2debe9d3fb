/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: applies what the ledger says is missing, one program at a time. */
#pragma once

#include <libpq-fe.h>
#include <stdint.h>

struct sql_file;

enum migrate_event {
    MIGRATE_WAITING,  /* another program holds the lock; said once */
    MIGRATE_STARTED,  /* a file */
    MIGRATE_RUNNING,  /* every MIGRATE_TICK_MS while it goes on */
    MIGRATE_RETRYING, /* it met a lock; detail says which error */
    MIGRATE_PROGRESS, /* detail is how far it says that it is: a NOTICE of the server */
    MIGRATE_WARNED,   /* detail is a WARNING of the server */
    MIGRATE_APPLIED,
};

enum { MIGRATE_TICK_MS = 5000 };

/* Told as it happens; name is NULL for WAITING, detail NULL where there is none. */
typedef void (*migrate_event_fn)(void *context, enum migrate_event event, const char *name,
                                 const char *detail, int64_t elapsed_ms);

enum migrate_result {
    MIGRATE_OK = 0,
    MIGRATE_CONFLICT,  /* ledger_conflict: nothing was done */
    MIGRATE_BUSY,      /* another program held the lock for too long, or tables stayed locked */
    MIGRATE_FAILED,    /* a file failed: what came before it is applied and recorded */
    MIGRATE_NO_SERVER, /* the connection failed */
};

/* Applies every pending migration in order. Each runs in a transaction of its own together with its
 * row in the ledger, or, where its head says no-transaction, part by part, to be run again whole
 * if one fails. Waits at most 2 s for a lock at a time, so that a queue behind it stays short, and
 * tries again. *error: NULL or a text for free(). */
enum migrate_result migrate_up(PGconn *connection, migrate_event_fn event, void *context,
                               char **error);

/* Records a migration as applied without running it, for what a person applied by hand.
 * MIGRATE_FAILED if it is not pending. */
enum migrate_result migrate_adopt(PGconn *connection, int version, char **error);
