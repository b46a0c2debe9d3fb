/* SPDX-License-Identifier: Apache-2.0 */
/* Where Redis is, read from a URL (www.iana.org/assignments/uri-schemes/prov/redis). */

#include "gateway/redis_url.h"

#include "protocol/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { DATABASE_MAX = 1000000, PORT_MAX = 65535 };

static const char default_port[] = "6379";

/* All of `text` up to `length` as a number of up to `max`; -1 if it isn't one. */
static int parse_number(const char *text, size_t length, int max)
{
    int value = 0;

    if (length == 0 || length > 7)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value <= max ? value : -1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* RFC 3986 section 2.1. NULL: not well-formed, or with a NUL in it. */
static char *percent_decode(const char *text, size_t length)
{
    char *out = xmemdup(text, length);
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        int high, low;

        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
        low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            free(out);
            return NULL;
        }
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    out[n] = '\0';
    return out;
}

/* "[user]:password", or a lone "user", which some take for a password: refused. */
static const char *parse_userinfo(struct redis_url *url, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);

    if (!colon)
        return "a password in the URL stands behind a colon: redis://:password@host";
    size_t user = (size_t)(colon - text);
    if (user > 0 && !(url->user = percent_decode(text, user)))
        return "the user name is not percent-encoded";
    if (!(url->password = percent_decode(colon + 1, length - user - 1)))
        return "the password is not percent-encoded";
    return NULL;
}

static const char *parse_host(struct redis_url *url, const char *text, size_t length)
{
    const char *host = text, *after = memchr(text, ':', length);
    size_t host_length = after ? (size_t)(after - text) : length;

    if (length > 0 && *text == '[') {
        const char *end = memchr(text, ']', length);

        if (!end)
            return "a bracket is missing";
        host = text + 1;
        host_length = (size_t)(end - host);
        after = end + 1 < text + length ? end + 1 : NULL;
        if (after && *after != ':')
            return "only a port can follow the host";
    }
    if (host_length == 0)
        return "the host is missing";
    url->host = xmemdup(host, host_length);
    if (!after) {
        url->port = xstrdup(default_port);
        return NULL;
    }
    size_t port_length = length - (size_t)(after + 1 - text);
    if (parse_number(after + 1, port_length, PORT_MAX) <= 0)
        return "the port is not a number from 1 to 65535";
    url->port = xmemdup(after + 1, port_length);
    return NULL;
}

static const char *parse_database(struct redis_url *url, const char *text)
{
    url->database = parse_number(text, strlen(text), DATABASE_MAX);
    return url->database < 0 ? "the database is not a number" : NULL;
}

static const char *parse_tcp(struct redis_url *url, const char *text)
{
    size_t authority = strcspn(text, "/?#");
    const char *at = memrchr(text, '@', authority);
    const char *error = NULL, *host = at ? at + 1 : text;
    const char *rest = text + authority;

    if (at)
        error = parse_userinfo(url, text, (size_t)(at - text));
    if (!error)
        error = parse_host(url, host, (size_t)(rest - host));
    if (error || *rest == '\0' || strcmp(rest, "/") == 0)
        return error;
    if (*rest != '/')
        return "only /database can follow the host";
    return parse_database(url, rest + 1);
}

static const char *parse_unix(struct redis_url *url, const char *text)
{
    const char *path = strncmp(text, "//", 2) == 0 ? text + 2 : text;
    size_t length = strcspn(path, "?");

    if (*path != '/')
        return "the socket's path does not begin with a slash";
    if (length >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return "the socket's path is longer than 107 bytes";
    url->path = xmemdup(path, length);
    if (path[length] == '\0')
        return NULL;
    if (strncmp(path + length, "?db=", 4) != 0)
        return "only ?db=number can follow the socket's path";
    return parse_database(url, path + length + 4);
}

int redis_url_parse(struct redis_url *url, const char *text, const char **error)
{
    *url = REDIS_URL_NULL;
    if (strncmp(text, "redis://", 8) == 0)
        *error = parse_tcp(url, text + 8);
    else if (strncmp(text, "unix:", 5) == 0)
        *error = parse_unix(url, text + 5);
    else if (strncmp(text, "rediss:", 7) == 0)
        *error = "rediss:// (TLS) is not supported: use a Unix socket, a private network or a "
                 "local TLS tunnel";
    else
        *error = "the URL begins neither with redis:// nor with unix:/";
    if (*error) {
        redis_url_deinit(url);
        return -EINVAL;
    }
    return 0;
}

void redis_url_deinit(struct redis_url *url)
{
    free(url->path);
    free(url->host);
    free(url->port);
    free(url->user);
    free(url->password);
    *url = REDIS_URL_NULL;
}
