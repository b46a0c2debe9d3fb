/* SPDX-License-Identifier: Apache-2.0 */
/* How alike two names are, for "did you mean ...?" */
#pragma once

#include <stddef.h>

enum { EDIT_DISTANCE_NAME_BYTES = 64 };

/* The characters to insert, delete or replace to make b of a (Levenshtein); SIZE_MAX when either
 * is longer than EDIT_DISTANCE_NAME_BYTES. */
size_t edit_distance(const char *a, const char *b);
