/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/handshake_check.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/handshake_check.h"

#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define LINE "GET /ws HTTP/1.1\r\nHost: chat.example.com\r\n"
#define REST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY

static struct handshake_upgrade upgrade;
static struct handshake_refusal refusal;

static bool refused(const char *text, const char *origins)
{
    static struct http_head head;

    upgrade = (struct handshake_upgrade){0};
    refusal = (struct handshake_refusal){0};
    assert_int_equal(http_head_parse(&head, text, strlen(text)), HTTP_HEAD_OK);
    return handshake_refuse_request(&head, origins, &upgrade, &refusal);
}

/* --- the parser's verdicts --- */

static void test_verdicts_of_the_parser(void **state)
{
    static const struct {
        enum http_head_result result;
        int status;
        const char *reason;
    } table[] = {
        {HTTP_HEAD_TOO_LARGE, 431, "http.headers"},
        {HTTP_HEAD_MALFORMED, 400, "http.malformed"},
        {HTTP_HEAD_NOT_HTTP, 0, "http.not_http"},
        {HTTP_HEAD_BAD_VERSION, 400, "http.version"},
        {HTTP_HEAD_BAD_HOST, 400, "http.host"},
        {HTTP_HEAD_BAD_LENGTH, 400, "http.content_length"},
        {HTTP_HEAD_DOUBLED_FIELD, 400, "http.doubled_header"},
        {HTTP_HEAD_BAD_TARGET, 404, "http.path"},
    };

    assert_false(handshake_refuse_head(HTTP_HEAD_OK, &refusal));
    assert_false(handshake_refuse_head(HTTP_HEAD_PARTIAL, &refusal));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_true(handshake_refuse_head(table[i].result, &refusal));
        assert_int_equal(refusal.status, table[i].status);
        assert_string_equal(refusal.reason, table[i].reason);
    }
}

/* --- what is accepted --- */

static void test_plain_requests_pass(void **state)
{
    assert_false(refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""));
    assert_false(upgrade.wanted);
    assert_false(
        refused("POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", ""));
    assert_false(refused("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic x\r\n\r\n", ""));
}

static void test_upgrades_without_a_token(void **state)
{
    assert_false(refused(LINE REST "\r\n", ""));
    assert_true(upgrade.wanted);
    assert_false(upgrade.offered_subprotocol);
    assert_null(upgrade.token.data);
    assert_false(refused(LINE REST "Sec-WebSocket-Protocol: other, chatgate.v1\r\n\r\n", ""));
    assert_true(upgrade.offered_subprotocol);
    assert_null(upgrade.token.data);
    assert_false(refused("GET /ws?v=1 HTTP/1.1\r\nhost: a\r\nupgrade: WebSocket\r\n"
                         "connection: keep-alive, upgrade\r\nsec-websocket-version: 13\r\n"
                         "Content-Length: 0\r\n" KEY "\r\n",
                         ""));
    assert_true(upgrade.wanted);
}

static void test_tokens(void **state)
{
    assert_false(refused(LINE REST "Authorization: Bearer a.b.c\r\n\r\n", ""));
    assert_true(http_slice_is(upgrade.token, "a.b.c"));
    assert_false(refused(LINE REST "Authorization: bearer a.b.c\r\n\r\n", ""));
    assert_true(http_slice_is(upgrade.token, "a.b.c"));
    assert_false(
        refused(LINE REST "Sec-WebSocket-Protocol: chatgate.v1,chatgate.bearer.a.b.c\r\n\r\n", ""));
    assert_true(upgrade.offered_subprotocol);
    assert_true(http_slice_is(upgrade.token, "a.b.c"));
    assert_false(refused(LINE REST "Sec-WebSocket-Protocol: chatgate.bearer.a.b.c\r\n"
                                   "Sec-WebSocket-Protocol: chatgate.v1\r\n\r\n",
                         ""));
    assert_true(http_slice_is(upgrade.token, "a.b.c"));
}

/* --- what is refused --- */

/* clang-format off */
static const struct wrong {
    int status;
    const char *reason, *text;
} wrong[] = {
    /* not an upgrade to WebSocket */
    {426, "handshake.upgrade",    "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n"},
    {405, "http.method",          "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {405, "http.method",          "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {403, "handshake.upgrade",    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"},
    {403, "handshake.upgrade",    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n"},
    {403, "handshake.upgrade",    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n"},
    {403, "handshake.upgrade",    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket2\r\n\r\n"},
    {403, "handshake.upgrade",    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade:\r\n\r\n"},
    /* a wrong one */
    {404, "http.path",            "GET / HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {404, "http.path",            "GET /ws/ HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {404, "http.path",            "GET /WS HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {405, "http.method",          "POST /ws HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {405, "http.method",          "get /ws HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {400, "http.content_length",  LINE "Content-Length: 4\r\n" REST "\r\n"},
    {400, "handshake.connection", LINE "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n"},
    {400, "handshake.connection", LINE "Upgrade: websocket\r\nConnection: keep-alive\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n"},
    {426, "handshake.version",    LINE "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "\r\n"},
    {426, "handshake.version",    LINE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\n" KEY "\r\n"},
    {426, "handshake.version",    LINE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13, 8\r\n" KEY "\r\n"},
    {400, "handshake.key",        LINE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"},
#define WITH_KEY(key) LINE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " key "\r\n\r\n"
    {400, "handshake.key",        WITH_KEY("")},
    {400, "handshake.key",        WITH_KEY("AAAAAAAAAAAAAAAAAAAA")},         /* 15 bytes */
    {400, "handshake.key",        WITH_KEY("AAAAAAAAAAAAAAAAAAAAAAA=")},     /* 17 bytes */
    {400, "handshake.key",        WITH_KEY("AAAAAAAAAAAAAAAAAAAAAB==")},     /* bits beyond the end */
    {400, "handshake.key",        WITH_KEY("AAAAAAAAAAA-AAAAAAAAAA==")},     /* the other alphabet */
    {400, "handshake.key",        WITH_KEY("AAAAAAAAAAAAAAAAAAAAAA==AAAA")},
    /* tokens and subprotocols */
    {400, "token.in_url",         "GET /ws?token=a.b.c HTTP/1.1\r\nHost: a\r\n" REST "\r\n"},
    {400, "token.in_url",         "GET /?x=1&Access_Token=a HTTP/1.1\r\nHost: a\r\n\r\n"},
    {401, "token.scheme",         LINE REST "Authorization: Basic dTpw\r\n\r\n"},
    {401, "token.scheme",         LINE REST "Authorization: Bearer\r\n\r\n"},
    {401, "token.scheme",         LINE REST "Authorization:\r\n\r\n"},
    {400, "token.doubled",        LINE REST "Authorization: Bearer a.b.c\r\nSec-WebSocket-Protocol: chatgate.v1, chatgate.bearer.a.b.c\r\n\r\n"},
    {400, "token.doubled",        LINE REST "Sec-WebSocket-Protocol: chatgate.v1, chatgate.bearer.a, chatgate.bearer.b\r\n\r\n"},
    {400, "handshake.subprotocol", LINE REST "Sec-WebSocket-Protocol: chat\r\n\r\n"},
    {400, "handshake.subprotocol", LINE REST "Sec-WebSocket-Protocol: chatgate.v2\r\n\r\n"},
    {400, "handshake.subprotocol", LINE REST "Sec-WebSocket-Protocol: Chatgate.V1\r\n\r\n"},
    {400, "handshake.subprotocol", LINE REST "Sec-WebSocket-Protocol: chatgate.bearer.a.b.c\r\n\r\n"},
    /* pages of others */
    {403, "handshake.origin",     LINE REST "Origin: https://evil.example\r\n\r\n"},
    {403, "handshake.origin",     LINE REST "Origin: null\r\n\r\n"},
    {403, "handshake.origin",     LINE REST "Origin:\r\n\r\n"},
};
/* clang-format on */

static void test_wrong_requests(void **state)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (!refused(wrong[i].text, ""))
            fail_msg("accepted: %s", wrong[i].text);
        if (refusal.status != wrong[i].status || strcmp(refusal.reason, wrong[i].reason))
            fail_msg("%d %s: %s", refusal.status, refusal.reason, wrong[i].text);
    }
}

/* --- origins --- */

static bool allowed(const char *origin, const char *host, const char *list)
{
    return handshake_origin_allowed((struct http_slice){origin, strlen(origin)},
                                    (struct http_slice){host, strlen(host)}, list);
}

static void test_without_a_list_only_the_host_itself(void **state)
{
    assert_true(allowed("https://a.example", "a.example", ""));
    assert_true(allowed("http://a.example:8080", "a.example:8080", ""));
    assert_true(allowed("HTTPS://A.example", "a.EXAMPLE", ""));
    assert_false(allowed("https://a.example:8080", "a.example", ""));
    assert_false(allowed("https://a.example", "a.example:8080", ""));
    assert_false(allowed("https://a.example.evil", "a.example", ""));
    assert_false(allowed("https://evil-a.example", "a.example", ""));
    assert_false(allowed("https://a.example@evil", "a.example", ""));
    assert_false(allowed("https://a.example/", "a.example", ""));
    assert_false(allowed("ftp://a.example", "a.example", ""));
    assert_false(allowed("a.example", "a.example", ""));
    assert_false(allowed("null", "a.example", ""));
    assert_false(allowed("", "a.example", ""));
}

static void test_with_a_list_only_the_list(void **state)
{
    static const char list[] = " https://a.example , http://localhost:3000,";

    assert_true(allowed("https://a.example", "x", list));
    assert_true(allowed("http://LOCALHOST:3000", "x", list));
    assert_false(allowed("http://localhost:30000", "x", list));
    assert_false(allowed("http://localhost", "x", list));
    assert_false(allowed("https://a.example.evil", "x", list));
    assert_false(allowed("https://x", "x", list));
    assert_false(allowed("null", "x", list));
    assert_false(allowed("", "x", list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts_of_the_parser),
        cmocka_unit_test(test_plain_requests_pass),
        cmocka_unit_test(test_upgrades_without_a_token),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_wrong_requests),
        cmocka_unit_test(test_without_a_list_only_the_host_itself),
        cmocka_unit_test(test_with_a_list_only_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
