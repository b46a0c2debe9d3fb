/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: one immutable, shared struct made from the table and the sources. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/config_errors.h"

enum config_flags {
    CONFIG_FIXED = 0,
    CONFIG_RELOADABLE = 1,
};

/* The settings, as config->section.key. Strings are never NULL: what is not set is "".
 * Immutable once loaded, and shared: whoever keeps it beyond a call takes a ref. */
struct config {
    int refs;
#define CONFIG_SECTION(section, help)                             struct {
#define CONFIG_TEXT(section, key, fallback, flags, help)          const char *key;
#define CONFIG_URL(section, key, fallback, flags, help)           const char *key;
#define CONFIG_SECRET(section, key, flags, help)                  const char *key;
#define CONFIG_CHOICE(section, key, fallback, words, flags, help) const char *key;
#define CONFIG_INT(section, key, fallback, min, max, flags, help) int key;
#define CONFIG_BOOL(section, key, fallback, flags, help)          bool key;
#define CONFIG_SECTION_END(section)                                                                \
    }                                                                                              \
    section;
#include "gateway/config_table.h"
#include "gateway/config_undef.h"
};

struct config_sources;
struct config_value;

/* Reads every source afresh and checks each value by itself. Returns a config with one ref, or
 * NULL with every fault found added to errors, not only the first. */
struct config *config_load(const struct config_sources *sources, struct config_errors *errors);

/* The same from values that config_sources_read has filled (CONFIG_KEY_COUNT of them). NULL too if
 * errors held some before. */
struct config *config_from_values(const struct config_value *values, struct config_errors *errors);

/* Checks what only serving needs: the secrets that must be there, files that must be readable,
 * settings that must fit together. Returns whether it may serve. */
bool config_check(const struct config *config, struct config_errors *errors);

/* For SIGHUP: loads and checks anew. Returns a config with one ref, in which every setting that
 * cannot change at run time keeps its value of `running`; or NULL with errors, and `running`
 * stays in force. Each setting whose source changed is told to changed(context, "section.key",
 * applied), applied = false meaning that it waits for a restart. */
typedef void (*config_changed_fn)(void *context, const char *name, bool applied);
struct config *config_reload(const struct config *running, const struct config_sources *sources,
                             struct config_errors *errors, config_changed_fn changed,
                             void *context);

struct config *config_ref(struct config *config);
/* Frees with the last ref, wiping the secrets; takes NULL; returns NULL. */
struct config *config_unref(struct config *config);

/* Walks a comma separated setting: sets item and length to the next entry without the blanks
 * around it, skipping empty ones; *cursor starts at the setting's value. False at the end. */
bool config_list_next(const char **cursor, const char **item, size_t *length);
