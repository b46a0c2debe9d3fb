/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/http_head.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http_head.h"

static struct http_head head;

/* Parsed in a block of its own size, so that a sanitizer sees a read beyond the end. */
static enum http_head_result parse(const char *text, size_t length)
{
    static char *copy;

    free(copy);
    copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    return http_head_parse(&head, copy, length);
}

static void expect_slice(struct http_slice slice, const char *text)
{
    if (!http_slice_is(slice, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)slice.length, slice.data, text);
}

#define GOOD(text) assert_int_equal(parse(text, sizeof(text) - 1), HTTP_HEAD_OK)

static void test_what_a_browser_sends(void **state)
{
    GOOD("GET /ws?a=1&b HTTP/1.1\r\n"
         "Host: chat.example.com:8443\r\n"
         "Connection: keep-alive, Upgrade\r\n"
         "Upgrade: websocket\r\n"
         "Origin: https://chat.example.com:8443\r\n"
         "Sec-WebSocket-Protocol: chatgate.v1, chatgate.bearer.a.b.c\r\n"
         "X-Empty:\r\n"
         "X-Text: \t \"caf\xc3\xa9\" \t\r\n"
         "\r\nthe rest");
    expect_slice(head.method, "GET");
    expect_slice(head.target, "/ws?a=1&b");
    expect_slice(head.path, "/ws");
    expect_slice(head.query, "a=1&b");
    expect_slice(head.host, "chat.example.com:8443");
    expect_slice(head.origin, "https://chat.example.com:8443");
    expect_slice(http_head_get(&head, "upgrade"), "websocket");
    expect_slice(http_head_get(&head, "X-EMPTY"), "");
    expect_slice(http_head_get(&head, "x-text"), "\"caf\xc3\xa9\"");
    assert_null(http_head_get(&head, "x-none").data);
    assert_int_equal(head.field_count, 7);
    assert_memory_equal(head.method.data + head.length, "the rest", 8);
}

/* --- hostile heads --- */

#define HOST "Host: a\r\n"

/* clang-format off */
static const struct hostile {
    const char *name;
    enum http_head_result result;
    const char *text;
    size_t length;
} hostile[] = {
#define HOSTILE(name, result, text) {name, HTTP_HEAD_##result, text, sizeof(text) - 1}
    /* request lines */
    HOSTILE("HTTP/2 preface",        NOT_HTTP,      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    HOSTILE("TLS hello",             NOT_HTTP,      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"),
    HOSTILE("TLS hello, one byte",   NOT_HTTP,      "\x16"),
    HOSTILE("zeros",                 NOT_HTTP,      "\0\0\0\0"),
    HOSTILE("empty line first",      NOT_HTTP,      "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("space first",           NOT_HTTP,      " GET / HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("one word",              NOT_HTTP,      "HELLO\r\n\r\n"),
    HOSTILE("HTTP/0.9",              NOT_HTTP,      "GET /\r\n\r\n"),
    HOSTILE("a space in the target", NOT_HTTP,      "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("two spaces",            NOT_HTTP,      "GET  / HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("lower case version",    NOT_HTTP,      "GET / http/1.1\r\n" HOST "\r\n"),
    HOSTILE("SIP",                   NOT_HTTP,      "OPTIONS sip:nm SIP/2.0\r\n\r\n"),
    HOSTILE("method with a colon",   NOT_HTTP,      "G:T / HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("HTTP/1.0",              BAD_VERSION,   "GET / HTTP/1.0\r\n" HOST "\r\n"),
    HOSTILE("HTTP/1.10",             BAD_VERSION,   "GET / HTTP/1.10\r\n" HOST "\r\n"),
    HOSTILE("HTTP/3",                BAD_VERSION,   "GET / HTTP/3\r\n" HOST "\r\n"),
    HOSTILE("space behind version",  BAD_VERSION,   "GET / HTTP/1.1 \r\n" HOST "\r\n"),
    HOSTILE("absolute target",       MALFORMED,     "GET http://a/ HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("asterisk target",       MALFORMED,     "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("authority target",      MALFORMED,     "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("dot segment",           BAD_TARGET,    "GET /a/../b HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("dot segment at end",    BAD_TARGET,    "GET /.. HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("single dot",            BAD_TARGET,    "GET /./ HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("encoded dots",          BAD_TARGET,    "GET /%2e%2E/b HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("half encoded dots",     BAD_TARGET,    "GET /a/.%2e HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("encoded NUL",           BAD_TARGET,    "GET /a%00.js HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("backslash",             BAD_TARGET,    "GET /a\\..\\b HTTP/1.1\r\n" HOST "\r\n"),
    /* line ends and control characters */
    HOSTILE("bare LF",               MALFORMED,     "GET / HTTP/1.1\nHost: a\n\n"),
    HOSTILE("bare LF in fields",     MALFORMED,     "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    HOSTILE("bare CR",               MALFORMED,     "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    HOSTILE("CR CR LF",              MALFORMED,     "GET / HTTP/1.1\r\r\n" HOST "\r\n"),
    HOSTILE("NUL in a value",        MALFORMED,     "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
    HOSTILE("NUL in the target",     MALFORMED,     "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
    HOSTILE("NUL in a name",         MALFORMED,     "GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n"),
    HOSTILE("DEL",                   MALFORMED,     "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n"),
    HOSTILE("escape",                MALFORMED,     "GET / HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n"),
    /* fields */
    HOSTILE("folded line",           MALFORMED,     "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
    HOSTILE("folded by TAB",         MALFORMED,     "GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n"),
    HOSTILE("space before colon",    MALFORMED,     "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    HOSTILE("no colon",              MALFORMED,     "GET / HTTP/1.1\r\n" HOST "Nonsense\r\n\r\n"),
    HOSTILE("no name",               MALFORMED,     "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"),
    HOSTILE("quoted name",           MALFORMED,     "GET / HTTP/1.1\r\n" HOST "\"X\": b\r\n\r\n"),
    HOSTILE("name in UTF-8",         MALFORMED,     "GET / HTTP/1.1\r\n" HOST "\xc3\xa9: b\r\n\r\n"),
    HOSTILE("no Host",               BAD_HOST,      "GET / HTTP/1.1\r\n\r\n"),
    HOSTILE("empty Host",            BAD_HOST,      "GET / HTTP/1.1\r\nHost: \t\r\n\r\n"),
    HOSTILE("two Hosts",             BAD_HOST,      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    HOSTILE("two Hosts in disguise", BAD_HOST,      "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"),
    HOSTILE("two Origins",           DOUBLED_FIELD, "GET / HTTP/1.1\r\n" HOST "Origin: a\r\norigin: a\r\n\r\n"),
    HOSTILE("two keys",              DOUBLED_FIELD, "GET / HTTP/1.1\r\n" HOST "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: a\r\n\r\n"),
    HOSTILE("two versions",          DOUBLED_FIELD, "GET / HTTP/1.1\r\n" HOST "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n\r\n"),
    HOSTILE("two tokens",            DOUBLED_FIELD, "GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: b\r\n\r\n"),
    HOSTILE("two content types",     DOUBLED_FIELD, "POST / HTTP/1.1\r\n" HOST "Content-Type: a\r\nContent-Type: b\r\n\r\n"),
    /* smuggling */
    HOSTILE("length and encoding",   BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    HOSTILE("encoding",              BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
    HOSTILE("two lengths",           BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    HOSTILE("list of lengths",       BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n"),
    HOSTILE("empty length",          BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"),
    HOSTILE("signed length",         BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n"),
    HOSTILE("negative length",       BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"),
    HOSTILE("hexadecimal length",    BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n"),
    HOSTILE("length of 11 digits",   BAD_LENGTH,    "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n"),
};
/* clang-format on */

static void test_hostile_heads(void **state)
{
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        enum http_head_result result = parse(hostile[i].text, hostile[i].length);
        if (result != hostile[i].result)
            fail_msg("%s: %d instead of %d", hostile[i].name, result, hostile[i].result);
    }
}

/* --- pieces and sizes --- */

/* However the bytes come in, the verdict is the same, and none comes too early. */
static void test_byte_by_byte(void **state)
{
    static const char text[] =
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n";

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        assert_int_equal(parse(text, i), HTTP_HEAD_PARTIAL);
    assert_int_equal(parse(text, sizeof(text) - 1), HTTP_HEAD_OK);
    assert_int_equal(head.length, sizeof(text) - 1);
}

/* A head of `length` bytes whose last field is padded. */
static char *padded(size_t length)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    char *text = malloc(length);

    memset(text, 'x', length);
    memcpy(text, start, sizeof(start) - 1);
    memcpy(text + length - 4, "\r\n\r\n", 4);
    return text;
}

static void test_size(void **state)
{
    char *largest = padded(HTTP_HEAD_MAX_BYTES), *larger = padded(HTTP_HEAD_MAX_BYTES + 1);

    assert_int_equal(parse(largest, HTTP_HEAD_MAX_BYTES), HTTP_HEAD_OK);
    assert_int_equal(parse(larger, HTTP_HEAD_MAX_BYTES + 1), HTTP_HEAD_TOO_LARGE);
    assert_int_equal(parse(larger, HTTP_HEAD_MAX_BYTES), HTTP_HEAD_TOO_LARGE);
    assert_int_equal(parse(larger, HTTP_HEAD_MAX_BYTES - 1), HTTP_HEAD_PARTIAL);
    free(largest);
    free(larger);
}

/* What follows a head does not count. */
static void test_a_body_behind_the_head(void **state)
{
    static const char start[] = "POST / HTTP/1.1\r\nHost: a\r\n\r\n";
    char *text = malloc(3 * HTTP_HEAD_MAX_BYTES);

    memset(text, 'x', 3 * HTTP_HEAD_MAX_BYTES);
    memcpy(text, start, sizeof(start) - 1);
    assert_int_equal(parse(text, 3 * HTTP_HEAD_MAX_BYTES), HTTP_HEAD_OK);
    assert_int_equal(head.length, sizeof(start) - 1);
    free(text);
}

static enum http_head_result parse_fields(size_t count)
{
    char text[HTTP_HEAD_MAX_BYTES] = "GET / HTTP/1.1\r\nHost: a\r\n";

    for (size_t i = 1; i < count; i++)
        strcat(text, "X: y\r\n");
    strcat(text, "\r\n");
    return parse(text, strlen(text));
}

static void test_number_of_fields(void **state)
{
    assert_int_equal(parse_fields(HTTP_HEAD_MAX_FIELDS), HTTP_HEAD_OK);
    assert_int_equal(parse_fields(HTTP_HEAD_MAX_FIELDS + 1), HTTP_HEAD_TOO_LARGE);
}

/* --- reading a head --- */

static void test_lists(void **state)
{
    static const char *const expected[] = {"a", "b c", "", "d", "e"};
    struct http_slice item;
    size_t cursor = 0, count = 0;

    GOOD("GET / HTTP/1.1\r\nHost: a\r\nList: a , b c,, d,\r\nOther: x\r\nLIST:\r\nlist:e\r\n\r\n");
    while (http_head_next_item(&head, "list", &cursor, &item))
        expect_slice(item, expected[count++]);
    assert_int_equal(count, 5);
    assert_true(http_head_lists(&head, "List", "D"));
    assert_true(http_head_lists(&head, "List", "e"));
    assert_false(http_head_lists(&head, "List", "b"));
    assert_false(http_head_lists(&head, "List", "x"));
    assert_false(http_head_lists(&head, "None", ""));
}

static void test_queries(void **state)
{
    GOOD("GET /?one&Two=2&&=3&three= HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(http_head_has_query(&head, "one"));
    assert_true(http_head_has_query(&head, "two"));
    assert_true(http_head_has_query(&head, "three"));
    assert_false(http_head_has_query(&head, "2"));
    assert_false(http_head_has_query(&head, "tw"));
    GOOD("GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_false(http_head_has_query(&head, "one"));
    GOOD("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_false(http_head_has_query(&head, "one"));
}

static void test_slices(void **state)
{
    struct http_slice none = {0}, some = {"Some", 4};

    assert_false(http_slice_is(none, ""));
    assert_false(http_slice_is_nocase(none, ""));
    assert_true(http_slice_is(some, "Some"));
    assert_false(http_slice_is(some, "some"));
    assert_false(http_slice_is(some, "Som"));
    assert_false(http_slice_is(some, "Somer"));
    assert_true(http_slice_is_nocase(some, "sOME"));
    assert_false(http_slice_is_nocase(some, "sOM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_browser_sends),
        cmocka_unit_test(test_hostile_heads),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_a_body_behind_the_head),
        cmocka_unit_test(test_number_of_fields),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
