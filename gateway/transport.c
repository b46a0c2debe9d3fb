/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam to libwebsockets.
 *
 * The library runs on the node's libuv loop and never listens or speaks TLS itself: sockets come
 * from the handshake, in plain text and with a request head that was checked. Its callback only
 * translates reasons into calls on sessions and HTTP exchanges.
 *
 * Writing. Frames are not written one by one in WRITEABLE callbacks, as the library would have it:
 * one send() and two epoll_ctl() a frame are most of the cost of a fan-out. Sessions with something
 * to say stand on the dirty list. Right before the loop would block, each one's frames are joined
 * into a buffer and handed over with LWS_WRITE_RAW, since they carry their WebSocket headers
 * already. Only a socket that is full waits for WRITEABLE.
 *
 * Closing. The library sends its close frame from some callbacks and not from others, and never to
 * a peer whose socket is full. So the close frame is ours too: the last frame of the queue. Then
 * the peer has a moment to answer before the connection is cut.
 */
#include "gateway/transport.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/http.h"
#include "gateway/inbound.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/session.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"

enum {
    COALESCE_BYTES = 16384,
    RX_BUFFER_BYTES = 384,       /* per connection: a send of 100 letters; inbound has more */
    SERVICE_BUFFER_BYTES = 8192, /* shared */
    HTTP_TIMEOUT_S = 30,
    KEEPALIVE_S = 60,
    LATE_NS = 5000000,
};

struct transport {
    struct node *node;
    struct lws_context *context;
    struct lws_vhost *vhost;
    uv_prepare_t before_block;
    struct list_node dirty; /* connection::dirty */
    bool flushing;
    uint64_t flushed_ns;   /* when that was last done; uv_hrtime() */
    unsigned char *buffer; /* LWS_PRE + buffer_bytes */
    size_t buffer_bytes;
    struct connection *adopting; /* during transport_adopt(), until the library has it */
};

/* --- writing --- */

static unsigned char *buffer_for(struct transport *transport, size_t bytes)
{
    if (bytes > transport->buffer_bytes) {
        transport->buffer = xrealloc(transport->buffer, LWS_PRE + bytes);
        transport->buffer_bytes = bytes;
    }
    return transport->buffer + LWS_PRE;
}

/* Writes until the queue is empty or the socket is full. False: the connection is broken. */
static bool flush_session(struct transport *transport, struct connection *connection)
{
    struct outbound *queue = &connection->session->outbound;

    while (!outbound_empty(queue)) {
        if (lws_partial_buffered(connection->wsi)) {
            lws_callback_on_writable(connection->wsi);
            return true;
        }
        size_t first = outbound_next_bytes(queue);
        size_t room = first > COALESCE_BYTES ? first : COALESCE_BYTES;
        unsigned char *buffer = buffer_for(transport, room);
        uint32_t frames = queue->count;
        size_t length = outbound_take(queue, buffer, room);
        frames -= queue->count;
        metrics_observe(METRIC_FLUSH_FRAMES, frames);
        metrics_add(METRIC_SENT_FRAMES, frames);
        metrics_add(METRIC_SEND_QUEUE_BYTES, -(int64_t)length);
        metrics_add(METRIC_SENT_BYTES, (int64_t)length);
        if (lws_write(connection->wsi, buffer, length, LWS_WRITE_RAW) < (int)length)
            return false;
    }
    session_drained(connection->session);
    return true;
}

static void flush_dirty(struct transport *transport)
{
    struct list_node batch;
    list_init(&batch);
    list_splice(&batch, &transport->dirty);
    transport->flushing = true;
    while (!list_empty(&batch)) {
        struct connection *connection = container_of(list_first(&batch), struct connection, dirty);
        list_remove(&connection->dirty);
        if (connection->session && !flush_session(transport, connection))
            connection_abandon(connection);
    }
    transport->flushing = false;
    transport->flushed_ns = uv_hrtime();
}

/* libuv may have tens of thousands of events in one turn, and what the first of them gave rise to
 * shall not wait for the last. */
void transport_flush_if_late(struct transport *transport)
{
    if (transport->flushing || list_empty(&transport->dirty))
        return;
    uint64_t since_ns = uv_now(transport->node->loop) * 1000000;
    if (since_ns < transport->flushed_ns)
        since_ns = transport->flushed_ns;
    if (uv_hrtime() > since_ns + LATE_NS)
        flush_dirty(transport);
}

static void handle_before_block(uv_prepare_t *handle)
{
    struct transport *transport = handle->data;

    /* A drained session may queue its next page at once; a few rounds keep the loop fair. */
    for (int round = 0; round < 4 && !list_empty(&transport->dirty); round++)
        flush_dirty(transport);
}

void connection_flush_later(struct connection *connection)
{
    if (connection->wsi && !list_linked(&connection->dirty))
        list_append(&connection->node->transport->dirty, &connection->dirty);
}

void connection_close(struct connection *connection, enum close_code code, int64_t retry_after_ms)
{
    char payload[2 + CLOSE_REASON_BYTES];

    if (!connection->session || connection->closing)
        return;
    connection->closing = true;
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    size_t length = 2 + close_reason(code, retry_after_ms, payload + 2);
    struct frame *frame = frame_new_control(FRAME_CLOSE, payload, length);
    outbound_push(&connection->session->outbound, frame, SIZE_MAX);
    metrics_add(METRIC_SEND_QUEUE_BYTES, (int64_t)frame_length(frame));
    frame_unref(frame);
    connection_flush_later(connection);
}

void connection_abandon(struct connection *connection)
{
    if (!connection->wsi)
        return;
    lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    /* The library looks at its timers after events of its own only: give it one. */
    lws_cancel_service(connection->node->transport->context);
}

/* --- the library's events --- */

static struct connection *connection_of(struct lws *wsi)
{
    return wsi ? lws_get_opaque_user_data(wsi) : NULL;
}

/* The call that takes bytes already read has no room for an opaque pointer: it is set here, in the
 * first callback that comes from inside it. */
static int handle_new_client(struct lws *wsi)
{
    struct transport *transport = lws_context_user(lws_get_context(wsi));

    if (!transport->adopting)
        return -1;
    transport->adopting->wsi = wsi;
    lws_set_opaque_user_data(wsi, transport->adopting);
    transport->adopting = NULL;
    return 0;
}

/* Only a head that our own handshake read may upgrade: one that follows another request on the
 * same connection was parsed by the library alone. */
static int handle_confirm_upgrade(struct connection *connection, struct lws *wsi)
{
    if (connection && connection->checked)
        return 0;
    lws_return_http_status(wsi, HTTP_STATUS_BAD_REQUEST, NULL);
    return 1;
}

static int handle_established(struct connection *connection)
{
    if (!connection)
        return -1;
    connection->session = session_new(connection);
    return 0;
}

static int handle_receive(struct connection *connection, struct lws *wsi, const char *data,
                          size_t length)
{
    if (!connection || !connection->session || connection->closing)
        return 0;
    struct inbound_piece piece = {
        .data = data,
        .length = length,
        .rest_of_frame = lws_remaining_packet_payload(wsi),
        .first = lws_is_first_fragment(wsi),
        .final = lws_is_final_fragment(wsi),
        .binary = lws_frame_is_binary(wsi),
    };
    inbound_receive(connection, &piece);
    transport_flush_if_late(connection->node->transport);
    return 0;
}

static int handle_pong(struct connection *connection)
{
    if (connection && connection->session)
        session_heard(connection->session);
    return 0;
}

static int handle_writeable(struct connection *connection)
{
    if (!connection || !connection->session)
        return 0;
    return flush_session(connection->node->transport, connection) ? 0 : -1;
}

/* Codes that a client may send (RFC 6455 section 7.4). */
static bool close_code_allowed(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* The peer closes, or answers our close. Returning -1 cuts the connection without a word from the
 * library: what is to be said is said here. */
static int handle_peer_close(struct connection *connection, struct lws *wsi,
                             const unsigned char *payload, size_t length)
{
    unsigned char buffer[LWS_PRE + 4] = {0}, *frame = buffer + LWS_PRE;
    unsigned code = length >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 0;

    if (!connection || connection->closing)
        return -1;
    if (length == 1 || (length >= 2 && !close_code_allowed(code)))
        code = CLOSE_BAD_FRAME;
    frame[0] = 0x88;
    frame[1] = code ? 2 : 0;
    frame[2] = (unsigned char)(code >> 8);
    frame[3] = (unsigned char)code;
    lws_write(wsi, frame, code ? 4 : 2, LWS_WRITE_RAW);
    return -1;
}

static int handle_closed(struct connection *connection)
{
    if (!connection)
        return 0;
    connection->session = session_free(connection->session);
    transport_flush_if_late(connection->node->transport);
    return 0;
}

static int handle_wsi_destroy(struct connection *connection, struct lws *wsi)
{
    if (!connection)
        return 0;
    lws_set_opaque_user_data(wsi, NULL);
    connection_free(connection);
    return 0;
}

static int handle_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t length)
{
    struct connection *connection = connection_of(wsi);
    (void)user;

    switch ((int)reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return handle_new_client(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return handle_confirm_upgrade(connection, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return handle_established(connection);
    case LWS_CALLBACK_RECEIVE:
        return handle_receive(connection, wsi, in, length);
    case LWS_CALLBACK_RECEIVE_PONG:
        return handle_pong(connection);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return handle_writeable(connection);
    case LWS_CALLBACK_CLOSED:
        return handle_closed(connection);
    case LWS_CALLBACK_WSI_DESTROY:
        return handle_wsi_destroy(connection, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return handle_peer_close(connection, wsi, in, length);
    case LWS_CALLBACK_HTTP:
        return http_handle_request(connection, wsi, in, length);
    case LWS_CALLBACK_HTTP_BODY:
        return http_handle_body(connection, wsi, in, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_handle_body_end(connection, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_handle_writeable(connection, wsi);
    case LWS_CALLBACK_CLOSED_HTTP:
        http_handle_closed(connection);
        return 0;
    default: /* the library's other 100 reasons */
        return 0;
    }
}

/* --- life --- */

static const struct lws_protocols protocols[] = {
    {
        .name = "chatgate.v1",
        .callback = handle_lws,
        .rx_buffer_size = RX_BUFFER_BYTES,
        .tx_packet_size = COALESCE_BYTES, /* or a send() would end at rx_buffer_size */
    },
    {0},
};

/* The library's pings and validity checks are a sorted list, O(n): ours are a wheel. */
static const lws_retry_bo_t no_validity_checks = {0};

static struct lws_context *context_new(struct transport *transport)
{
    void *loops[] = {transport->node->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .pt_serv_buf_size = SERVICE_BUFFER_BYTES,
        .max_http_header_data = 9000, /* as many at once as descriptors: none waits for others */
        .timeout_secs = HTTP_TIMEOUT_S,
        .keepalive_timeout = KEEPALIVE_S,
        .retry_and_idle_policy = &no_validity_checks,
        .user = transport,
        .pcontext = &transport->context, /* NULL again when it is gone */
    };

    lws_set_log_level(0, NULL); /* its lines can hold headers, and so tokens */
    struct lws_context *context = lws_create_context(&info);
    if (!context)
        return NULL;
    info.vhost_name = "chatgate";
    info.server_string = "chatgate";
    transport->vhost = lws_create_vhost(context, &info);
    if (!transport->vhost) {
        lws_context_destroy(context);
        return NULL;
    }
    return context;
}

struct transport *transport_new(struct node *node)
{
    struct transport *transport = xcalloc(1, sizeof(*transport));

    transport->node = node;
    list_init(&transport->dirty);
    transport->context = context_new(transport);
    if (!transport->context) {
        log_error("libwebsockets refused to start; is its libuv plugin installed "
                  "(libwebsockets-evlib-uv)?");
        free(transport);
        return NULL;
    }
    uv_prepare_init(node->loop, &transport->before_block);
    transport->before_block.data = transport;
    uv_prepare_start(&transport->before_block, handle_before_block);
    uv_unref((uv_handle_t *)&transport->before_block);
    return transport;
}

void transport_close(struct transport *transport)
{
    if (!transport)
        return;
    lws_context_destroy(transport->context);
    uv_close((uv_handle_t *)&transport->before_block, NULL);
}

/* On a foreign loop the library's second half waits for a second call. */
struct transport *transport_free(struct transport *transport)
{
    if (!transport)
        return NULL;
    if (transport->context)
        lws_context_destroy(transport->context);
    free(transport->buffer);
    free(transport);
    return NULL;
}

void transport_adopt(struct transport *transport, struct connection *connection, int fd,
                     const char *received, size_t length)
{
    transport_flush_if_late(transport);
    transport->adopting = connection;
    if (length)
        lws_adopt_socket_vhost_readbuf(transport->vhost, fd, received, length);
    else
        lws_adopt_socket_vhost(transport->vhost, fd);
    /* By now the request may be answered and the connection gone. Only one that the library never
     * introduced to handle_new_client() is still ours. */
    if (transport->adopting)
        connection_free(connection);
    transport->adopting = NULL;
}
