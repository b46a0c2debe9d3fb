/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: one secret from standard input; never from argv, never echoed. */
#pragma once

#include <stddef.h>

/* Reads one line. On a terminal it prompts on standard error and switches the echo off. Returns a
 * string for cli_secret_free, without its line break; or NULL at the end of input, above max bytes,
 * with a NUL inside, or when interrupted. */
char *cli_secret_read(const char *prompt, size_t max);

/* Wipes and frees; takes NULL, returns NULL. */
char *cli_secret_free(char *secret);
