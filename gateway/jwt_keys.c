/* SPDX-License-Identifier: Apache-2.0 */
/* The keys and rules by which tokens are verified and minted
 *
 * Everything is read and checked when the set is made, so that a bad key is a configuration error
 * with a name, at start or reload, and never a surprise at the first login. Rotation is two sets:
 * the reload builds the new one, with the new key first and the old one behind it, and frees the
 * old one; nobody keeps a pointer into a set.
 *
 * A kid is compared with the few that are configured and used for nothing else: it names no file
 * and no row. */
#include "gateway/jwt_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/jwt_key.h"
#include "protocol/xalloc.h"

enum { KEY_FILE_MAX_BYTES = 65536 };

static const char list_separators[] = ", \t\r\n";

struct jwt_keys {
    struct jwt_key *keys[JWT_KEYS_MAX];
    size_t count;
    char *issuer, *audience;
    int64_t leeway_s;
};

/* A set in the making, and where its error goes. */
struct loader {
    struct jwt_keys *keys;
    char *error; /* JWT_KEYS_ERROR_BYTES */
};

struct key_file {
    char *data;
    size_t bytes;
    bool open_to_others; /* somebody but the owner may read it */
};

__attribute__((format(printf, 2, 3))) static bool fail(struct loader *loader, const char *format,
                                                       ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(loader->error, JWT_KEYS_ERROR_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

/* --- Files --- */

/* systemd keeps credentials readable by the service alone, whatever their mode bits say. */
static bool is_credential(const char *path)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t length = directory ? strlen(directory) : 0;

    return length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/' &&
           !strstr(path, "/../");
}

static int read_all(int fd, char *data, size_t *bytes)
{
    ssize_t n;

    *bytes = 0;
    while ((n = read(fd, data + *bytes, KEY_FILE_MAX_BYTES + 1 - *bytes)) > 0)
        *bytes += (size_t)n;
    if (n < 0)
        return -errno;
    return *bytes > KEY_FILE_MAX_BYTES ? -EFBIG : 0;
}

static void key_file_deinit(struct key_file *file)
{
    if (file->data)
        explicit_bzero(file->data, file->bytes);
    free(file->data);
    file->data = NULL;
}

static int key_file_read(struct key_file *file, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error;

    *file = (struct key_file){0};
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    file->open_to_others = (status.st_mode & (S_IRGRP | S_IROTH)) && !is_credential(path);
    file->data = xmalloc(KEY_FILE_MAX_BYTES + 1);
    error = read_all(fd, file->data, &file->bytes);
    close(fd);
    if (error)
        key_file_deinit(file);
    return error;
}

/* Editors and echo end a text with a newline that nobody means as part of a secret. */
static size_t secret_length(const char *data, size_t bytes)
{
    size_t end = bytes;

    while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
        end--;
    for (size_t i = 0; i < end; i++)
        if (data[i] < ' ' || data[i] > '~')
            return bytes; /* not text: all of it counts */
    return end;
}

/* --- Building the set --- */

static bool kid_valid(const char *kid, size_t length)
{
    if (length == 0 || length >= JWT_KID_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if (kid[i] <= ' ' || kid[i] > '~' || strchr(",:\"\\", kid[i]))
            return false;
    return true;
}

static struct jwt_key *key_of_kid(const struct jwt_keys *keys, const char *kid)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(jwt_key_kid(keys->keys[i]), kid) == 0)
            return keys->keys[i];
    return NULL;
}

static bool add_key(struct loader *loader, const char *kid, enum jwt_algorithm algorithm,
                    const void *material, size_t bytes)
{
    struct jwt_keys *keys = loader->keys;
    const char *error;
    struct jwt_key *key;

    if (key_of_kid(keys, kid))
        return fail(loader, "auth: two keys have the kid \"%s\"", kid);
    if (keys->count == JWT_KEYS_MAX)
        return fail(loader, "auth: more than %d keys", JWT_KEYS_MAX);
    key = jwt_key_new(kid, algorithm, material, bytes, &error);
    if (!key)
        return fail(loader, "auth: key \"%s\" (%s): %s", kid, jwt_algorithm_name(algorithm), error);
    keys->keys[keys->count++] = key;
    return true;
}

static bool add_key_file(struct loader *loader, const char *kid, enum jwt_algorithm algorithm,
                         const char *path)
{
    struct key_file file;
    size_t bytes;
    bool added;
    int error = key_file_read(&file, path);

    if (error)
        return fail(loader, "auth.keys: key \"%s\": cannot read %s: %s", kid, path,
                    error == -EINVAL ? "not a regular file" : strerror(-error));
    bytes = algorithm == JWT_HS256 ? secret_length(file.data, file.bytes) : file.bytes;
    added = add_key(loader, kid, algorithm, file.data, bytes);
    if (added && file.open_to_others &&
        jwt_key_can_sign(loader->keys->keys[loader->keys->count - 1]))
        added = fail(loader, "auth.keys: key \"%s\": others may read %s (chmod 600 it)", kid, path);
    key_file_deinit(&file);
    return added;
}

/* One "kid:ALG:path"; the path may have colons. */
static bool add_item(struct loader *loader, char *item)
{
    char *algorithm_name = strchr(item, ':');
    char *path = algorithm_name ? strchr(algorithm_name + 1, ':') : NULL;
    enum jwt_algorithm algorithm;

    if (!path || path[1] == '\0')
        return fail(loader, "auth.keys: \"%.60s\" is not kid:algorithm:file", item);
    *algorithm_name++ = '\0';
    *path++ = '\0';
    if (!kid_valid(item, strlen(item)))
        return fail(loader, "auth.keys: \"%.60s\" cannot be a kid", item);
    if (!jwt_algorithm_find(&algorithm, algorithm_name, strlen(algorithm_name)))
        return fail(loader,
                    "auth.keys: key \"%s\": algorithm \"%.20s\" is none of HS256, RS256, ES256, "
                    "EdDSA",
                    item, algorithm_name);
    return add_key_file(loader, item, algorithm, path);
}

static bool add_list(struct loader *loader, const char *list)
{
    char *copy = xstrdup(list ? list : "");
    char *state = NULL;
    bool good = true;

    for (char *item = strtok_r(copy, list_separators, &state); item && good;
         item = strtok_r(NULL, list_separators, &state))
        good = add_item(loader, item);
    free(copy);
    return good;
}

static bool add_secret(struct loader *loader, const char *kid, const char *secret)
{
    if (!secret || !*secret)
        return true;
    if (!kid || !kid_valid(kid, strlen(kid)))
        return fail(loader, "auth.hs256_kid: \"%.60s\" cannot be a kid", kid ? kid : "");
    return add_key(loader, kid, JWT_HS256, secret, strlen(secret));
}

struct jwt_keys *jwt_keys_load(const struct jwt_keys_options *options,
                               char error[static JWT_KEYS_ERROR_BYTES])
{
    struct jwt_keys *keys = xcalloc(1, sizeof(*keys));
    struct loader loader = {.keys = keys, .error = error};

    keys->issuer = xstrdup(options->issuer ? options->issuer : "");
    keys->audience = xstrdup(options->audience ? options->audience : "");
    keys->leeway_s = options->leeway_s;
    error[0] = '\0';
    if (!add_list(&loader, options->keys) ||
        !add_secret(&loader, options->hs256_kid, options->hs256_secret))
        return jwt_keys_free(keys);
    if (keys->count == 0) {
        fail(&loader, "auth: no key: set auth.keys or auth.hs256_secret");
        return jwt_keys_free(keys);
    }
    return keys;
}

struct jwt_keys *jwt_keys_free(struct jwt_keys *keys)
{
    if (!keys)
        return NULL;
    for (size_t i = 0; i < keys->count; i++)
        jwt_key_free(keys->keys[i]);
    free(keys->issuer);
    free(keys->audience);
    free(keys);
    return NULL;
}

/* --- Asking it --- */

struct jwt_key *jwt_keys_find(const struct jwt_keys *keys, const char *kid)
{
    if (!kid)
        return keys->count == 1 ? keys->keys[0] : NULL;
    return key_of_kid(keys, kid);
}

struct jwt_key *jwt_keys_signer(const struct jwt_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (jwt_key_can_sign(keys->keys[i]))
            return keys->keys[i];
    return NULL;
}

const char *jwt_keys_issuer(const struct jwt_keys *keys)
{
    return keys->issuer;
}

const char *jwt_keys_audience(const struct jwt_keys *keys)
{
    return keys->audience;
}

int64_t jwt_keys_leeway_s(const struct jwt_keys *keys)
{
    return keys->leeway_s;
}

size_t jwt_keys_count(const struct jwt_keys *keys)
{
    return keys->count;
}

bool jwt_keys_can_mint(const struct jwt_keys *keys)
{
    return jwt_keys_signer(keys) != NULL;
}
