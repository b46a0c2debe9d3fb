/* SPDX-License-Identifier: Apache-2.0 */
/* The frame that most clients send most of the time, read without building a JSON tree */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct command;
struct command_limits;

/* True: the frame is a good `send` of the plain shape, and `out` is what command_parse() would have
 * made of it, but that its text lives in `out->text`. False: it may still be anything, good or
 * bad, and `out` is as it was. */
bool plain_send_parse(struct command *out, const char *frame, size_t bytes,
                      const struct command_limits *limits);
