/* SPDX-License-Identifier: Apache-2.0 */
/* Where Redis is, read from a URL. */
#pragma once

/* Embedded; owns its strings. Either `path` or `host` and `port`. */
struct redis_url {
    char *path;            /* of a Unix socket; or NULL */
    char *host;            /* name or address, without brackets; or NULL */
    char *port;            /* decimal */
    char *user, *password; /* or NULL */
    int database;
};

#define REDIS_URL_NULL ((struct redis_url){0})

/* Reads one of
 *
 *     redis://[[user]:password@]host[:port][/database]     user and password percent-encoded
 *     unix:/path[?db=database]                             unix:///path too
 *
 * 0; or -EINVAL, `error` is a static text, and `url` is empty. */
int redis_url_parse(struct redis_url *url, const char *text, const char **error);
void redis_url_deinit(struct redis_url *url);
