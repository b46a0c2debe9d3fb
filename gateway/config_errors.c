/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of a configuration, gathered so that a person sees all of them at once. */
#include "gateway/config_errors.h"

#include <stdarg.h>
#include <stdlib.h>

#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"

void config_errors_add(struct config_errors *errors, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *line = xvasprintf(format, arguments);
    va_end(arguments);
    errors->lines = xreallocarray(errors->lines, errors->count + 1, sizeof(*errors->lines));
    errors->lines[errors->count++] = line;
}

void config_errors_print(const struct config_errors *errors, FILE *out)
{
    for (size_t i = 0; i < errors->count; i++)
        fprintf(out, "%s\n", errors->lines[i]);
}

void config_errors_deinit(struct config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        free(errors->lines[i]);
    free(errors->lines);
    *errors = (struct config_errors)CONFIG_ERRORS_INIT;
}
