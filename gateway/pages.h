/* SPDX-License-Identifier: Apache-2.0 */
/* A session's requests for pages, whose answers are large: one at a time */
#pragma once

#include <stdbool.h>

#include "protocol/command.h"
#include "protocol/list.h"

struct session;

/* Embedded in the session. */
struct pages {
    struct list_node waiting; /* struct page in pages.c */
    unsigned count;           /* of them */
    bool running;             /* one is asked for and not answered */
};

void pages_init(struct pages *pages);
void pages_deinit(struct pages *pages);

bool pages_concern(enum command_type type);

/* Runs the request, or keeps it (then `command` is empty afterwards) for when the pages before it
 * were taken by the client. Too many that wait are refused. */
void pages_ask(struct session *session, struct command *command);

void pages_answered(struct session *session); /* the one that runs */
void pages_drained(struct session *session);  /* the client has taken everything */
