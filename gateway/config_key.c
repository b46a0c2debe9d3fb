/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the configuration: the rows of the table, found by name, and their values parsed. */

/* The table is expanded here once more, into an array of rows that know at which offset of struct
 * config their field lies. All that follows, from parsing to the man page, is loops over it. */
#include "gateway/config_key.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/edit_distance.h"
#include "gateway/redact.h"
#include "gateway/xasprintf.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

#define ROW(section_, key_, type_, flags_, fallback_, words_, min_, max_, help_)                   \
    {.section = #section_,                                                                         \
     .name = #key_,                                                                                \
     .path = #section_ "." #key_,                                                                  \
     .type = (type_),                                                                              \
     .reloadable = ((flags_)&CONFIG_RELOADABLE) != 0,                                              \
     .fallback = (fallback_),                                                                      \
     .words = (words_),                                                                            \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .help = (help_),                                                                              \
     .offset = offsetof(struct config, section_.key_)},

const struct config_key config_keys[CONFIG_KEY_COUNT] = {
#define CONFIG_SECTION(section, help)
#define CONFIG_TEXT(section, key, fallback, flags, help)                                           \
    ROW(section, key, CONFIG_TYPE_TEXT, flags, fallback, NULL, 0, 0, help)
#define CONFIG_URL(section, key, fallback, flags, help)                                            \
    ROW(section, key, CONFIG_TYPE_URL, flags, fallback, NULL, 0, 0, help)
#define CONFIG_SECRET(section, key, flags, help)                                                   \
    ROW(section, key, CONFIG_TYPE_SECRET, flags, "", NULL, 0, 0, help)
#define CONFIG_CHOICE(section, key, fallback, words, flags, help)                                  \
    ROW(section, key, CONFIG_TYPE_CHOICE, flags, fallback, words, 0, 0, help)
#define CONFIG_INT(section, key, fallback, min, max, flags, help)                                  \
    ROW(section, key, CONFIG_TYPE_INT, flags, #fallback, NULL, min, max, help)
#define CONFIG_BOOL(section, key, fallback, flags, help)                                           \
    ROW(section, key, CONFIG_TYPE_BOOL, flags, #fallback, NULL, 0, 0, help)
#define CONFIG_SECTION_END(section)
#include "gateway/config_table.h"
#include "gateway/config_undef.h"
};

const struct config_section config_sections[] = {
#define CONFIG_SECTION(section, help) {#section, help},
#define CONFIG_TEXT(section, key, fallback, flags, help)
#define CONFIG_URL(section, key, fallback, flags, help)
#define CONFIG_SECRET(section, key, flags, help)
#define CONFIG_CHOICE(section, key, fallback, words, flags, help)
#define CONFIG_INT(section, key, fallback, min, max, flags, help)
#define CONFIG_BOOL(section, key, fallback, flags, help)
#define CONFIG_SECTION_END(section)
#include "gateway/config_table.h"
#include "gateway/config_undef.h"
    {NULL, NULL},
};

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

size_t config_key_index(const struct config_key *key)
{
    return (size_t)(key - config_keys);
}

void config_key_environment(const struct config_key *key, char out[static CONFIG_ENVIRONMENT_BYTES])
{
    int length = snprintf(out, CONFIG_ENVIRONMENT_BYTES, "CHATGATE_%s_%s", key->section, key->name);
    assert(length > 0 && length < CONFIG_ENVIRONMENT_BYTES);
    for (char *at = out; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

const struct config_key *config_key_nearest(const char *section, const char *name)
{
    char path[EDIT_DISTANCE_NAME_BYTES + 1];
    snprintf(path, sizeof(path), "%s.%s", section, name);
    const struct config_key *nearest = NULL;
    size_t least = strlen(path) / 3 + 1;
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i]; /* the right name under another section */
        size_t distance = edit_distance(path, config_keys[i].path);
        if (distance < least) {
            least = distance;
            nearest = &config_keys[i];
        }
    }
    return nearest;
}

/* Values */

static void *field_of(const struct config_key *key, const struct config *config)
{
    return (char *)config + key->offset;
}

static bool is_string(const struct config_key *key)
{
    return key->type != CONFIG_TYPE_INT && key->type != CONFIG_TYPE_BOOL;
}

static const char *string_of(const struct config_key *key, const struct config *config)
{
    return *(const char *const *)field_of(key, config);
}

static char *parse_int(const struct config_key *key, const char *text, int *out)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || isspace((unsigned char)*text))
        return xasprintf("'%s' is not a whole number (%d to %d)", text, key->min, key->max);
    if (errno == ERANGE || value < key->min || value > key->max)
        return xasprintf("%s is out of range (%d to %d)", text, key->min, key->max);
    *out = (int)value;
    return NULL;
}

static char *parse_bool(const char *text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(words[i].word, text) == 0) {
            *out = words[i].value;
            return NULL;
        }
    }
    return xasprintf("'%s' is neither true nor false", text);
}

static bool is_one_of(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = words; *at != '\0';) {
        size_t word = strcspn(at, "|");
        if (word == length && memcmp(at, text, length) == 0)
            return true;
        at += word + (at[word] == '|' ? 1 : 0);
    }
    return false;
}

static char *check_string(const struct config_key *key, const char *text)
{
    if (!utf8_valid(text, strlen(text)))
        return xstrdup("is not valid UTF-8");
    for (const char *at = text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            return xstrdup("has a control character (a line break?) inside");
    if (key->type == CONFIG_TYPE_CHOICE && !is_one_of(key->words, text))
        return xasprintf("'%s' is none of %s", text, key->words);
    return NULL;
}

static void put_string(const struct config_key *key, struct config *config, const char *text)
{
    config_key_clear(key, config);
    *(char **)field_of(key, config) = xstrdup(text);
}

char *config_key_parse(const struct config_key *key, const char *text, struct config *config)
{
    if (key->type == CONFIG_TYPE_INT)
        return parse_int(key, text, field_of(key, config));
    if (key->type == CONFIG_TYPE_BOOL)
        return parse_bool(text, field_of(key, config));
    char *error = check_string(key, text);
    if (error == NULL)
        put_string(key, config, text);
    return error;
}

char *config_key_print(const struct config_key *key, const struct config *config)
{
    if (key->type == CONFIG_TYPE_INT)
        return xasprintf("%d", *(const int *)field_of(key, config));
    if (key->type == CONFIG_TYPE_BOOL)
        return xstrdup(*(const bool *)field_of(key, config) ? "true" : "false");
    const char *text = string_of(key, config);
    if (key->type == CONFIG_TYPE_SECRET && *text != '\0')
        return xstrdup("***");
    return key->type == CONFIG_TYPE_URL ? redact_url(text) : xstrdup(text);
}

bool config_key_equal(const struct config_key *key, const struct config *a, const struct config *b)
{
    if (key->type == CONFIG_TYPE_INT)
        return *(const int *)field_of(key, a) == *(const int *)field_of(key, b);
    if (key->type == CONFIG_TYPE_BOOL)
        return *(const bool *)field_of(key, a) == *(const bool *)field_of(key, b);
    return strcmp(string_of(key, a), string_of(key, b)) == 0;
}

void config_key_copy(const struct config_key *key, struct config *to, const struct config *from)
{
    if (key->type == CONFIG_TYPE_INT)
        *(int *)field_of(key, to) = *(const int *)field_of(key, from);
    else if (key->type == CONFIG_TYPE_BOOL)
        *(bool *)field_of(key, to) = *(const bool *)field_of(key, from);
    else if (to != from)
        put_string(key, to, string_of(key, from));
}

void config_key_clear(const struct config_key *key, struct config *config)
{
    if (!is_string(key))
        return;
    char **field = field_of(key, config);
    if (*field != NULL)
        explicit_bzero(*field, strlen(*field));
    free(*field);
    *field = NULL;
}

bool config_key_is_secret(const struct config_key *key, const char *text)
{
    if (key->type == CONFIG_TYPE_SECRET)
        return *text != '\0';
    return key->type == CONFIG_TYPE_URL && redact_has_password(text);
}
