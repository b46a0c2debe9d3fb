/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's side of moderation: a verdict on a text, as the writer stores it */
#pragma once

#include <stdint.h>

#include "gateway/user.h"
#include "protocol/message.h"

struct json_writer;
struct node;

struct screening {
    enum message_status status;
    const char *reason; /* static or of the rule set in force; NULL if delivered */
    int64_t rule_set;   /* version */
};

/* Screens a message on the loop (microseconds). The case's detail, {"rules":[...],"spans":[...]},
 * is written into `detail` unless the message is delivered. A failure of the engine holds the
 * message and raises an alarm: nothing is delivered unscreened. */
void screening_run(struct node *node, const struct message *message, enum user_role role,
                   struct screening *out, struct json_writer *detail);
