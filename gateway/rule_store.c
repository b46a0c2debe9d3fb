/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled rules, kept in memory and on disk, so that a change is quick and a start too
 *
 * Memory has the last databases; the one of the shipped rules is there again at each reload. A file
 * is named by the SHA-256 of all that went into its database, so it is never out of date. What
 * another version of Vectorscan made is refused by this one, and made anew. It holds
 *
 *   8 bytes    "CGRULES" and the version of this format
 *   32 bytes   SHA-256 of what follows
 *   the rest   the database, serialised by Vectorscan
 *
 * Several nodes may share the folder: files are written beside, synced and renamed. The last few
 * are kept. Vectorscan does not defend itself against a database made to harm it, so a file that
 * others can write is not believed.
 */
#include "gateway/rule_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"

enum {
    KEPT_FILES = 8,
    WORTH_BYTES = 64 << 10, /* less is compiled as fast as it is read */
    MAGIC_BYTES = 8,
    HEAD_BYTES = MAGIC_BYTES + SHA256_DIGEST_LENGTH,
    FILE_BYTES_MAX = 256 << 20,
};

static const char magic[MAGIC_BYTES + 1] = "CGRULES1";
static const char suffix[] = ".rules.db";

const char *rule_store_folder(const char *configured)
{
    const char *of_systemd = getenv("CACHE_DIRECTORY");

    if (*configured)
        return configured;
    return of_systemd && *of_systemd == '/' ? of_systemd : NULL;
}

/* ---- files ---- */

static char *path_of(const char *folder, const unsigned char digest[static SHA256_DIGEST_LENGTH])
{
    char hex[2 * SHA256_DIGEST_LENGTH + 1];

    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    return xasprintf("%s/%s%s", folder, hex, suffix);
}

static bool is_ours(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_uid == geteuid() &&
           (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool read_all(int fd, char *out, size_t length)
{
    while (length > 0) {
        ssize_t n = read(fd, out, length);

        if (n <= 0)
            return false;
        out += n;
        length -= (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);

        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* ---- load ---- */

/* The whole file if it is one of ours, for free(). */
static char *read_file(int fd, size_t *length)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || !is_ours(&info) || info.st_size <= HEAD_BYTES ||
        info.st_size > FILE_BYTES_MAX)
        return NULL;
    char *bytes = xmalloc((size_t)info.st_size);
    *length = (size_t)info.st_size;
    if (read_all(fd, bytes, *length))
        return bytes;
    free(bytes);
    return NULL;
}

static bool is_whole(const char *bytes, size_t length)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return false;
    SHA256((const unsigned char *)bytes + HEAD_BYTES, length - HEAD_BYTES, digest);
    return memcmp(bytes + MAGIC_BYTES, digest, sizeof(digest)) == 0;
}

static char *load_file(const char *folder, const unsigned char *digest, size_t *length)
{
    char *path = path_of(folder, digest);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *bytes = fd >= 0 ? read_file(fd, length) : NULL;

    if (fd >= 0)
        close(fd);
    if (bytes && !is_whole(bytes, *length)) {
        unlink(path);
        free(bytes);
        bytes = NULL;
    }
    free(path);
    if (!bytes)
        return NULL;
    *length -= HEAD_BYTES;
    memmove(bytes, bytes + HEAD_BYTES, *length);
    return bytes;
}

/* ---- store ---- */

static bool write_file(int fd, const void *data, size_t length)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256(data, length, digest);
    return write_all(fd, magic, MAGIC_BYTES) &&
           write_all(fd, (const char *)digest, sizeof(digest)) && write_all(fd, data, length) &&
           fsync(fd) == 0;
}

struct kept {
    char *path;
    struct timespec at;
};

static int newest_first(const void *left, const void *right)
{
    const struct timespec *a = &((const struct kept *)left)->at,
                          *b = &((const struct kept *)right)->at;

    if (a->tv_sec != b->tv_sec)
        return a->tv_sec > b->tv_sec ? -1 : 1;
    return a->tv_nsec > b->tv_nsec ? -1 : a->tv_nsec < b->tv_nsec;
}

static bool is_file_name(const char *name)
{
    size_t length = strlen(name), tail = strlen(suffix);

    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* The files of this folder, newest first; at most as many as a folder of ours ever has. */
static size_t list_files(const char *folder, struct kept files[static 2 * KEPT_FILES])
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat info;
    size_t count = 0;

    while (dir && count < 2 * KEPT_FILES && (entry = readdir(dir)) != NULL) {
        if (!is_file_name(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &info, 0) != 0)
            continue;
        files[count++] =
            (struct kept){.path = xasprintf("%s/%s", folder, entry->d_name), .at = info.st_mtim};
    }
    if (dir)
        closedir(dir);
    qsort(files, count, sizeof(*files), newest_first);
    return count;
}

static void drop_old_files(const char *folder)
{
    struct kept files[2 * KEPT_FILES];
    size_t count = list_files(folder, files);

    for (size_t i = 0; i < count; i++) {
        if (i >= KEPT_FILES)
            unlink(files[i].path);
        free(files[i].path);
    }
}

static void store_file(const char *folder, const unsigned char *digest, const void *data,
                       size_t length)
{
    char *path = path_of(folder, digest);
    char *beside = xasprintf("%s/.new.XXXXXX", folder);
    int fd = mkostemp(beside, O_CLOEXEC);

    if (fd >= 0) {
        bool written = write_file(fd, data, length);

        close(fd);
        if (!written || rename(beside, path) != 0)
            unlink(beside);
        drop_old_files(folder);
    }
    free(beside);
    free(path);
}

/* ---- memory ---- */

/* One for each layer of a set: the one that changed pushes its own predecessor out, since the other
 * was just used. */
enum { ENTRIES = 2 };

struct entry {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char *data;
    size_t length;
    uint64_t used;
};

struct rule_store {
    char *folder; /* or NULL */
    struct entry entries[ENTRIES];
    uint64_t clock; /* of uses */
};

static void remember(struct rule_store *store, const unsigned char *digest, const void *data,
                     size_t length)
{
    struct entry *oldest = &store->entries[0];

    for (size_t i = 1; i < ENTRIES; i++) {
        if (store->entries[i].used < oldest->used)
            oldest = &store->entries[i];
    }
    free(oldest->data);
    *oldest =
        (struct entry){.data = xmemdup(data, length), .length = length, .used = ++store->clock};
    memcpy(oldest->digest, digest, sizeof(oldest->digest));
}

static char *recall(struct rule_store *store, const unsigned char *digest, size_t *length)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &store->entries[i];

        if (!entry->data || memcmp(entry->digest, digest, sizeof(entry->digest)) != 0)
            continue;
        entry->used = ++store->clock;
        *length = entry->length;
        return xmemdup(entry->data, entry->length);
    }
    return NULL;
}

/* ---- the cache ---- */

static void *load(void *context, const void *key, size_t key_length, size_t *length)
{
    struct rule_store *store = context;
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256(key, key_length, digest);
    char *bytes = recall(store, digest, length);
    if (bytes || !store->folder)
        return bytes;
    bytes = load_file(store->folder, digest, length);
    if (bytes)
        remember(store, digest, bytes, *length);
    return bytes;
}

static void keep(void *context, const void *key, size_t key_length, const void *data, size_t length)
{
    struct rule_store *store = context;
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256(key, key_length, digest);
    remember(store, digest, data, length);
    if (store->folder && length >= WORTH_BYTES)
        store_file(store->folder, digest, data, length);
}

struct rule_store *rule_store_new(const char *folder)
{
    struct rule_store *store = xcalloc(1, sizeof(*store));

    store->folder = folder ? xstrdup(folder) : NULL;
    return store;
}

struct rule_store *rule_store_free(struct rule_store *store)
{
    if (!store)
        return NULL;
    for (size_t i = 0; i < ENTRIES; i++)
        free(store->entries[i].data);
    free(store->folder);
    free(store);
    return NULL;
}

struct rule_cache rule_store_cache(struct rule_store *store)
{
    return (struct rule_cache){.context = store, .load = load, .store = keep};
}
