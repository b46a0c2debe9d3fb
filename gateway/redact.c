/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords within connection strings: seen, and taken out before a person or a log sees them. */

/* Connection strings are not parsed here: Postgres and Redis each read their own dialect, and a
 * parser that is stricter than theirs would let a password through. Two shapes are looked for
 * instead, and what lies between their ends is taken out, whatever it is. */
#include "gateway/redact.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/xasprintf.h"
#include "protocol/xalloc.h"

/* From `begin` up to `end`; begin NULL: there is none. */
struct span {
    const char *begin, *end;
};

/* scheme://user:PASSWORD@host. A password may hold any character that its owner forgot to
 * escape, so it ends at the last @ of all. */
static struct span find_userinfo_password(const char *url)
{
    const char *authority = strstr(url, "://");
    if (authority == NULL)
        return (struct span){NULL, NULL};
    const char *colon = strchr(authority + 3, ':');
    const char *at = strrchr(authority + 3, '@');
    if (colon == NULL || at == NULL || at <= colon + 1)
        return (struct span){NULL, NULL};
    return (struct span){colon + 1, at};
}

static const char *skip_quoted(const char *at)
{
    for (at++; *at != '\0' && *at != '\''; at++)
        if (*at == '\\' && at[1] != '\0')
            at++;
    return *at == '\'' ? at + 1 : at;
}

/* password = VALUE, with whatever stands before the word (sslpassword, ?password). */
static struct span find_named_password(const char *from)
{
    const char *name = strcasestr(from, "password");
    if (name == NULL)
        return (struct span){NULL, NULL};
    const char *at = name + strlen("password");
    at += strspn(at, " \t");
    if (*at != '=')
        return find_named_password(at);
    at++;
    at += strspn(at, " \t");
    const char *end = *at == '\'' ? skip_quoted(at) : at + strcspn(at, " \t&#");
    return end == at ? find_named_password(at) : (struct span){at, end};
}

bool redact_has_password(const char *url)
{
    return find_userinfo_password(url).begin != NULL || find_named_password(url).begin != NULL;
}

/* Frees `text`, returns it with the span replaced. */
static char *replace(char *text, struct span span)
{
    char *out = xasprintf("%.*s***%s", (int)(span.begin - text), text, span.end);
    explicit_bzero(text, strlen(text));
    free(text);
    return out;
}

char *redact_url(const char *url)
{
    char *text = xstrdup(url);
    struct span userinfo = find_userinfo_password(text);
    if (userinfo.begin != NULL)
        text = replace(text, userinfo);
    for (size_t from = 0;;) {
        struct span named = find_named_password(text + from);
        if (named.begin == NULL)
            return text;
        from = (size_t)(named.begin - text) + strlen("***");
        text = replace(text, named);
    }
}
