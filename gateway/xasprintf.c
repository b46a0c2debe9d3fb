/* SPDX-License-Identifier: Apache-2.0 */
/* Formatted text on the heap, or the end of the process (as protocol/xalloc.h). */
#include "gateway/xasprintf.h"

#include <stdio.h>
#include <stdlib.h>

char *xvasprintf(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        fputs("chatgate: out of memory\n", stderr);
        abort();
    }
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}
