/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.1 request, parsed strictly (RFC 9112, RFC 6455 section 4.2). No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_HEAD_MAX_BYTES = 8192,
    HTTP_HEAD_MAX_FIELDS = 64,
};

/* A piece of the request's own bytes; not terminated. */
struct http_slice {
    const char *data;
    size_t length;
};

struct http_field {
    struct http_slice name, value;
};

enum http_head_result {
    HTTP_HEAD_OK = 0,
    HTTP_HEAD_PARTIAL,     /* the empty line has not come yet */
    HTTP_HEAD_TOO_LARGE,   /* 431: no empty line within HTTP_HEAD_MAX_BYTES, or too many fields */
    HTTP_HEAD_MALFORMED,   /* 400: bare LF, NUL, folded line, bad name, bad request line */
    HTTP_HEAD_NOT_HTTP,    /* drop: an HTTP/2 preface, a TLS hello, or no HTTP at all */
    HTTP_HEAD_BAD_VERSION, /* 400: not HTTP/1.1 */
    HTTP_HEAD_BAD_HOST,    /* 400: none, empty, or more than one Host */
    HTTP_HEAD_BAD_LENGTH, /* 400: Content-Length twice, not a number, or beside Transfer-Encoding */
    HTTP_HEAD_DOUBLED_FIELD, /* 400: a field that must be single came twice (Origin,
                                Sec-WebSocket-Key) */
    HTTP_HEAD_BAD_TARGET,    /* 404: dot segments, encoded or not, or %00 in the path */
};

struct http_head {
    size_t length; /* bytes up to and with the empty line */
    struct http_slice method, target, path, query;
    struct http_slice host, origin;
    struct http_field fields[HTTP_HEAD_MAX_FIELDS];
    size_t field_count;
};

/* Parses the head at the start of `data`. Slices point into `data`, which the caller keeps.
 * Every field name is a token, every value free of control characters. */
enum http_head_result http_head_parse(struct http_head *head, const char *data, size_t length);

/* The single value of a field, or an empty slice with data NULL. Names compare without case. */
struct http_slice http_head_get(const struct http_head *head, const char *name);

/* Whether a comma-separated field (Connection, Upgrade) lists this token, without case. */
bool http_head_lists(const struct http_head *head, const char *name, const char *token);

/* Steps through a comma-separated list over all fields of that name. `*cursor` starts as 0. */
bool http_head_next_item(const struct http_head *head, const char *name, size_t *cursor,
                         struct http_slice *item);

/* Whether the query has a parameter of this name (compared as it is written, without case). */
bool http_head_has_query(const struct http_head *head, const char *name);

bool http_slice_is(struct http_slice slice, const char *text); /* exactly */
bool http_slice_is_nocase(struct http_slice slice, const char *text);
