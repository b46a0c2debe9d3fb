/* SPDX-License-Identifier: Apache-2.0 */
/* The chat page and its files, built into the program */
#pragma once

#include <stdbool.h>

struct exchange;

/* Whether the path names a file (or is "/") and the page is switched on. */
bool static_files_have(const struct exchange *exchange);

/* Answers a GET or HEAD for such a path. */
void static_files_serve(struct exchange *exchange);
