/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of a configuration, gathered so that a person sees all of them at once. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Lines for a person, each naming the place first: "chatgate.ini:12: unknown key ...". Never a
 * secret's value. */
struct config_errors {
    char **lines;
    size_t count;
};

/* clang-format off */
#define CONFIG_ERRORS_INIT {NULL, 0}
/* clang-format on */

void config_errors_add(struct config_errors *errors, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void config_errors_print(const struct config_errors *errors, FILE *out);
void config_errors_deinit(struct config_errors *errors);
