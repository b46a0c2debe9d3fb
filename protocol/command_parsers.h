/* SPDX-License-Identifier: Apache-2.0 */
/* One parser for each request, called by command.c through the command table */
#pragma once

#include "protocol/command.h"

struct command_reader;

/* Fills `out` from the reader's object. What is wrong sticks in the reader; what was allocated by
 * then stays in `out` for command_deinit(). */
#define COMMAND_ROW(NAME, member, wire, id, who)                                                   \
    void command_parse_##member(struct command_reader *reader, struct command_##member *out);
#include "protocol/command_table.h"
#undef COMMAND_ROW
