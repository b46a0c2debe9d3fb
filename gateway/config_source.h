/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from: flags, environment, credentials, the INI file, in this order. */
#pragma once

#include <stdbool.h>

struct config_errors;

#define CONFIG_DEFAULT_PATH "/etc/chatgate/chatgate.ini"

/* The flags of one command line and the path of the INI file. The environment, the secret files
 * and the INI file are read again by every config_load, so that a reload sees what changed. */
struct config_sources;

struct config_sources *config_sources_new(void);
/* Takes NULL, returns NULL. */
struct config_sources *config_sources_free(struct config_sources *sources);

/* An INI file that must exist; without one, CONFIG_DEFAULT_PATH is read if it is there. */
void config_sources_set_path(struct config_sources *sources, const char *path);

/* --set section.key=value; a later one wins. Returns false, with the reason added to errors, for
 * what is no such assignment, an unknown key, or a secret: argv is public to the whole machine. */
bool config_sources_set(struct config_sources *sources, const char *assignment,
                        struct config_errors *errors);

/* What the sources say of one key. */
struct config_value {
    char *text;   /* NULL: nothing, the default holds */
    char *origin; /* "/etc/chatgate/chatgate.ini:12", "CHATGATE_LISTEN_PORT", "--set listen.port" */
};

/* Asks all sources; values[CONFIG_KEY_COUNT] gets each key's answer of the highest precedence.
 * Faults (unknown keys, unreadable files, secrets that others can read) are added to errors. */
void config_sources_read(const struct config_sources *sources, struct config_value *values,
                         struct config_errors *errors);
/* Wipes and frees CONFIG_KEY_COUNT values. */
void config_values_deinit(struct config_value *values);
