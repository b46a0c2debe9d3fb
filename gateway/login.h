/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/auth/login and /api/auth/refresh */
#pragma once

#include "gateway/request.h"

struct command;
struct in6_addr;
struct login;
struct node;

/* Holds the limits on guessing, by account and by address. */
struct login *login_new(struct node *node);
struct login *login_free(struct login *login); /* takes NULL */
void login_configure(struct login *login);     /* after a reload */

/* Checks e-mail and password off the loop and answers with a token. Every failure looks and costs
 * the same. The command is copied as far as needed. */
void login_run(const struct request *request, const struct command *command,
               const struct in6_addr *address);

/* Answers with a new token for the one given, expired or not, for auth.refresh_ttl_s after the
 * login that it goes back to, if its user still has access. */
void login_refresh(const struct request *request, const char *token, size_t length);
