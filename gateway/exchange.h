/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/handle_table.h"
#include "gateway/request.h"
#include "gateway/timer_wheel.h"
#include "protocol/uuid.h"

struct connection;
struct json_writer;
struct lws;
struct node;
struct route;

enum {
    EXCHANGE_PATH_BYTES = 256,
    EXCHANGE_QUERY_BYTES = 512,
    EXCHANGE_REQUEST_ID_BYTES = 65,
    EXCHANGE_TRACEPARENT_BYTES = 56,
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER_METHOD };

/* Owned by the connection from the request's head to the end of its answer. Asynchronous answers
 * find it by handle. */
struct exchange {
    struct node *node;
    struct connection *connection;
    struct lws *wsi;
    struct handle handle;
    const struct route *route; /* NULL: answered at once */
    enum http_method method;
    char path[EXCHANGE_PATH_BYTES];
    char request_id[EXCHANGE_REQUEST_ID_BYTES];
    char traceparent[EXCHANGE_TRACEPARENT_BYTES]; /* W3C Trace Context, for the log; or "" */
    char origin[128];                             /* of an allowed page, echoed for CORS; or "" */
    struct uuid id;                               /* the path's {id} */
    struct request request;                       /* who asks, once that is known */
    char *body;
    size_t body_length, body_expected; /* what came, and what Content-Length says */
    struct timer_entry body_deadline;
    char *answer; /* head and body, LWS_PRE before them; NULL until there is one */
    size_t answer_head, answer_length;
    bool body_complete, sent;
    bool last; /* the connection ends with this answer */
    uint64_t started_us;
};

/* Puts together the answer and asks to write it. `headers` are whole lines, or "". */
void exchange_answer(struct exchange *exchange, int status, const char *content_type,
                     const char *headers, const void *body, size_t length);

/* The same for an error of the protocol. */
void exchange_fail(struct exchange *exchange, enum error_code code, const char *reason,
                   int64_t retry_after_ms);

/* A request header's value, or a query parameter's (percent-decoded), as a string in `out`. False:
 * it isn't there, or is longer than `room`. */
bool exchange_header(const struct exchange *exchange, const char *name_with_colon, char *out,
                     size_t room);
bool exchange_query(const struct exchange *exchange, const char *name, char *out, size_t room);
