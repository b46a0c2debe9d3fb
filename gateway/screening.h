/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's side of moderation: a verdict on a text, as the writer stores it */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/user.h"
#include "moderation/screen.h"
#include "protocol/message.h"

struct json_writer;
struct node;
struct turn;
struct window;

enum { SCREENING_REASON_BYTES = 48 };

struct screening {
    enum message_status status;
    char reason[SCREENING_REASON_BYTES]; /* "" if delivered */
    int64_t rule_set;                    /* version */
    bool any;                            /* to be written whatever the sender's last message is */
    struct uuid after;                   /* else only if it is this one; nil: none */
};

/* Screens a message in its turn, on the loop (microseconds), against what its window holds, and
 * adds it to the window. The case's detail, {"rules":[...],"spans":[...],"earlier":[...],
 * "shadow":[...]}, is written into `detail` unless the message is delivered and no rule matched.
 * Nothing is delivered unscreened: a failure of the engine, or one that takes too long, holds the
 * message and raises an alarm, and so does a message that was stale too often: it is held and
 * written whatever came before. */
void screening_run(struct node *node, const struct turn *turn, struct window *window,
                   const struct message *message, struct screening *out,
                   struct json_writer *detail);

/* What a message of the past leaves behind for the next ones. */
void screening_trace(struct node *node, const char *text, size_t length, int64_t at_ms,
                     struct screen_trace *out);

enum screen_role screening_role(enum user_role role);

/* A verdict of the rules was stored. */
void screening_count_verdict(enum message_status status);
