/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from: flags, environment, credentials, the INI file, in this order. */

/* Sources are read from the weakest to the strongest into an array with one slot a key, and each
 * overwrites what it finds there; so precedence is the order of the calls in config_sources_read.
 * A slot keeps its origin, because a person who is told that a value is wrong must know where.
 *
 * A secret is refused where others can see it: in argv always, in a file that group or others may
 * read. Files in $CREDENTIALS_DIRECTORY are exempt: systemd makes them, and its way of giving them
 * to the service's user shows as group bits. */
#include "gateway/config_source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config_errors.h"
#include "gateway/config_file.h"
#include "gateway/config_ini.h"
#include "gateway/config_key.h"
#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"

struct config_sources {
    char *path; /* NULL: CONFIG_DEFAULT_PATH, if it is there */
    char *flags[CONFIG_KEY_COUNT];
};

extern char **environ;

struct config_sources *config_sources_new(void)
{
    return xcalloc(1, sizeof(struct config_sources));
}

struct config_sources *config_sources_free(struct config_sources *sources)
{
    if (sources == NULL)
        return NULL;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        free(sources->flags[i]);
    free(sources->path);
    free(sources);
    return NULL;
}

void config_sources_set_path(struct config_sources *sources, const char *path)
{
    free(sources->path);
    sources->path = xstrdup(path);
}

/* Slots */

static void value_clear(struct config_value *value)
{
    if (value->text != NULL)
        explicit_bzero(value->text, strlen(value->text));
    free(value->text);
    free(value->origin);
    *value = (struct config_value){0};
}

void config_values_deinit(struct config_value *values)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        value_clear(&values[i]);
}

static void value_put(struct config_value *values, const struct config_key *key, const char *text,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
static void value_put(struct config_value *values, const struct config_key *key, const char *text,
                      const char *format, ...)
{
    struct config_value *value = &values[config_key_index(key)];
    value_clear(value);
    va_list arguments;
    va_start(arguments, format);
    value->origin = xvasprintf(format, arguments);
    va_end(arguments);
    value->text = xstrdup(text);
}

static void add_unknown(struct config_errors *errors, const char *place, const char *section,
                        const char *name)
{
    const struct config_key *nearest = config_key_nearest(section, name);
    if (nearest == NULL)
        config_errors_add(errors, "%s: unknown key %s.%s; `chatgate config --example` shows all",
                          place, section, name);
    else
        config_errors_add(errors, "%s: unknown key %s.%s; did you mean %s in [%s]?", place, section,
                          name, nearest->name, nearest->section);
}

/* Flags */

bool config_sources_set(struct config_sources *sources, const char *assignment,
                        struct config_errors *errors)
{
    char section[64], name[64];
    int length = 0;
    if (sscanf(assignment, "%63[a-z0-9_].%63[a-z0-9_]%n", section, name, &length) != 2 ||
        assignment[length] != '=') {
        config_errors_add(errors, "--set: expected section.key=value, as in listen.port=8080");
        return false;
    }
    const char *text = assignment + length + 1;
    const struct config_key *key = config_key_find(section, name);
    if (key == NULL) {
        add_unknown(errors, "--set", section, name);
        return false;
    }
    if (config_key_is_secret(key, text)) {
        char variable[CONFIG_ENVIRONMENT_BYTES];
        config_key_environment(key, variable);
        config_errors_add(errors,
                          "--set %s: refused, as every user of this machine can read the arguments "
                          "of a program; put the secret into a file and set %s_FILE to its path",
                          key->path, variable);
        return false;
    }
    free(sources->flags[config_key_index(key)]);
    sources->flags[config_key_index(key)] = xstrdup(text);
    return true;
}

static void read_flags(const struct config_sources *sources, struct config_value *values)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        if (sources->flags[i] != NULL)
            value_put(values, &config_keys[i], sources->flags[i], "--set %s", config_keys[i].path);
}

/* Files with one value */

static void take_value_file(struct config_value *values, const struct config_key *key,
                            const char *place, struct config_file *file,
                            struct config_errors *errors)
{
    if (strlen(file->text) != file->length) {
        config_errors_add(errors, "%s: has a NUL inside", place);
        return;
    }
    if (file->length > 0 && file->text[file->length - 1] == '\n')
        file->text[--file->length] = '\0';
    if (file->length > 0 && file->text[file->length - 1] == '\r')
        file->text[--file->length] = '\0';
    value_put(values, key, file->text, "%s", place);
}

static void read_value_file(struct config_value *values, const struct config_key *key,
                            const char *variable, const char *path, struct config_errors *errors)
{
    char *place = xasprintf("%s_FILE (%s)", variable, path);
    struct config_file file;
    int error = config_file_read(&file, path);
    if (error < 0) {
        config_errors_add(errors, "%s: %s", place, strerror(-error));
        free(place);
        return;
    }
    if (config_file_is_open(&file) && config_key_is_secret(key, file.text))
        config_errors_add(errors,
                          "%s: holds a secret, but group or others may access it (mode %04o); "
                          "chmod 600 it",
                          place, (unsigned)file.mode);
    else
        take_value_file(values, key, place, &file, errors);
    config_file_deinit(&file);
    free(place);
}

static void read_credentials(struct config_value *values, struct config_errors *errors)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL)
        return;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char *path = xasprintf("%s/%s", folder, config_keys[i].path);
        struct config_file file;
        int error = config_file_read(&file, path);
        if (error == 0) {
            take_value_file(values, &config_keys[i], path, &file, errors);
            config_file_deinit(&file);
        } else if (error != -ENOENT) {
            config_errors_add(errors, "%s: %s", path, strerror(-error));
        }
        free(path);
    }
}

/* Environment */

static void read_environment(struct config_value *values, struct config_errors *errors)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &config_keys[i];
        char variable[CONFIG_ENVIRONMENT_BYTES], file_variable[CONFIG_ENVIRONMENT_BYTES + 5];
        config_key_environment(key, variable);
        snprintf(file_variable, sizeof(file_variable), "%s_FILE", variable);
        const char *text = getenv(variable);
        const char *path = getenv(file_variable);
        if (text != NULL)
            value_put(values, key, text, "%s", variable);
        else if (path != NULL)
            read_value_file(values, key, variable, path, errors);
    }
}

/* Whether the variable's name, up to its '=', is one that read_environment looks for. */
static bool is_known_variable(const char *variable, size_t length)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char known[CONFIG_ENVIRONMENT_BYTES];
        config_key_environment(&config_keys[i], known);
        size_t known_length = strlen(known);
        if (length >= known_length && strncmp(variable, known, known_length) == 0 &&
            (length == known_length ||
             (length == known_length + 5 && strncmp(variable + known_length, "_FILE", 5) == 0)))
            return true;
    }
    return false;
}

/* "LISTEN_PORT_FILE" after CHATGATE_, as the name of a key of that section. */
static void add_unknown_variable(struct config_errors *errors, const char *variable, size_t length,
                                 const struct config_section *section)
{
    char place[CONFIG_ENVIRONMENT_BYTES], name[CONFIG_ENVIRONMENT_BYTES];
    size_t prefix = strlen("CHATGATE_") + strlen(section->name) + 1;
    snprintf(place, sizeof(place), "%.*s", (int)length, variable);
    snprintf(name, sizeof(name), "%.*s", (int)(length - prefix), variable + prefix);
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    add_unknown(errors, place, section->name, name);
}

/* A misspelt key must not be ignored; variables that name none of our sections are other
 * programs' business. */
static void check_variable(const char *variable, struct config_errors *errors)
{
    const char *name = variable + strlen("CHATGATE_");
    size_t length = strcspn(variable, "=");
    if (strncmp(variable, "CHATGATE_", strlen("CHATGATE_")) != 0 ||
        is_known_variable(variable, length))
        return;
    for (const struct config_section *section = config_sections; section->name != NULL; section++) {
        size_t section_length = strlen(section->name);
        if (strncasecmp(name, section->name, section_length) == 0 && name[section_length] == '_')
            add_unknown_variable(errors, variable, length, section);
    }
}

/* The INI file */

struct ini_reading {
    const char *path;
    const struct config_file *file;
    struct config_value *values;
    int seen[CONFIG_KEY_COUNT]; /* the line that set it */
    struct config_errors *errors;
};

static void handle_ini_line(void *context, int line, const char *section, const char *name,
                            const char *value)
{
    struct ini_reading *reading = context;
    char place[512];
    snprintf(place, sizeof(place), "%s:%d", reading->path, line);
    const struct config_key *key = config_key_find(section, name);
    if (key == NULL) {
        add_unknown(reading->errors, place, section, name);
        return;
    }
    int *seen = &reading->seen[config_key_index(key)];
    if (*seen != 0)
        config_errors_add(reading->errors, "%s: %s was already set in line %d", place, key->path,
                          *seen);
    if (config_file_is_open(reading->file) && config_key_is_secret(key, value))
        config_errors_add(reading->errors,
                          "%s: %s is a secret, but group or others may access this file (mode "
                          "%04o); chmod 600 it, or move the secret to a file of its own",
                          place, key->path, (unsigned)reading->file->mode);
    *seen = line;
    value_put(reading->values, key, value, "%s", place);
}

static void read_ini(const struct config_sources *sources, struct config_value *values,
                     struct config_errors *errors)
{
    const char *path = sources->path != NULL ? sources->path : CONFIG_DEFAULT_PATH;
    struct config_file file;
    int error = config_file_read(&file, path);
    if (error == -ENOENT && sources->path == NULL)
        return;
    if (error < 0) {
        config_errors_add(errors, "%s: %s", path, strerror(-error));
        return;
    }
    struct ini_reading reading = {path, &file, values, {0}, errors};
    config_ini_parse(path, file.text, file.length, handle_ini_line, &reading, errors);
    config_file_deinit(&file);
}

void config_sources_read(const struct config_sources *sources, struct config_value *values,
                         struct config_errors *errors)
{
    read_ini(sources, values, errors);
    read_credentials(values, errors);
    read_environment(values, errors);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        check_variable(*variable, errors);
    read_flags(sources, values);
}
