/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the configuration, and who may read them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CONFIG_FILE_MAX_BYTES = 1 << 20 };

struct config_file {
    char *text; /* with a NUL behind its length bytes */
    size_t length;
    mode_t mode;
};

/* Reads a regular file whole. Returns 0; or -errno, -EFBIG above CONFIG_FILE_MAX_BYTES, -EINVAL for
 * what is no regular file, and then there is nothing to deinit. */
int config_file_read(struct config_file *file, const char *path);
/* Wipes and frees the text. */
void config_file_deinit(struct config_file *file);

/* Whether group or others may read or write it: no place for a secret. */
bool config_file_is_open(const struct config_file *file);
