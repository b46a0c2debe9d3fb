/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration written out: in force, as an example file, as a man page. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct config;
struct config_value;

/* Every setting with its value in force and where it came from; secrets and passwords are ***.
 * values: CONFIG_KEY_COUNT of them, as config_sources_read filled them. */
void config_print_show(const struct config *config, const struct config_value *values, bool json,
                       FILE *out);
/* A complete INI file with every setting at its default, explained. */
void config_print_example(FILE *out);
/* The settings' part of the man page chatgate.ini(5), as scdoc source. */
void config_print_man(FILE *out);
