/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator shares the machine with what it measures, so it must be cheap: all clients read
 * into one large buffer and take every frame in it where it lies; only an incomplete one is kept. A
 * frame is masked into the memory of its write request and, unless the socket is full, sent before
 * the call returns.
 *
 * It believes its server: Sec-WebSocket-Accept is not checked (the integration tests do), and a
 * fragmented or masked frame ends the connection.
 */
#include "tests/bench/ws_client.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"

enum {
    READ_BYTES = 256 * 1024,
    PENDING_BYTES_MAX = 1024 * 1024,
    HEADER_BYTES_MAX = 14, /* with the mask */
    PONG_BYTES_MAX = 125,
    FIN = 0x80,
    MASKED = 0x80,
    TEXT = 1,
    CLOSE = 8,
    PING = 9,
    PONG = 10,
};

/* --- the end --- */

static void handle_closed(uv_handle_t *handle)
{
    struct ws_client *client = handle->data;

    free(client->pending);
    free(client->request);
    client->pending = NULL;
    client->request = NULL;
    client->pending_bytes = 0;
    client->state = WS_IDLE;
    client->events->closed(client, client->close_code);
}

static void end(struct ws_client *client, int code)
{
    if (client->state == WS_CLOSING || client->state == WS_IDLE)
        return;
    client->state = WS_CLOSING;
    client->close_code = code;
    uv_close((uv_handle_t *)&client->tcp, handle_closed);
}

void ws_client_drop(struct ws_client *client)
{
    end(client, 0);
}

/* --- out --- */

struct write {
    uv_write_t request;
    size_t length;
    unsigned char bytes[];
};

static uint32_t next_mask(void)
{
    static uint32_t state = 2463534242; /* xorshift; its quality is of no concern */
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static size_t put_header(unsigned char *out, int opcode, size_t length, uint32_t mask)
{
    size_t bytes = 2;

    out[0] = (unsigned char)(FIN | opcode);
    if (length < 126) {
        out[1] = (unsigned char)(MASKED | length);
    } else if (length <= UINT16_MAX) {
        out[1] = MASKED | 126;
        out[bytes++] = (unsigned char)(length >> 8);
        out[bytes++] = (unsigned char)length;
    } else {
        out[1] = MASKED | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[bytes++] = (unsigned char)((uint64_t)length >> shift);
    }
    memcpy(out + bytes, &mask, sizeof(mask));
    return bytes + sizeof(mask);
}

static struct write *frame_of(int opcode, const void *payload, size_t length)
{
    struct write *write = xmalloc(sizeof(*write) + HEADER_BYTES_MAX + length);
    const unsigned char *in = payload;
    uint32_t mask = next_mask();
    size_t header = put_header(write->bytes, opcode, length, mask);
    unsigned char *out = write->bytes + header;
    const unsigned char *key = out - sizeof(mask);

    for (size_t i = 0; i < length; i++)
        out[i] = in[i] ^ key[i & 3];
    write->length = header + length;
    write->request.data = write;
    return write;
}

static void handle_written(uv_write_t *request, int status)
{
    (void)status; /* a broken connection is seen by its reader */
    free(request->data);
}

static void send_frame(struct ws_client *client, int opcode, const void *payload, size_t length)
{
    struct write *write = frame_of(opcode, payload, length);
    uv_buf_t whole = uv_buf_init((char *)write->bytes, (unsigned)write->length);
    int sent = uv_try_write((uv_stream_t *)&client->tcp, &whole, 1);

    if (sent == (int)write->length || (sent < 0 && sent != UV_EAGAIN)) {
        free(write);
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    uv_buf_t rest = uv_buf_init((char *)write->bytes + done, (unsigned)(write->length - done));
    if (uv_write(&write->request, (uv_stream_t *)&client->tcp, &rest, 1, handle_written))
        free(write);
}

bool ws_client_send(struct ws_client *client, const char *text, size_t length)
{
    if (client->state != WS_OPEN)
        return false;
    send_frame(client, TEXT, text, length);
    return true;
}

/* --- in --- */

/* One frame, where it lies in the buffer. */
struct piece {
    int opcode;
    const unsigned char *payload;
    size_t length;
};

/* The size of the frame with its header; 0: not all of it is there; -1: not a server's frame. */
static ssize_t parse_frame(const unsigned char *data, size_t bytes, struct piece *piece)
{
    size_t header = 2;

    if (bytes < header)
        return 0;
    if ((data[0] & 0xF0) != FIN || (data[1] & MASKED))
        return -1;
    uint64_t length = data[1];
    int more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes < header + (size_t)more)
        return 0;
    for (int i = 0; i < more; i++)
        length = (i ? length << 8 : 0) | data[header + (size_t)i];
    header += (size_t)more;
    if (length > PENDING_BYTES_MAX)
        return -1;
    if (bytes < header + length)
        return 0;
    *piece = (struct piece){data[0] & 0x0F, data + header, (size_t)length};
    return (ssize_t)(header + length);
}

static void take_frame(struct ws_client *client, const struct piece *piece)
{
    switch (piece->opcode) {
    case TEXT:
        client->events->text(client, (const char *)piece->payload, piece->length);
        break;
    case PING:
        if (piece->length <= PONG_BYTES_MAX)
            send_frame(client, PONG, piece->payload, piece->length);
        break;
    case CLOSE:
        end(client, piece->length >= 2 ? piece->payload[0] << 8 | piece->payload[1] : 0);
        break;
    }
}

static size_t take_frames(struct ws_client *client, const unsigned char *data, size_t bytes)
{
    struct piece piece;
    size_t taken = 0;

    while (client->state == WS_OPEN) {
        ssize_t size = parse_frame(data + taken, bytes - taken, &piece);
        if (size < 0)
            end(client, UV_EPROTO);
        if (size <= 0)
            break;
        take_frame(client, &piece);
        taken += (size_t)size;
    }
    return taken;
}

/* Of a whole head, so there are bytes behind the status; 0 if it is no HTTP/1.1. */
static int http_status(const unsigned char *head)
{
    static const char version[] = "HTTP/1.1 ";

    if (memcmp(head, version, sizeof(version) - 1) != 0)
        return 0;
    return (int)strtol((const char *)head + sizeof(version) - 1, NULL, 10);
}

/* The answer to the upgrade. Returns its size, 0 while it is incomplete. */
static size_t take_answer(struct ws_client *client, const unsigned char *data, size_t bytes)
{
    const unsigned char *stop = memmem(data, bytes, "\r\n\r\n", 4);

    if (!stop)
        return 0;
    int status = bytes > 12 ? http_status(data) : 0;
    if (status != 101) {
        end(client, status ? status : UV_EPROTO);
        return bytes;
    }
    client->state = WS_OPEN;
    client->events->opened(client);
    return (size_t)(stop + 4 - data);
}

static void take(struct ws_client *client, const unsigned char *data, size_t bytes)
{
    size_t taken = 0;

    if (client->state == WS_UPGRADING)
        taken = take_answer(client, data, bytes);
    taken += take_frames(client, data + taken, bytes - taken);
    if (client->state == WS_CLOSING || taken == bytes)
        return;
    client->pending_bytes = bytes - taken;
    client->pending = xmemdup(data + taken, client->pending_bytes);
}

static void handle_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char buffer[READ_BYTES]; /* one loop, and what it reads is taken at once */
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(buffer, sizeof(buffer));
}

static void handle_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    struct ws_client *client = stream->data;

    if (bytes < 0) {
        end(client, bytes == UV_EOF ? 0 : (int)bytes);
        return;
    }
    if (!client->pending) {
        take(client, (const unsigned char *)buffer->base, (size_t)bytes);
        return;
    }
    size_t joined = client->pending_bytes + (size_t)bytes;
    unsigned char *data = xrealloc(client->pending, joined);
    memcpy(data + client->pending_bytes, buffer->base, (size_t)bytes);
    client->pending = NULL;
    client->pending_bytes = 0;
    take(client, data, joined);
    free(data);
}

/* --- the beginning --- */

static void handle_requested(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void handle_connected(uv_connect_t *connect, int status)
{
    struct ws_client *client = connect->data;

    if (client->state != WS_CONNECTING)
        return;
    if (status) {
        end(client, status);
        return;
    }
    client->state = WS_UPGRADING;
    uv_tcp_nodelay(&client->tcp, 1);
    uv_read_start((uv_stream_t *)&client->tcp, handle_allocate, handle_read);
    uv_buf_t request = uv_buf_init(client->request, (unsigned)strlen(client->request));
    uv_write_t *write = xmalloc(sizeof(*write));
    if (uv_write(write, (uv_stream_t *)&client->tcp, &request, 1, handle_requested))
        free(write);
}

static char *upgrade_request(const struct sockaddr_in *address, const char *token)
{
    char *request = NULL;

    int length = asprintf(&request,
                          "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: Y2hhdGdhdGUtYmVuY2gtaQ==\r\n"
                          "Sec-WebSocket-Protocol: chatgate.v1\r\n"
                          "Authorization: Bearer %s\r\n\r\n",
                          ntohs(address->sin_port), token);
    if (length < 0)
        abort();
    return request;
}

void ws_client_init(struct ws_client *client, const struct ws_client_events *events)
{
    *client = (struct ws_client){.events = events};
}

void ws_client_connect(struct ws_client *client, uv_loop_t *loop, const struct sockaddr_in *address,
                       const char *token)
{
    assert(client->state == WS_IDLE);
    client->state = WS_CONNECTING;
    client->close_code = 0;
    client->request = upgrade_request(address, token);
    uv_tcp_init(loop, &client->tcp);
    client->tcp.data = client->connect.data = client;
    int error = uv_tcp_connect(&client->connect, &client->tcp, (const struct sockaddr *)address,
                               handle_connected);
    if (error)
        end(client, error);
}
