/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes http_head_parse() and what reads its result: the handshake's checks and addresses */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gateway/address.h"
#include "gateway/handshake_check.h"
#include "gateway/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_inside(struct http_slice slice, const char *data, size_t length)
{
    if (!slice.data)
        return;
    assert(slice.data >= data && slice.data + slice.length <= data + length);
}

/* Values go into log fields and into the head that libwebsockets is shown. */
static void check_plain(struct http_slice slice)
{
    for (size_t i = 0; i < slice.length; i++) {
        unsigned char c = (unsigned char)slice.data[i];
        assert((c >= 0x20 && c != 0x7f) || c == '\t');
    }
}

static void check_list(const struct http_head *head, const char *name, const char *data)
{
    struct http_slice item;
    size_t cursor = 0, items = 0;

    while (http_head_next_item(head, name, &cursor, &item)) {
        check_inside(item, data, head->length);
        assert(!memchr(item.data, ',', item.length));
        assert(++items <= HTTP_HEAD_MAX_BYTES);
    }
}

static void check_head(const struct http_head *head, const char *data)
{
    const struct http_slice lines[] = {head->method, head->target, head->path,
                                       head->query,  head->host,   head->origin};

    assert(head->length <= HTTP_HEAD_MAX_BYTES && head->field_count <= HTTP_HEAD_MAX_FIELDS);
    assert(head->host.length && head->path.length && head->path.data[0] == '/');
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_inside(lines[i], data, head->length);
    for (size_t i = 0; i < head->field_count; i++) {
        check_inside(head->fields[i].name, data, head->length);
        check_inside(head->fields[i].value, data, head->length);
        check_plain(head->fields[i].value);
        assert(head->fields[i].name.length);
    }
    check_list(head, "connection", data);
    check_list(head, "sec-websocket-protocol", data);
}

/* A head is whole at its last byte and not before, whatever follows it. */
static void check_pieces(const struct http_head *head, const char *data)
{
    struct http_head again;

    assert(http_head_parse(&again, data, head->length) == HTTP_HEAD_OK);
    assert(again.length == head->length && again.field_count == head->field_count);
    assert(http_head_parse(&again, data, head->length - 1) == HTTP_HEAD_PARTIAL);
    assert(http_head_parse(&again, data, head->length / 2) == HTTP_HEAD_PARTIAL);
}

static void check_request(const struct http_head *head, const char *data)
{
    struct handshake_upgrade upgrade;
    struct handshake_refusal refusal;

    if (handshake_refuse_request(head, "https://a.example, http://localhost:3000", &upgrade,
                                 &refusal)) {
        assert(refusal.status >= 400 && refusal.status < 500 && refusal.code && refusal.reason);
        return;
    }
    check_inside(upgrade.token, data, head->length);
    if (upgrade.wanted)
        assert(http_slice_is(head->method, "GET") &&
               http_slice_is(head->path, HANDSHAKE_WEBSOCKET_PATH) &&
               http_head_get(head, "sec-websocket-key").length == 24);
}

static void check_address(const struct http_head *head)
{
    struct in6_addr address;

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &address);
    address_of_client(&address, head, "127.0.0.1, 10.0.0.0/8, ::/65");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *text = (const char *)data;
    struct http_head head;
    struct handshake_refusal refusal;
    enum http_head_result result = http_head_parse(&head, text, bytes);

    if (result != HTTP_HEAD_OK) {
        assert(handshake_refuse_head(result, &refusal) == (result != HTTP_HEAD_PARTIAL));
        return 0;
    }
    check_head(&head, text);
    check_pieces(&head, text);
    check_request(&head, text);
    check_address(&head);
    return 0;
}
