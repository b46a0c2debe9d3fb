/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger of migrations: what this program brings against what the database says was applied. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sql_file;

enum ledger_state {
    LEDGER_PENDING, /* brought by the program, not applied */
    LEDGER_APPLIED,
    LEDGER_CHANGED, /* applied from a file with another content */
    LEDGER_UNKNOWN, /* applied, and not known to this program */
};

struct ledger_row {
    int version;
    char *name;                  /* "050_chat_on_booking" */
    const struct sql_file *file; /* NULL if unknown */
    enum ledger_state state;
    bool adopted; /* applied by hand, recorded by `migrate adopt` */
    int64_t applied_us, duration_ms;
};

struct ledger {
    struct ledger_row *rows; /* by version */
    size_t count;
    size_t pending, changed, unknown;
    int newest_known;    /* version of the program's newest migration */
    int compatible_from; /* the database's word on the oldest schema that a program may be made for,
                            INT_MAX if it says nothing */
};

/* clang-format off */
#define LEDGER_INIT {NULL, 0, 0, 0, 0, 0, 0}
/* clang-format on */

/* Reads the database's ledger (a missing one is an empty one) and lays it beside the program's
 * migrations. Changes nothing. Returns NULL, or why not: a string for free(). */
char *ledger_read(PGconn *connection, struct ledger *ledger);
void ledger_deinit(struct ledger *ledger);

/* NULL, or what makes it impossible to migrate further: files that changed after they were
 * applied, a database that a newer program migrated. A string for free(). */
char *ledger_conflict(const struct ledger *ledger);
/* NULL, or why a node must not serve on this database: a conflict, or migrations missing. A newer
 * database is accepted where it says itself that this program may still work with it: its setting
 * `compatible_from` in chatgate_settings. A string for free(). */
char *ledger_obstacle(const struct ledger *ledger);

/* "050_chat_on_booking" -> 50. */
int ledger_version(const char *name);

/* Makes the ledger, where there is none. Returns NULL or why not, as ledger_read. */
char *ledger_create(PGconn *connection);
/* Records a file as applied, within the transaction that is open, if one is. */
char *ledger_record(PGconn *connection, const struct sql_file *file, int64_t duration_ms,
                    bool adopted);
