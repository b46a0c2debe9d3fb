/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the configuration: the rows of the table, found by name, and their values parsed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct config;

enum config_type {
    CONFIG_TYPE_TEXT,
    CONFIG_TYPE_URL,
    CONFIG_TYPE_SECRET,
    CONFIG_TYPE_CHOICE,
    CONFIG_TYPE_INT,
    CONFIG_TYPE_BOOL,
};

struct config_key {
    const char *section;
    const char *name;
    const char *path; /* "section.name" */
    enum config_type type;
    bool reloadable;
    const char *fallback; /* the default, as text */
    const char *words;    /* of a choice: "a|b|c" */
    int min, max;         /* of an int */
    const char *help;
    size_t offset; /* of its field in struct config */
};

struct config_section {
    const char *name;
    const char *help;
};

/* One to each row of config_table.h, in its order: an index into arrays that go with the table. */
enum {
#define CONFIG_SECTION(section, help)
#define CONFIG_TEXT(section, key, fallback, flags, help)          CONFIG_INDEX_##section##_##key,
#define CONFIG_URL(section, key, fallback, flags, help)           CONFIG_INDEX_##section##_##key,
#define CONFIG_SECRET(section, key, flags, help)                  CONFIG_INDEX_##section##_##key,
#define CONFIG_CHOICE(section, key, fallback, words, flags, help) CONFIG_INDEX_##section##_##key,
#define CONFIG_INT(section, key, fallback, min, max, flags, help) CONFIG_INDEX_##section##_##key,
#define CONFIG_BOOL(section, key, fallback, flags, help)          CONFIG_INDEX_##section##_##key,
#define CONFIG_SECTION_END(section)
#include "gateway/config_table.h"
#include "gateway/config_undef.h"
    CONFIG_KEY_COUNT,
    CONFIG_ENVIRONMENT_BYTES = 96, /* more than the longest name of an environment variable */
};

extern const struct config_key config_keys[CONFIG_KEY_COUNT];
extern const struct config_section config_sections[]; /* ends with a NULL name */

/* The row of that name, or NULL. */
const struct config_key *config_key_find(const char *section, const char *name);
/* The row that whoever wrote this name probably meant, or NULL. */
const struct config_key *config_key_nearest(const char *section, const char *name);
size_t config_key_index(const struct config_key *key);

/* "CHATGATE_SECTION_KEY". */
void config_key_environment(const struct config_key *key,
                            char out[static CONFIG_ENVIRONMENT_BYTES]);

/* Checks a text against its row and puts it into its field; strings are copied and replace (and
 * free) what the field pointed to. Returns NULL, or what is wrong: a string for free() that never
 * holds a secret. */
char *config_key_parse(const struct config_key *key, const char *text, struct config *config);

/* A value as text for a person: a string for free(). Secrets, and passwords within URLs, are ***.
 */
char *config_key_print(const struct config_key *key, const struct config *config);
bool config_key_equal(const struct config_key *key, const struct config *a, const struct config *b);
/* Makes `to` have the value of `from`. */
void config_key_copy(const struct config_key *key, struct config *to, const struct config *from);
/* Wipes and frees the field's string, if it has one. */
void config_key_clear(const struct config_key *key, struct config *config);

/* Whether this text as this key's value would be a secret: a set secret, a URL with a password. */
bool config_key_is_secret(const struct config_key *key, const char *text);
