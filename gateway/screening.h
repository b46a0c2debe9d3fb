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
    const char *
        reason; /* of the rule set in force, or static: not past this callback; NULL if delivered */
    int64_t rule_set; /* version */
};

/* Screens a message on the loop (microseconds). The case's detail,
 * {"rules":[...],"spans":[...],"shadow":[...]}, is written into `detail` unless the message is
 * delivered and no rule matched. A failure of the engine holds the
 * message and raises an alarm: nothing is delivered unscreened. */
void screening_run(struct node *node, const struct message *message, enum user_role role,
                   struct screening *out, struct json_writer *detail);
