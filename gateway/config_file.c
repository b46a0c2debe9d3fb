/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the configuration, and who may read them. */

/* The mode is taken from the descriptor that is read, not from the path, so that nobody can swap
 * the file between the look and the read. */
#include "gateway/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/xalloc.h"

static int read_all(int fd, struct config_file *file)
{
    while (file->length < CONFIG_FILE_MAX_BYTES) {
        ssize_t n = read(fd, file->text + file->length, CONFIG_FILE_MAX_BYTES - file->length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        file->length += (size_t)n;
    }
    return -EFBIG;
}

static int read_open_file(int fd, struct config_file *file)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    *file = (struct config_file){.text = xcalloc(1, CONFIG_FILE_MAX_BYTES + 1),
                                 .mode = status.st_mode & 07777};
    int error = read_all(fd, file);
    if (error < 0)
        config_file_deinit(file);
    return error;
}

int config_file_read(struct config_file *file, const char *path)
{
    /* O_NONBLOCK: a FIFO must not hold the program up before it is refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int error = read_open_file(fd, file);
    close(fd);
    return error;
}

void config_file_deinit(struct config_file *file)
{
    if (file->text != NULL)
        explicit_bzero(file->text, file->length);
    free(file->text);
    *file = (struct config_file){0};
}

bool config_file_is_open(const struct config_file *file)
{
    return (file->mode & (S_IRWXG | S_IRWXO) & ~(S_IXGRP | S_IXOTH)) != 0;
}
