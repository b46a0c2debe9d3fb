/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled rules, kept in memory and on disk, so that a change is quick and a start too */
#pragma once

#include "moderation/rule_set.h"

struct rule_store;

/* The folder that `configured` names; if it is "", systemd's $CACHE_DIRECTORY; else NULL: nothing
 * is kept on disk. Borrowed from either. */
const char *rule_store_folder(const char *configured);

/* Keeps files in `folder`, which is copied and must exist, or none if it is NULL. A file that is
 * damaged, or that others can write, is not used; what cannot be written is not kept. Neither is an
 * error: rules are compiled then. */
struct rule_store *rule_store_new(const char *folder);
struct rule_store *rule_store_free(struct rule_store *store); /* takes NULL, returns NULL */

/* For rule_set_compile_over(), by one thread at a time; borrows the store. */
struct rule_cache rule_store_cache(struct rule_store *store);
