/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes, and the way of a REST call: route -> method -> token -> user -> body ->
 * command. From there on it is the same code as over the socket.
 */
#include "gateway/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/access_watch.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/exchange.h"
#include "gateway/housekeeping.h"
#include "gateway/jwt.h"
#include "gateway/limits.h"
#include "gateway/login.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/process_metrics.h"
#include "gateway/rate_limit.h"
#include "gateway/session.h"
#include "gateway/static_files.h"
#include "gateway/user.h"
#include "protocol/command.h"
#include "protocol/documents.h"
#include "protocol/event.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum { PAGE_DEFAULT = 50, AUTHORIZATION_BYTES = JWT_MAX_BYTES + 16 };

enum access { ACCESS_OPEN, ACCESS_TOKEN, ACCESS_USER, ACCESS_ADMIN_PORT };

/* `{id}` in a path matches one UUID. */
struct route {
    enum http_method method;
    enum access access;
    const char *path;
    void (*run)(struct exchange *exchange);
};

/* --- commands from requests --- */

static void run_command(struct exchange *exchange, const struct command *command)
{
    request_run(&exchange->request, command);
}

/* False: the body is refused, and that is answered. */
static bool parse_body(struct exchange *exchange, enum command_type type, struct command *command)
{
    struct command_limits limits;
    struct command_error error;

    limits_for_commands(exchange->node->config, &limits);
    if (!command_parse_body(command, type, exchange->body ? exchange->body : "",
                            exchange->body_length, &limits, &error))
        return true;
    exchange_fail(exchange, error.code, error.reason, 0);
    return false;
}

/* A whole number in the query: absent leaves *out alone. False: it is there and no such number. */
static bool query_int(struct exchange *exchange, const char *name, int64_t *out, bool *found)
{
    char text[24], *end;

    *found = exchange_query(exchange, name, text, sizeof(text));
    if (!*found)
        return true;
    *out = strtoll(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end)
        return true;
    exchange_fail(exchange, ERROR_BAD_REQUEST, "query.number", 0);
    return false;
}

static bool query_limit(struct exchange *exchange, int *limit)
{
    int64_t value = PAGE_DEFAULT, most = exchange->node->config->limits.history_page;
    bool found;

    if (!query_int(exchange, "limit", &value, &found))
        return false;
    if (value < 1) {
        exchange_fail(exchange, ERROR_BAD_REQUEST, "query.limit", 0);
        return false;
    }
    *limit = (int)(value > most ? most : value);
    return true;
}

static void run_open(struct exchange *exchange)
{
    struct command command;
    if (!parse_body(exchange, COMMAND_OPEN, &command))
        return;
    run_command(exchange, &command);
    command_deinit(&command);
}

static void run_rooms(struct exchange *exchange)
{
    char cursor[64];
    struct command command = {.type = COMMAND_ROOMS};

    if (!query_limit(exchange, &command.rooms.limit))
        return;
    if (exchange_query(exchange, "cursor", cursor, sizeof(cursor)))
        command.rooms.cursor = cursor;
    run_command(exchange, &command);
}

static void run_history(struct exchange *exchange)
{
    struct command command = {.type = COMMAND_HISTORY, .history = {.room = exchange->id}};
    struct command_history *history = &command.history;

    if (!query_int(exchange, "before", &history->before, &history->has_before) ||
        !query_int(exchange, "after", &history->after, &history->has_after) ||
        !query_limit(exchange, &history->limit))
        return;
    if (history->has_before && history->has_after)
        exchange_fail(exchange, ERROR_BAD_REQUEST, "query.before_and_after", 0);
    else
        run_command(exchange, &command);
}

static void run_send(struct exchange *exchange)
{
    struct command command;
    char key[UUID_TEXT_BYTES + 2];
    struct uuid cid;

    if (!exchange_header(exchange, "idempotency-key:", key, sizeof(key)) ||
        !uuid_parse(&cid, key, strlen(key))) {
        exchange_fail(exchange, ERROR_BAD_REQUEST, "header.idempotency_key", 0);
        return;
    }
    if (!parse_body(exchange, COMMAND_SEND, &command))
        return;
    command.send.room = exchange->id;
    command.send.cid = cid;
    run_command(exchange, &command);
    command_deinit(&command);
}

static void run_read(struct exchange *exchange)
{
    struct command command;
    if (!parse_body(exchange, COMMAND_READ, &command))
        return;
    command.read.room = exchange->id;
    run_command(exchange, &command);
    command_deinit(&command);
}

static void run_queue(struct exchange *exchange)
{
    char cursor[64];
    struct command command = {.type = COMMAND_QUEUE_WATCH};

    if (!query_limit(exchange, &command.queue_watch.limit))
        return;
    if (exchange_query(exchange, "cursor", cursor, sizeof(cursor)))
        command.queue_watch.cursor = cursor;
    run_command(exchange, &command);
}

static void run_verdict(struct exchange *exchange)
{
    struct command command;
    if (!parse_body(exchange, COMMAND_QUEUE_DECIDE, &command))
        return;
    command.queue_decide.items[0].mid = exchange->id;
    run_command(exchange, &command);
    command_deinit(&command);
}

static void run_login(struct exchange *exchange)
{
    struct command command;
    if (!parse_body(exchange, COMMAND_LOGIN, &command))
        return;
    login_run(&exchange->request, &command, &exchange->connection->address);
    command_deinit(&command);
}

/* --- documents, health, metrics --- */

static void run_openapi(struct exchange *exchange)
{
    exchange_answer(exchange, 200, "application/json", "Cache-Control: no-cache\r\n",
                    protocol_openapi_json, protocol_openapi_json_length);
}

static void run_asyncapi(struct exchange *exchange)
{
    exchange_answer(exchange, 200, "application/json", "Cache-Control: no-cache\r\n",
                    protocol_asyncapi_json, protocol_asyncapi_json_length);
}

static void answer_state(struct exchange *exchange, bool good, const char *state)
{
    struct json_writer *json = &exchange->node->json;

    json_writer_reset(json);
    json_object_begin(json);
    json_add_cstring(json, "status", state);
    json_object_end(json);
    exchange_answer(exchange, good ? 200 : 503, "application/json", "Cache-Control: no-store\r\n",
                    json_text(json), json_length(json));
    json_writer_reset(json);
}

static void run_healthz(struct exchange *exchange)
{
    answer_state(exchange, true, "ok");
}

static void run_readyz(struct exchange *exchange)
{
    bool ready = housekeeping_ready(exchange->node);
    answer_state(exchange, ready,
                 ready                      ? "ready"
                 : exchange->node->draining ? "draining"
                                            : "unavailable");
}

static void run_metrics(struct exchange *exchange)
{
    size_t length;

    process_metrics_update();
    char *text = metrics_render(&length);
    exchange_answer(exchange, 200, METRICS_CONTENT_TYPE, "Cache-Control: no-store\r\n", text,
                    length);
    free(text);
}

/* --- who asks --- */

/* The token of the Authorization header; false: there is none, and that is answered. */
static bool bearer(struct exchange *exchange, char *out, size_t room)
{
    if (!exchange_header(exchange, "authorization:", out, room)) {
        exchange_fail(exchange, ERROR_UNAUTHORIZED, "token.missing", 0);
        return false;
    }
    if (strncasecmp(out, "Bearer ", 7)) {
        exchange_fail(exchange, ERROR_UNAUTHORIZED, "token.scheme", 0);
        return false;
    }
    memmove(out, out + 7, strlen(out + 7) + 1);
    return true;
}

static void run_refresh(struct exchange *exchange)
{
    char token[AUTHORIZATION_BYTES];

    if (bearer(exchange, token, sizeof(token)))
        login_refresh(&exchange->request, token, strlen(token));
    explicit_bzero(token, sizeof(token));
}

struct identify {
    struct node *node;
    struct handle exchange;
    struct jwt_claims claims;
};

/* Over the socket the limit is a connection's; here, where a connection may be one request, the
 * user's. False: refused, and that is answered. */
static bool within_rate(struct exchange *exchange, const struct uuid *user)
{
    int64_t wait_ms = rate_table_take(exchange->node->request_rates, user, sizeof(*user),
                                      (int64_t)clock_now_ms());
    if (!wait_ms)
        return true;
    metrics_add_label(METRIC_RATE_LIMITED, LABEL_LIMIT_REQUESTS, 1);
    exchange_fail(exchange, ERROR_RATE_LIMITED, "requests", wait_ms);
    return false;
}

static void continue_as(struct exchange *exchange, const struct uuid *user, enum user_role role)
{
    if (!within_rate(exchange, user))
        return;
    exchange->request.user = *user;
    exchange->request.role = role;
    exchange->route->run(exchange);
}

static void handle_user(void *context, const struct pg_reply *reply)
{
    struct identify *identify = context;
    struct exchange *exchange = handle_get(&identify->node->exchanges, identify->exchange);
    enum user_role role;

    if (exchange && reply->outcome != PG_OK)
        request_fail_database(&exchange->request, reply);
    else if (exchange && (!PQntuples(reply->result) ||
                          !user_role_parse(&role, pg_text(reply->result, 0, 1, NULL))))
        exchange_fail(exchange, ERROR_UNAUTHORIZED, "token.user", 0);
    else if (exchange && !access_allows(identify->claims.iat_s, pg_int8(reply->result, 0, 4),
                                        pg_int8(reply->result, 0, 5)))
        exchange_fail(exchange, ERROR_UNAUTHORIZED, "token.revoked", 0);
    else if (exchange)
        continue_as(exchange, &identify->claims.sub, role);
    free(identify);
}

/* The database says who the user is now, whatever the token claims. */
static void load_user(struct exchange *exchange, const struct jwt_claims *claims)
{
    struct identify *identify = xcalloc(1, sizeof(*identify));
    struct pg_params params = PG_PARAMS_INIT;

    identify->node = exchange->node;
    identify->exchange = exchange->handle;
    identify->claims = *claims;
    pg_params_uuid(&params, &claims->sub);
    pg_pool_query(exchange->node->pool, &sql_user_load, &params, handle_user, identify);
}

static void authenticate(struct exchange *exchange)
{
    char token[AUTHORIZATION_BYTES];
    struct jwt_claims claims;

    if (!bearer(exchange, token, sizeof(token)))
        return;
    enum jwt_result result =
        jwt_verify(exchange->node->keys, token, strlen(token), clock_unix_us() / 1000000, &claims);
    explicit_bzero(token, sizeof(token));
    metrics_add_label(METRIC_TOKENS_CHECKED, (unsigned)result, 1);
    if (result == JWT_OK)
        load_user(exchange, &claims);
    else if (result == JWT_EXPIRED)
        exchange_fail(exchange, ERROR_TOKEN_EXPIRED, NULL, 0);
    else
        exchange_fail(exchange, ERROR_UNAUTHORIZED, jwt_result_name(result), 0);
}

/* --- routes --- */

static const struct route routes[] = {
    {HTTP_POST, ACCESS_OPEN, "/api/auth/login", run_login},
    {HTTP_POST, ACCESS_TOKEN, "/api/auth/refresh", run_refresh},
    {HTTP_POST, ACCESS_USER, "/api/chats/get-or-create", run_open},
    {HTTP_GET, ACCESS_USER, "/api/chats", run_rooms},
    {HTTP_GET, ACCESS_USER, "/api/chats/{id}/messages", run_history},
    {HTTP_POST, ACCESS_USER, "/api/chats/{id}/messages", run_send},
    {HTTP_POST, ACCESS_USER, "/api/chats/{id}/read", run_read},
    {HTTP_GET, ACCESS_USER, "/api/moderation/queue", run_queue},
    {HTTP_POST, ACCESS_USER, "/api/moderation/messages/{id}/verdict", run_verdict},
    {HTTP_GET, ACCESS_OPEN, "/openapi.json", run_openapi},
    {HTTP_GET, ACCESS_OPEN, "/asyncapi.json", run_asyncapi},
    {HTTP_GET, ACCESS_OPEN, "/healthz", run_healthz},
    {HTTP_GET, ACCESS_OPEN, "/readyz", run_readyz},
    {HTTP_GET, ACCESS_ADMIN_PORT, "/metrics", run_metrics},
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

static bool path_matches(const char *pattern, const char *path, struct uuid *id)
{
    const char *hole = strstr(pattern, "{id}");

    if (!hole)
        return !strcmp(pattern, path);
    size_t before = (size_t)(hole - pattern);
    return !strncmp(pattern, path, before) && strlen(path) >= before + UUID_TEXT_BYTES &&
           uuid_parse(id, path + before, UUID_TEXT_BYTES) &&
           !strcmp(hole + 4, path + before + UUID_TEXT_BYTES);
}

/* The admin port has health and metrics only; the public one everything but metrics. */
static bool served_here(const struct exchange *exchange, const struct route *route)
{
    bool health = route->run == run_healthz || route->run == run_readyz;
    if (exchange->connection->admin)
        return health || route->access == ACCESS_ADMIN_PORT;
    return route->access != ACCESS_ADMIN_PORT;
}

static bool same_method(enum http_method asked, enum http_method route)
{
    return asked == route || (asked == HTTP_HEAD && route == HTTP_GET);
}

/* The methods of this path, as a header line; "" if there is no such path. */
static const char *allowed_methods(struct exchange *exchange)
{
    bool get = false, post = false;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!served_here(exchange, &routes[i]) ||
            !path_matches(routes[i].path, exchange->path, &exchange->id))
            continue;
        get |= routes[i].method == HTTP_GET;
        post |= routes[i].method == HTTP_POST;
    }
    if (get && post)
        return "GET, HEAD, POST, OPTIONS";
    return post ? "POST, OPTIONS" : get ? "GET, HEAD, OPTIONS" : "";
}

static void answer_method(struct exchange *exchange, const char *allowed)
{
    struct json_writer *json = &exchange->node->json;
    char headers[256];

    snprintf(headers, sizeof(headers),
             "Allow: %s\r\nAccess-Control-Allow-Methods: %s\r\n"
             "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, "
             "X-Request-Id, Traceparent\r\nAccess-Control-Max-Age: 600\r\n",
             allowed, allowed);
    if (exchange->method == HTTP_OPTIONS) {
        exchange_answer(exchange, 204, "text/plain", headers, "", 0);
        return;
    }
    json_writer_reset(json);
    event_error(json, EVENT_BODY, ERROR_METHOD_NOT_ALLOWED, "http.method", NULL, 0);
    exchange_answer(exchange, 405, "application/json", headers, json_text(json), json_length(json));
    json_writer_reset(json);
}

static void start(struct exchange *exchange)
{
    switch (exchange->route->access) {
    case ACCESS_OPEN:
    case ACCESS_TOKEN:
    case ACCESS_ADMIN_PORT:
        exchange->route->run(exchange);
        break;
    case ACCESS_USER:
        authenticate(exchange);
        break;
    }
}

/* False: refused, and that is answered. */
static bool check_body(struct exchange *exchange)
{
    char value[128];

    if (exchange->body_expected > (size_t)exchange->node->config->http.body_bytes) {
        exchange_fail(exchange, ERROR_TOO_LARGE, "http.body", 0);
        return false;
    }
    if (!exchange->body_expected)
        return true;
    exchange_header(exchange, "content-type:", value, sizeof(value));
    if (!strncasecmp(value, "application/json", 16) && (!value[16] || strchr("; ", value[16])))
        return true;
    exchange_fail(exchange, ERROR_UNSUPPORTED_MEDIA_TYPE, "http.content_type", 0);
    return false;
}

static void begin_route(struct exchange *exchange, const struct route *route)
{
    exchange->route = route;
    if (route->method == HTTP_GET) {
        start(exchange);
        return;
    }
    if (!check_body(exchange))
        return;
    if (!exchange->body_expected) {
        exchange->body_complete = true;
        start(exchange);
    }
}

void rest_begin(struct exchange *exchange)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (same_method(exchange->method, routes[i].method) && served_here(exchange, &routes[i]) &&
            path_matches(routes[i].path, exchange->path, &exchange->id)) {
            begin_route(exchange, &routes[i]);
            return;
        }
    }
    bool file = !exchange->connection->admin && static_files_have(exchange);
    const char *allowed = file ? "GET, HEAD, OPTIONS" : allowed_methods(exchange);
    if (file && same_method(exchange->method, HTTP_GET))
        static_files_serve(exchange);
    else if (*allowed)
        answer_method(exchange, allowed);
    else
        exchange_fail(exchange, ERROR_NOT_FOUND, "http.path", 0);
}

void rest_body(struct exchange *exchange)
{
    if (exchange->route && !exchange->answer)
        start(exchange);
}
