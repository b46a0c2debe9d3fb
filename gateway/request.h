/* SPDX-License-Identifier: Apache-2.0 */
/* One client request, whoever brought it, and its answer */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/handle_table.h"
#include "gateway/user.h"
#include "protocol/error_code.h"
#include "protocol/uuid.h"

struct command;
struct json_writer;
struct node;
struct pg_reply;
struct session;

/* The socket and REST meet here: a command is run with a request, and answers it once, now or
 * later, without knowing which of the two it came from. Passed and kept by value: it holds handles,
 * so it stays good when the client is gone, and the answer then goes nowhere. */
struct request {
    struct node *node;
    struct handle session;  /* over the socket; else zero */
    struct handle exchange; /* over REST; else zero */
    struct uuid user;
    enum user_role role;
    bool page;  /* one of pages.h: told of the answer */
    int64_t re; /* protocol/event.h: the request's id, EVENT_BODY over REST, or 0: no answer */
    uint64_t started_us;
};

/* Runs a parsed command: checks the role, then hands it to its own file. The command may be ended
 * by its owner as soon as this returns: what is needed longer is copied. */
void request_run(const struct request *request, const struct command *command);

/* Sends the one object that `json` holds, and resets it. */
void request_reply(const struct request *request, struct json_writer *json);

/* The same for an error object that the caller wrote itself. */
void request_reply_error(const struct request *request, enum error_code code,
                         struct json_writer *json);

/* `reason` is static or NULL; `retry_after_ms` 0 = none. */
void request_fail(const struct request *request, enum error_code code, const char *reason,
                  int64_t retry_after_ms);

/* The same for a database that did not answer PG_OK: unavailable with a hint, or internal. */
void request_fail_database(const struct request *request, const struct pg_reply *reply);

/* The session that asked, if it came over the socket and is still there. */
struct session *request_session(const struct request *request);
