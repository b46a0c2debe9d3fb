/* SPDX-License-Identifier: Apache-2.0 */
/* One place where limits are translated, so that what is told is what is enforced. */
#include "gateway/limits.h"

#include "gateway/config.h"
#include "protocol/command.h"
#include "protocol/event.h"

enum { DECISIONS = 200 }; /* in one queue.decide: one batch of the database's function */

void limits_for_commands(const struct config *config, struct command_limits *out)
{
    *out = (struct command_limits){
        .text_code_points = (size_t)config->limits.text_code_points,
        .rooms_per_sync = (size_t)config->limits.rooms_per_sync,
        .page = (size_t)config->limits.history_page,
        .decisions = DECISIONS,
    };
}

void limits_for_welcome(const struct config *config, struct welcome_limits *out)
{
    *out = (struct welcome_limits){
        .frame_bytes = config->limits.frame_bytes,
        .text_code_points = config->limits.text_code_points,
        .messages_per_s = config->limits.messages_per_s,
        .message_burst = config->limits.message_burst,
        .requests_per_s = config->limits.requests_per_s,
        .opens_per_minute = config->limits.opens_per_minute,
        .connections_per_user = config->limits.connections_per_user,
        .history_page = config->limits.history_page,
        .rooms_per_sync = config->limits.rooms_per_sync,
        .decisions = DECISIONS,
        .outbound_bytes = config->limits.outbound_bytes,
    };
}
