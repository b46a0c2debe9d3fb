/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that no rule minds, each another one */
#pragma once

#include <stddef.h>

struct uuid;

/* Writes exactly `bytes` bytes of lower case words; no NUL. */
void chatter_text(char *out, size_t bytes);

/* A random UUID (version 4), without a system call. */
void chatter_uuid(struct uuid *out);
