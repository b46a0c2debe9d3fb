/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on libwebsockets: an exchange from its head to the last byte of its answer.
 *
 * Which request does what is rest.c's. An answer is put together whole and handed to the library in
 * two writes; what the socket does not take it keeps and sends itself.
 *
 * A connection may carry one request after the other, but only its first head was read by our own
 * strict reader. Where the library could see a request in what a proxy takes for a body, others
 * would be given answers that are not theirs. So a connection from a proxy, which several clients
 * may share, ends with its answer; and so does any whose body was not read to its end, or whose
 * length is in doubt.
 */
#include "gateway/http.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/exchange.h"
#include "gateway/handshake_check.h"
#include "gateway/http_head.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/new_id.h"
#include "gateway/node.h"
#include "gateway/rest.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"

/* --- answers --- */

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].status == status)
            return table[i].text;
    return "Unknown";
}

static const char *cors_headers(const struct exchange *exchange, char *out, size_t room)
{
    if (!*exchange->origin)
        return "";
    snprintf(out, room,
             "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
             "Access-Control-Expose-Headers: Retry-After, X-Request-Id\r\n",
             exchange->origin);
    return out;
}

void exchange_answer(struct exchange *exchange, int status, const char *content_type,
                     const char *headers, const void *body, size_t length)
{
    char cors[320], head[2048];
    bool with_body = exchange->method != HTTP_HEAD && length;

    if (exchange->answer)
        return;
    if (exchange->connection->proxied || (exchange->body_expected && !exchange->body_complete))
        exchange->last = true;
    int head_length = snprintf(head, sizeof(head),
                               "HTTP/1.1 %d %s\r\nServer: chatgate\r\nX-Request-Id: %s\r\n"
                               "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                               "Content-Type: %s\r\nContent-Length: %zu\r\n%s%s%s\r\n",
                               status, status_text(status), exchange->request_id, content_type,
                               length, exchange->last ? "Connection: close\r\n" : "",
                               cors_headers(exchange, cors, sizeof(cors)), headers);
    exchange->answer_head = (size_t)head_length;
    exchange->answer_length = exchange->answer_head + (with_body ? length : 0);
    exchange->answer = xmalloc(LWS_PRE + exchange->answer_length);
    memcpy(exchange->answer + LWS_PRE, head, exchange->answer_head);
    if (with_body)
        memcpy(exchange->answer + LWS_PRE + exchange->answer_head, body, length);
    metrics_add_label(METRIC_HTTP_REQUESTS, LABEL_HTTP_CLASS_1XX + (unsigned)(status / 100) - 1, 1);
    metrics_observe(METRIC_HTTP_SECONDS, (double)(clock_now_us() - exchange->started_us) / 1e6);
    log_at(status >= 500 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "http request",
           LOG_STR("path", exchange->route ? exchange->path : ""), LOG_INT("status", status),
           LOG_STR("request_id", exchange->request_id),
           LOG_STR("traceparent", exchange->traceparent));
    lws_callback_on_writable(exchange->wsi);
}

static void answer_json(struct exchange *exchange, int status, int64_t retry_after_ms,
                        const struct json_writer *json)
{
    char headers[256], retry[64] = "";

    if (retry_after_ms > 0)
        snprintf(retry, sizeof(retry), "Retry-After: %lld\r\n",
                 (long long)(retry_after_ms + 999) / 1000);
    snprintf(headers, sizeof(headers), "Cache-Control: no-store\r\n%s%s",
             status == 401 ? "WWW-Authenticate: Bearer\r\n" : "", retry);
    exchange_answer(exchange, status, "application/json", headers, json_text(json),
                    json_length(json));
}

void exchange_fail(struct exchange *exchange, enum error_code code, const char *reason,
                   int64_t retry_after_ms)
{
    struct json_writer *json = &exchange->node->json;

    metrics_add_label(METRIC_ERRORS, (unsigned)code - 1, 1);
    json_writer_reset(json);
    event_error(json, EVENT_BODY, code, reason, NULL, retry_after_ms);
    answer_json(exchange, error_http_status(code), retry_after_ms, json);
    json_writer_reset(json);
}

void http_reply(struct node *node, struct handle handle, int status, int64_t retry_after_ms,
                const struct json_writer *json)
{
    struct exchange *exchange = handle_get(&node->exchanges, handle);

    if (exchange)
        answer_json(exchange, status, retry_after_ms, json);
}

/* --- requests --- */

bool exchange_header(const struct exchange *exchange, const char *name_with_colon, char *out,
                     size_t room)
{
    static const struct {
        const char *name;
        enum lws_token_indexes token;
    } known[] = {
        {"authorization:", WSI_TOKEN_HTTP_AUTHORIZATION},
        {"content-type:", WSI_TOKEN_HTTP_CONTENT_TYPE},
        {"content-length:", WSI_TOKEN_HTTP_CONTENT_LENGTH},
        {"accept-encoding:", WSI_TOKEN_HTTP_ACCEPT_ENCODING},
        {"if-none-match:", WSI_TOKEN_HTTP_IF_NONE_MATCH},
        {"origin:", WSI_TOKEN_ORIGIN},
        {"host:", WSI_TOKEN_HOST},
    };
    *out = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(known[i].name, name_with_colon))
            return lws_hdr_copy(exchange->wsi, out, (int)room, known[i].token) > 0;
    return lws_hdr_custom_copy(exchange->wsi, out, (int)room, name_with_colon,
                               (int)strlen(name_with_colon)) > 0;
}

/* The library has decoded and split the query already. */
bool exchange_query(const struct exchange *exchange, const char *name, char *out, size_t room)
{
    char pair[EXCHANGE_QUERY_BYTES];
    size_t length = strlen(name);

    *out = 0;
    for (int i = 0;
         lws_hdr_copy_fragment(exchange->wsi, pair, sizeof(pair), WSI_TOKEN_HTTP_URI_ARGS, i) >= 0;
         i++) {
        if (strncmp(pair, name, length) || pair[length] != '=')
            continue;
        if (strlen(pair + length + 1) >= room)
            return false;
        strcpy(out, pair + length + 1);
        return true;
    }
    return false;
}

static enum http_method method_of(struct lws *wsi)
{
    char *uri;
    int length;

    switch (lws_http_get_uri_and_method(wsi, &uri, &length)) {
    case LWSHUMETH_GET:
        return HTTP_GET;
    case LWSHUMETH_HEAD:
        return HTTP_HEAD;
    case LWSHUMETH_POST:
        return HTTP_POST;
    case LWSHUMETH_OPTIONS:
        return HTTP_OPTIONS;
    }
    return HTTP_OTHER_METHOD;
}

/* A client's id is echoed if it is short and plain; else one is made. */
static void choose_request_id(struct exchange *exchange)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    char *id = exchange->request_id;
    struct uuid made;

    if (exchange_header(exchange, "x-request-id:", id, EXCHANGE_REQUEST_ID_BYTES) &&
        strspn(id, plain) == strlen(id))
        return;
    new_id(&made);
    uuid_format(&made, id);
}

/* Remembers the Origin of a page that may read our answers. */
static void choose_origin(struct exchange *exchange)
{
    char origin[sizeof(exchange->origin)], host[256];
    const char *allowed = exchange->node->config->http.allowed_origins;

    if (!*allowed || !exchange_header(exchange, "origin:", origin, sizeof(origin)) ||
        !exchange_header(exchange, "host:", host, sizeof(host)))
        return;
    if (handshake_origin_allowed((struct http_slice){origin, strlen(origin)},
                                 (struct http_slice){host, strlen(host)}, allowed))
        memcpy(exchange->origin, origin, sizeof(origin));
}

/* A POST that names no length has no body (RFC 9112 section 6.3), but the library waits for one. */
static void read_length(struct exchange *exchange)
{
    char digits[24];

    if (exchange_header(exchange, "content-length:", digits, sizeof(digits)))
        exchange->body_expected = strtoul(digits, NULL, 10);
    else
        exchange->last = exchange->method == HTTP_POST;
}

static struct exchange *exchange_new(struct connection *connection, struct lws *wsi)
{
    struct exchange *exchange = xcalloc(1, sizeof(*exchange));

    exchange->node = connection->node;
    exchange->connection = connection;
    exchange->wsi = wsi;
    exchange->started_us = clock_now_us();
    exchange->handle = handle_add(&connection->node->exchanges, exchange);
    exchange->method = method_of(wsi);
    exchange->request = (struct request){
        .node = connection->node,
        .exchange = exchange->handle,
        .re = EVENT_BODY,
        .started_us = exchange->started_us,
    };
    read_length(exchange);
    timer_entry_init(&exchange->body_deadline);
    choose_request_id(exchange);
    exchange_header(exchange, "traceparent:", exchange->traceparent, EXCHANGE_TRACEPARENT_BYTES);
    choose_origin(exchange);
    connection->exchange = exchange;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    timer_wheel_cancel(&exchange->body_deadline);
    handle_remove(&exchange->node->exchanges, exchange->handle);
    exchange->connection->exchange = NULL;
    free(exchange->body);
    free(exchange->answer);
    free(exchange);
}

void http_handle_closed(struct connection *connection)
{
    if (connection && connection->exchange)
        exchange_free(connection->exchange);
}

/* What the strict reader refuses in a first head, and the library takes in a later one. */
static bool length_in_doubt(struct lws *wsi)
{
    return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
           lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, 1) > 0;
}

static void handle_body_timeout(struct timer_entry *entry)
{
    connection_abandon(container_of(entry, struct exchange, body_deadline)->connection);
}

static void wait_for_body(struct exchange *exchange)
{
    const struct config *config = exchange->node->config;

    timer_wheel_arm(exchange->node->wheel, &exchange->body_deadline,
                    (uint64_t)config->http.header_timeout_ms, handle_body_timeout);
}

int http_handle_request(struct connection *connection, struct lws *wsi, const char *uri,
                        size_t length)
{
    if (!connection)
        return -1;
    http_handle_closed(connection); /* the one before, on a connection that is kept alive */
    struct exchange *exchange = exchange_new(connection, wsi);
    if (exchange->body_expected)
        wait_for_body(exchange);
    if (length_in_doubt(wsi)) {
        exchange->last = true;
        exchange_fail(exchange, ERROR_BAD_REQUEST, "http.content_length", 0);
    } else if (length >= sizeof(exchange->path)) {
        exchange_fail(exchange, ERROR_NOT_FOUND, "http.path", 0);
    } else {
        memcpy(exchange->path, uri, length);
        rest_begin(exchange);
    }
    return 0;
}

/* --- bodies --- */

int http_handle_body(struct connection *connection, struct lws *wsi, const char *data,
                     size_t length)
{
    struct exchange *exchange = connection ? connection->exchange : NULL;
    (void)wsi;

    if (!exchange || exchange->answer)
        return 0;
    size_t total = exchange->body_length + length;
    if (total > (size_t)connection->node->config->http.body_bytes) {
        exchange_fail(exchange, ERROR_TOO_LARGE, "http.body", 0);
        return 0;
    }
    exchange->body = xrealloc(exchange->body, total + 1);
    if (length)
        memcpy(exchange->body + exchange->body_length, data, length);
    exchange->body_length = total;
    exchange->body[total] = 0;
    return 0;
}

int http_handle_body_end(struct connection *connection, struct lws *wsi)
{
    struct exchange *exchange = connection ? connection->exchange : NULL;
    (void)wsi;

    if (!exchange || exchange->body_complete)
        return 0;
    exchange->body_complete = true;
    timer_wheel_cancel(&exchange->body_deadline);
    rest_body(exchange);
    return 0;
}

/* --- writing --- */

static bool write_answer(struct exchange *exchange, struct lws *wsi)
{
    unsigned char *head = (unsigned char *)exchange->answer + LWS_PRE;
    size_t body = exchange->answer_length - exchange->answer_head;

    if (lws_write(wsi, head, exchange->answer_head, LWS_WRITE_HTTP_HEADERS) < 0)
        return false;
    return !body || lws_write(wsi, head + exchange->answer_head, body, LWS_WRITE_HTTP_FINAL) >= 0;
}

int http_handle_writeable(struct connection *connection, struct lws *wsi)
{
    struct exchange *exchange = connection ? connection->exchange : NULL;

    if (!exchange || !exchange->answer || exchange->sent)
        return 0;
    exchange->sent = true;
    bool ends = !write_answer(exchange, wsi) || exchange->last;
    exchange_free(exchange);
    return ends || lws_http_transaction_completed(wsi) ? -1 : 0;
}
