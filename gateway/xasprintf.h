/* SPDX-License-Identifier: Apache-2.0 */
/* Formatted text on the heap, or the end of the process (as protocol/xalloc.h). */
#pragma once

#include <stdarg.h>

/* Return a string for free(), never NULL. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0), returns_nonnull));
