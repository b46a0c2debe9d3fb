/* SPDX-License-Identifier: Apache-2.0 */
/* Who lost access while connected: kicked, suspended, deleted, or with another role */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/user.h"

struct access_watch;
struct node;

/* Rereads what changed every delivery.access_check_ms, on every node by itself, so that it works
 * with Redis away too; closes the sessions concerned (4502). */
struct access_watch *access_watch_new(struct node *node);
struct access_watch *access_watch_free(struct access_watch *watch); /* takes NULL */

/* A hint: look now. */
void access_watch_now(struct access_watch *watch);

/* Whether a token issued at `iat_s` may be used by its user, whose tokens count from
 * `valid_after_us` on (0 = all) and who is suspended until `suspended_until_us` (0 = not). What the
 * token claims of the role does not matter: the database's holds. */
bool access_allows(int64_t iat_s, int64_t valid_after_us, int64_t suspended_until_us);

/* The first iat that a token needs then. */
int64_t access_valid_from_s(int64_t valid_after_us);

/* What the database says now. Closes the sessions that began under another role (4502): what they
 * may see was decided then. */
void access_set_role(struct user *user, enum user_role role);
