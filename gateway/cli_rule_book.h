/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: the rules in the database, and a change to them */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/rule_rows.h"

struct config_sources;

struct cli_book {
    PGconn *connection; /* NULL: no database was asked for */
    int64_t version;    /* 0: none was stored */
    struct rule_rows rows;
};

/* Connects to the configuration's database and reads the rules in force. Returns an exit status,
 * having said what is wrong. */
int cli_book_open(struct cli_book *book, const struct config_sources *sources);

/* Reads a version in the place of the one in force (whose number stays). EX_NOINPUT: no such. */
int cli_book_read_version(struct cli_book *book, int64_t version);
void cli_book_close(struct cli_book *book);

/* Says what the server said; returns the exit status for it. */
int cli_book_failed(const struct cli_book *book, const PGresult *result);

/* The rules over the shipped ones; `more` (may be NULL) lies over both. Returns NULL having said
 * where the fault is. */
struct rule_set *cli_book_compile(const struct cli_book *book, const struct rule_layer *more);

struct cli_change {
    bool dry_run, json;
    const char *note;
};

/* Makes `rows`, an array of {"id", "text"}, the rules in force, if that changes anything and they
 * compile, and prints the difference. Returns an exit status; EX_TEMPFAIL: somebody else was
 * faster.
 */
int cli_book_change(struct cli_book *book, struct json_t *rows, const struct cli_change *change);
