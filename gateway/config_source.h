/* SPDX-License-Identifier: Apache-2.0 */
/* Where settings come from: flags, environment, credentials, the INI file, in this order. */
#ifndef GATEWAY_CONFIG_SOURCE_H
#define GATEWAY_CONFIG_SOURCE_H

#include <stdbool.h>

struct config_errors;
struct config_key;

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

#endif
