/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that succeeds or ends the process */
#pragma once

#include <stddef.h>

/* Every function here returns memory that the caller frees with free(), and never NULL: when the
 * system is out of memory it prints one line to stderr and aborts. Whatever a peer can size is
 * bounded before it comes here. A product that overflows size_t counts as out of memory. */
void *xmalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t bytes) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t bytes) __attribute__((returns_nonnull));

/* Grows an array to `count` elements of `bytes` each. */
void *xreallocarray(void *old, size_t count, size_t bytes) __attribute__((returns_nonnull));

/* A copy of a NUL-terminated string. */
char *xstrdup(const char *text) __attribute__((malloc, nonnull, returns_nonnull));

/* A copy of `bytes` bytes and one NUL after them, so that text of known length becomes a string.
 * `data` may be NULL when `bytes` is 0. */
void *xmemdup(const void *data, size_t bytes) __attribute__((malloc, returns_nonnull));
