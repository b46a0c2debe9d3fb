/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords within connection strings: seen, and taken out before a person or a log sees them. */
#pragma once

#include <stdbool.h>

/* Both know scheme://user:PASSWORD@host, the query's ?password=PASSWORD, and libpq's keywords
 * password=PASSWORD and sslpassword='PASSWORD'. When in doubt they take out too much. */
bool redact_has_password(const char *url);
/* A copy with *** for each password: a string for free(). */
char *redact_url(const char *url);
