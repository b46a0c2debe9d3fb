/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for request heads, each in a function that names its refusal. */
#include "gateway/handshake_check.h"

#include <string.h>
#include <strings.h>

#include "gateway/config.h"

enum { WEBSOCKET_KEY_CHARS = 24 };

static bool refuse(struct handshake_refusal *refusal, int status, enum error_code code,
                   const char *reason)
{
    *refusal = (struct handshake_refusal){status, code, reason};
    return true;
}

bool handshake_refuse_head(enum http_head_result result, struct handshake_refusal *refusal)
{
    switch (result) {
    case HTTP_HEAD_OK:
    case HTTP_HEAD_PARTIAL:
        return false;
    case HTTP_HEAD_TOO_LARGE:
        return refuse(refusal, 431, ERROR_TOO_LARGE, "http.headers");
    case HTTP_HEAD_MALFORMED:
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.malformed");
    case HTTP_HEAD_NOT_HTTP:
        return refuse(refusal, 0, ERROR_BAD_REQUEST, "http.not_http");
    case HTTP_HEAD_BAD_VERSION:
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.version");
    case HTTP_HEAD_BAD_HOST:
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.host");
    case HTTP_HEAD_BAD_LENGTH:
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.content_length");
    case HTTP_HEAD_DOUBLED_FIELD:
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.doubled_header");
    case HTTP_HEAD_BAD_TARGET:
        return refuse(refusal, 404, ERROR_NOT_FOUND, "http.path");
    }
    return false;
}

/* --- origin --- */

static bool origin_is_host(struct http_slice origin, struct http_slice host)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(schemes[i]);
        if (origin.length == length + host.length &&
            !strncasecmp(origin.data, schemes[i], length) &&
            !strncasecmp(origin.data + length, host.data, host.length))
            return true;
    }
    return false;
}

bool handshake_origin_allowed(struct http_slice origin, struct http_slice host,
                              const char *allowed_origins)
{
    const char *cursor = allowed_origins, *item;
    size_t length;
    bool any = false;

    while (config_list_next(&cursor, &item, &length)) {
        any = true;
        if (length == origin.length && !strncasecmp(item, origin.data, length))
            return true;
    }
    return !any && origin_is_host(origin, host);
}

/* --- tokens --- */

static bool token_in_url(const struct http_head *head)
{
    static const char *const names[] = {"token", "access_token", "jwt", "bearer", "authorization"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (http_head_has_query(head, names[i]))
            return true;
    return false;
}

static bool take_bearer(const struct http_head *head, struct handshake_upgrade *upgrade,
                        struct handshake_refusal *refusal)
{
    struct http_slice value = http_head_get(head, "authorization");

    if (!value.data)
        return false;
    if (value.length < 7 || strncasecmp(value.data, "Bearer ", 7))
        return refuse(refusal, 401, ERROR_UNAUTHORIZED, "token.scheme");
    upgrade->token = (struct http_slice){value.data + 7, value.length - 7};
    return false;
}

static bool take_subprotocols(const struct http_head *head, struct handshake_upgrade *upgrade,
                              struct handshake_refusal *refusal)
{
    const size_t prefix = strlen(HANDSHAKE_BEARER_PREFIX);
    size_t cursor = 0;
    struct http_slice item;
    bool any = false;

    while (http_head_next_item(head, "sec-websocket-protocol", &cursor, &item)) {
        any = true;
        if (http_slice_is(item, HANDSHAKE_SUBPROTOCOL)) {
            upgrade->offered_subprotocol = true;
        } else if (item.length > prefix && !memcmp(item.data, HANDSHAKE_BEARER_PREFIX, prefix)) {
            if (upgrade->token.data)
                return refuse(refusal, 400, ERROR_BAD_REQUEST, "token.doubled");
            upgrade->token = (struct http_slice){item.data + prefix, item.length - prefix};
        }
    }
    if (any && !upgrade->offered_subprotocol)
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "handshake.subprotocol");
    return false;
}

/* The methods that libwebsockets knows; whether a path takes one of them is the router's to say. */
static bool method_is_known(struct http_slice method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (http_slice_is(method, known[i]))
            return true;
    return false;
}

/* --- the upgrade --- */

/* RFC 6455 section 4.1: 16 bytes in base64, so 22 digits and "==". */
static bool key_is_good(struct http_slice key)
{
    if (key.length != WEBSOCKET_KEY_CHARS || memcmp(key.data + 22, "==", 2))
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return strchr("AQgw", key.data[21]) != NULL;
}

static bool refuse_upgrade(const struct http_head *head, struct handshake_refusal *refusal)
{
    struct http_slice length = http_head_get(head, "content-length");

    if (!http_slice_is_nocase(http_head_get(head, "upgrade"), "websocket"))
        return refuse(refusal, 403, ERROR_FORBIDDEN, "handshake.upgrade");
    if (!http_slice_is(head->path, HANDSHAKE_WEBSOCKET_PATH))
        return refuse(refusal, 404, ERROR_NOT_FOUND, "http.path");
    if (!http_slice_is(head->method, "GET"))
        return refuse(refusal, 405, ERROR_METHOD_NOT_ALLOWED, "http.method");
    if (length.data && !http_slice_is(length, "0"))
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "http.content_length");
    if (!http_head_lists(head, "connection", "upgrade"))
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "handshake.connection");
    if (!http_slice_is(http_head_get(head, "sec-websocket-version"), "13"))
        return refuse(refusal, 426, ERROR_UPGRADE_REQUIRED, "handshake.version");
    if (!key_is_good(http_head_get(head, "sec-websocket-key")))
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "handshake.key");
    return false;
}

bool handshake_refuse_request(const struct http_head *head, const char *allowed_origins,
                              struct handshake_upgrade *upgrade, struct handshake_refusal *refusal)
{
    *upgrade = (struct handshake_upgrade){
        .wanted = http_head_get(head, "upgrade").data != NULL,
    };
    if (token_in_url(head))
        return refuse(refusal, 400, ERROR_BAD_REQUEST, "token.in_url");
    if (!upgrade->wanted && http_slice_is(head->path, HANDSHAKE_WEBSOCKET_PATH))
        return refuse(refusal, 426, ERROR_UPGRADE_REQUIRED, "handshake.upgrade");
    if (!upgrade->wanted && !method_is_known(head->method))
        return refuse(refusal, 405, ERROR_METHOD_NOT_ALLOWED, "http.method");
    if (!upgrade->wanted)
        return false;
    if (refuse_upgrade(head, refusal))
        return true;
    if (head->origin.data && !handshake_origin_allowed(head->origin, head->host, allowed_origins))
        return refuse(refusal, 403, ERROR_FORBIDDEN, "handshake.origin");
    return take_bearer(head, upgrade, refusal) || take_subprotocols(head, upgrade, refusal);
}
