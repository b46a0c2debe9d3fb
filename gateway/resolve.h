/* SPDX-License-Identifier: Apache-2.0 */
/* Host names to addresses, off the loop. */
#pragma once

#include <netdb.h>
#include <uv.h>

/* One lookup under way. */
struct resolve;

/* `error` is 0 or libuv's negative code. The addresses (TCP, in the system's order of preference)
 * are borrowed for the call; the lookup frees itself after it. */
typedef void (*resolve_fn)(void *context, int error, const struct addrinfo *addresses);

/* Looks `host` up; `port` is a decimal number or NULL. Calls `done` once, later, from the loop,
 * unless cancelled before. NULL: libuv refused, and `done` won't come. */
struct resolve *resolve_start(uv_loop_t *loop, const char *host, const char *port, resolve_fn done,
                              void *context);

/* The caller is no longer interested: `done` won't come. NULL is fine. */
void resolve_cancel(struct resolve *resolve);
