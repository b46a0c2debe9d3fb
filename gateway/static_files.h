/* SPDX-License-Identifier: Apache-2.0 */
/* The chat page and its files, built into the program */
#pragma once

#include <stdbool.h>

struct exchange;

/* Answers if the path names a file (or "/"). False: no such file, or the page is switched off. */
bool static_files_serve(struct exchange *exchange);
