/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of request heads.
 *
 * It stands before libwebsockets, whose own parser is lenient: what the gateway does not want to
 * see (bare LF, folded lines, two Hosts, a body with two lengths) is refused here, before any
 * other code looks at it. It keeps slices of the caller's buffer and allocates nothing.
 */
#include "gateway/http_head.h"

#include <string.h>
#include <strings.h>

bool http_slice_is(struct http_slice slice, const char *text)
{
    return slice.data && slice.length == strlen(text) && !memcmp(slice.data, text, slice.length);
}

bool http_slice_is_nocase(struct http_slice slice, const char *text)
{
    return slice.data && slice.length == strlen(text) &&
           !strncasecmp(slice.data, text, slice.length);
}

/* RFC 9110 section 5.6.2 */
static bool is_token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct http_slice slice)
{
    for (size_t i = 0; i < slice.length; i++)
        if (!is_token_char((unsigned char)slice.data[i]))
            return false;
    return slice.length > 0;
}

static struct http_slice trim(struct http_slice slice)
{
    while (slice.length && (*slice.data == ' ' || *slice.data == '\t'))
        slice.data++, slice.length--;
    while (slice.length &&
           (slice.data[slice.length - 1] == ' ' || slice.data[slice.length - 1] == '\t'))
        slice.length--;
    return slice;
}

/* Takes one line that ends in CR LF. Any other control character but TAB is malformed. */
static enum http_head_result take_line(const char *data, size_t length, size_t *offset,
                                       struct http_slice *line)
{
    size_t start = *offset;

    for (size_t i = start; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\r') {
            if (i + 1 == length)
                return HTTP_HEAD_PARTIAL;
            if (data[i + 1] != '\n')
                return HTTP_HEAD_MALFORMED;
            *line = (struct http_slice){data + start, i - start};
            *offset = i + 2;
            return HTTP_HEAD_OK;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return HTTP_HEAD_MALFORMED;
    }
    return HTTP_HEAD_PARTIAL;
}

/* RFC 3986: dot segments, written plainly or by percent, never name anything here. */
static bool path_is_plain(struct http_slice path)
{
    for (size_t i = 0; i < path.length; i++) {
        const char *at = path.data + i;
        size_t left = path.length - i;
        if (left >= 3 && (!strncasecmp(at, "%2e", 3) || !strncmp(at, "%00", 3)))
            return false;
        if (*at == '/' && left >= 2 && at[1] == '.')
            return false;
        if (*at == '\\')
            return false;
    }
    return true;
}

static enum http_head_result parse_request_line(struct http_head *head, struct http_slice line)
{
    const char *end = line.data + line.length;
    const char *first = memchr(line.data, ' ', line.length);
    if (!first)
        return HTTP_HEAD_NOT_HTTP;
    const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
    if (!second)
        return HTTP_HEAD_NOT_HTTP;

    head->method = (struct http_slice){line.data, (size_t)(first - line.data)};
    head->target = (struct http_slice){first + 1, (size_t)(second - first - 1)};
    struct http_slice version = {second + 1, (size_t)(end - second - 1)};

    if (!is_token(head->method) || version.length < 5 || memcmp(version.data, "HTTP/", 5))
        return HTTP_HEAD_NOT_HTTP;
    if (http_slice_is(version, "HTTP/2.0"))
        return HTTP_HEAD_NOT_HTTP;
    if (!http_slice_is(version, "HTTP/1.1"))
        return HTTP_HEAD_BAD_VERSION;
    if (!head->target.length || head->target.data[0] != '/')
        return HTTP_HEAD_MALFORMED;

    const char *mark = memchr(head->target.data, '?', head->target.length);
    head->path = head->target;
    if (mark) {
        head->path.length = (size_t)(mark - head->target.data);
        head->query = (struct http_slice){mark + 1, head->target.length - head->path.length - 1};
    }
    return path_is_plain(head->path) ? HTTP_HEAD_OK : HTTP_HEAD_BAD_TARGET;
}

static enum http_head_result parse_field(struct http_head *head, struct http_slice line)
{
    const char *colon = memchr(line.data, ':', line.length);
    if (!colon)
        return HTTP_HEAD_MALFORMED;
    struct http_field field = {
        .name = {line.data, (size_t)(colon - line.data)},
        .value = {colon + 1, (size_t)(line.data + line.length - colon - 1)},
    };
    field.value = trim(field.value);
    if (!is_token(field.name)) /* a folded line starts with a space and fails here */
        return HTTP_HEAD_MALFORMED;
    if (head->field_count == HTTP_HEAD_MAX_FIELDS)
        return HTTP_HEAD_TOO_LARGE;
    head->fields[head->field_count++] = field;
    return HTTP_HEAD_OK;
}

static size_t count_fields(const struct http_head *head, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++)
        count += http_slice_is_nocase(head->fields[i].name, name);
    return count;
}

static enum http_head_result check_length(const struct http_head *head)
{
    size_t lengths = count_fields(head, "content-length");
    if (lengths > 1 || count_fields(head, "transfer-encoding"))
        return HTTP_HEAD_BAD_LENGTH;
    if (!lengths)
        return HTTP_HEAD_OK;
    struct http_slice value = http_head_get(head, "content-length");
    if (!value.length || value.length > 10)
        return HTTP_HEAD_BAD_LENGTH;
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return HTTP_HEAD_BAD_LENGTH;
    return HTTP_HEAD_OK;
}

static enum http_head_result check_fields(struct http_head *head)
{
    static const char *const single[] = {"origin", "sec-websocket-key", "sec-websocket-version",
                                         "authorization", "content-type"};

    head->host = http_head_get(head, "host");
    head->origin = http_head_get(head, "origin");
    if (count_fields(head, "host") != 1 || !head->host.length)
        return HTTP_HEAD_BAD_HOST;
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
        if (count_fields(head, single[i]) > 1)
            return HTTP_HEAD_DOUBLED_FIELD;
    return check_length(head);
}

/* A first byte that no HTTP method starts with: a TLS hello, a random probe. */
static bool cannot_be_http(const char *data, size_t length)
{
    return length && !is_token_char((unsigned char)data[0]);
}

enum http_head_result http_head_parse(struct http_head *head, const char *data, size_t length)
{
    size_t offset = 0;
    struct http_slice line;

    *head = (struct http_head){0};
    if (cannot_be_http(data, length))
        return HTTP_HEAD_NOT_HTTP;
    size_t window = length < HTTP_HEAD_MAX_BYTES ? length : HTTP_HEAD_MAX_BYTES;

    for (bool first = true;; first = false) {
        enum http_head_result result = take_line(data, window, &offset, &line);
        if (result == HTTP_HEAD_PARTIAL && window == HTTP_HEAD_MAX_BYTES)
            return HTTP_HEAD_TOO_LARGE;
        if (result == HTTP_HEAD_OK && !first && !line.length)
            break;
        if (result == HTTP_HEAD_OK)
            result = first ? parse_request_line(head, line) : parse_field(head, line);
        if (result != HTTP_HEAD_OK)
            return result;
    }
    head->length = offset;
    return check_fields(head);
}

struct http_slice http_head_get(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (http_slice_is_nocase(head->fields[i].name, name))
            return head->fields[i].value;
    return (struct http_slice){0};
}

/* The cursor is field index * 64 KiB + offset in its value; heads are far below 64 KiB. */
bool http_head_next_item(const struct http_head *head, const char *name, size_t *cursor,
                         struct http_slice *item)
{
    size_t index = *cursor >> 16, offset = *cursor & 0xffff;

    for (; index < head->field_count; index++, offset = 0) {
        struct http_slice value = head->fields[index].value;
        if (!http_slice_is_nocase(head->fields[index].name, name) || offset >= value.length)
            continue;
        const char *from = value.data + offset;
        const char *comma = memchr(from, ',', value.length - offset);
        size_t length = comma ? (size_t)(comma - from) : value.length - offset;
        *item = trim((struct http_slice){from, length});
        *cursor = (index << 16) | (offset + length + 1);
        return true;
    }
    return false;
}

bool http_head_lists(const struct http_head *head, const char *name, const char *token)
{
    size_t cursor = 0;
    struct http_slice item;
    while (http_head_next_item(head, name, &cursor, &item))
        if (http_slice_is_nocase(item, token))
            return true;
    return false;
}

bool http_head_has_query(const struct http_head *head, const char *name)
{
    const char *at = head->query.data, *end = at ? at + head->query.length : at;
    while (at && at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        const char *equal = memchr(at, '=', (size_t)(stop - at));
        struct http_slice key = {at, (size_t)((equal ? equal : stop) - at)};
        if (http_slice_is_nocase(key, name))
            return true;
        at = stop + 1;
    }
    return false;
}
