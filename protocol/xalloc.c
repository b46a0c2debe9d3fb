/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that succeeds or ends the process
 *
 * A server that has no memory for a hundred bytes cannot do its work, nor close its sockets in good
 * order; code that pretends otherwise is never run until the day it is wrong. So small allocations
 * end the process (the service manager starts a new one, clients resume), and the rest of the
 * program has no such branches. What could be large is bounded by a limit before it gets here.
 */
#include "protocol/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes)
{
    if (memory)
        return memory;
    fprintf(stderr, "out of memory: %zu bytes were asked for\n", bytes);
    abort();
}

void *xmalloc(size_t bytes)
{
    return checked(malloc(bytes ? bytes : 1), bytes);
}

void *xcalloc(size_t count, size_t bytes)
{
    return checked(calloc(count ? count : 1, bytes ? bytes : 1), count);
}

void *xrealloc(void *old, size_t bytes)
{
    return checked(realloc(old, bytes ? bytes : 1), bytes);
}

void *xreallocarray(void *old, size_t count, size_t bytes)
{
    return checked(reallocarray(old, count ? count : 1, bytes ? bytes : 1), count);
}

char *xstrdup(const char *text)
{
    return xmemdup(text, strlen(text));
}

void *xmemdup(const void *data, size_t bytes)
{
    if (bytes == SIZE_MAX)
        checked(NULL, bytes);
    char *copy = xmalloc(bytes + 1);

    if (bytes)
        memcpy(copy, data, bytes);
    copy[bytes] = '\0';
    return copy;
}
