/* SPDX-License-Identifier: Apache-2.0 */
/* The INI file, line by line. */
#pragma once

#include <stddef.h>

struct config_errors;

/* A line `name = value` in a section ("" before the first); all are borrowed for the call. */
typedef void (*config_ini_line_fn)(void *context, int line, const char *section, const char *name,
                                   const char *value);

/* Parses a text; `path` only names it in errors. Comments are whole lines that begin with # or ;
 * and values run to the end of their line: a secret may hold any of these characters. */
void config_ini_parse(const char *path, const char *text, size_t length, config_ini_line_fn handle,
                      void *context, struct config_errors *errors);
