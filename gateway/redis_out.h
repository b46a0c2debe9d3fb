/* SPDX-License-Identifier: Apache-2.0 */
/* Commands to Redis, encoded and waiting to be written. */
#pragma once

#include <stddef.h>

/* Embedded. */
struct redis_out {
    char *data;
    size_t length, capacity;
};

#define REDIS_OUT_NULL ((struct redis_out){0})

/* Appends one command, binary safe, as an array of bulk strings (RESP 2). */
void redis_out_command(struct redis_out *out, size_t argc, const char *const *argv,
                       const size_t *argv_bytes);

/* Drops the first `length` bytes. */
void redis_out_consume(struct redis_out *out, size_t length);

/* An upper bound of what a command adds. */
size_t redis_out_size(size_t argc, const size_t *argv_bytes);

void redis_out_deinit(struct redis_out *out);
