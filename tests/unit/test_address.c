/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/address.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/address.h"
#include "gateway/http_head.h"

static struct in6_addr parse(const char *text)
{
    char mapped[64];
    struct in6_addr address;

    snprintf(mapped, sizeof(mapped), strchr(text, ':') ? "%s" : "::ffff:%s", text);
    assert_int_equal(inet_pton(AF_INET6, mapped, &address), 1);
    return address;
}

static void expect_address(const struct in6_addr *address, const char *expected)
{
    struct in6_addr wanted = parse(expected);
    char text[INET6_ADDRSTRLEN];

    if (memcmp(address, &wanted, sizeof(wanted)))
        fail_msg("%s is not %s", inet_ntop(AF_INET6, address, text, sizeof(text)), expected);
}

/* --- who is behind a proxy --- */

/* `fields` are whole header lines. */
static void expect_client(const char *peer, const char *proxies, const char *fields,
                          const char *expected)
{
    struct http_head head;
    char text[2048];
    struct in6_addr address = parse(peer);

    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    assert_int_equal(http_head_parse(&head, text, strlen(text)), HTTP_HEAD_OK);
    address_of_client(&address, &head, proxies);
    expect_address(&address, expected);
}

#define FORWARDED(hops) "X-Forwarded-For: " hops "\r\n"

static void test_strangers_are_not_believed(void **state)
{
    expect_client("192.0.2.1", "", FORWARDED("198.51.100.1"), "192.0.2.1");
    expect_client("192.0.2.1", "192.0.2.2", FORWARDED("198.51.100.1"), "192.0.2.1");
    expect_client("192.0.2.1", "10.0.0.0/8, ::1", FORWARDED("198.51.100.1"), "192.0.2.1");
    expect_client("192.0.2.1", "nonsense", FORWARDED("198.51.100.1"), "192.0.2.1");
}

static void test_a_proxy_is_believed(void **state)
{
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("198.51.100.1"), "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("2001:db8::1"), "2001:db8::1");
    expect_client("::1", "10.0.0.1, ::1", FORWARDED("198.51.100.1"), "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1", "", "127.0.0.1");
}

/* What the client wrote itself stands left of what the first trusted proxy saw. */
static void test_hops_are_believed_from_the_right(void **state)
{
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("6.6.6.6, 198.51.100.1"), "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1,10.0.0.0/8", FORWARDED("6.6.6.6, 198.51.100.1, 10.1.2.3"),
                  "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1,10.0.0.0/8",
                  FORWARDED("6.6.6.6") FORWARDED("198.51.100.1") FORWARDED("10.1.2.3,10.1.2.4"),
                  "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1,10.0.0.0/8", FORWARDED("10.1.2.3"), "10.1.2.3");
}

/* A client cannot push what the proxy saw out of sight. */
static void test_many_hops(void **state)
{
    char fields[1024] = "X-Forwarded-For: ";

    for (int i = 0; i < 40; i++)
        strcat(fields, "6.6.6.6,");
    strcat(fields, "198.51.100.1\r\n");
    expect_client("127.0.0.1", "127.0.0.1", fields, "198.51.100.1");
}

static void test_nonsense_in_the_hops(void **state)
{
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("198.51.100.1, unknown"), "127.0.0.1");
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("198.51.100.1, "), "198.51.100.1");
    expect_client("127.0.0.1", "127.0.0.1", FORWARDED("198.51.100.1:4711"), "127.0.0.1");
    expect_client("127.0.0.1", "127.0.0.1,10.0.0.1", FORWARDED("x, 10.0.0.1"), "10.0.0.1");
    expect_client("127.0.0.1", "127.0.0.1",
                  FORWARDED("1.1.1.1, 11111111111111111111111111111111111111111111111111111111"),
                  "127.0.0.1");
}

/* --- lists of networks --- */

static void test_networks(void **state)
{
    expect_client("10.255.0.1", "10.0.0.0/8", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("11.0.0.1", "10.0.0.0/8", FORWARDED("1.1.1.1"), "11.0.0.1");
    expect_client("172.16.5.1", "172.16.0.0/12", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("172.31.5.1", "172.16.0.0/12", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("172.32.5.1", "172.16.0.0/12", FORWARDED("1.1.1.1"), "172.32.5.1");
    expect_client("192.0.2.1", "192.0.2.1/32", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("192.0.2.1", "0.0.0.0/0", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("2001:db8::1", "0.0.0.0/0", FORWARDED("1.1.1.1"), "2001:db8::1");
    expect_client("2001:db8:0:1::1", "2001:db8::/47", FORWARDED("1.1.1.1"), "1.1.1.1");
    expect_client("2001:db9::1", "2001:db8::/32", FORWARDED("1.1.1.1"), "2001:db9::1");
    expect_client("192.0.2.1", "::/0", FORWARDED("1.1.1.1"), "1.1.1.1");
}

static void test_which_lists_are_valid(void **state)
{
    static const char *const good[] = {"",     "127.0.0.1",      " ::1 , 10.0.0.0/8,", "0.0.0.0/0",
                                       "::/0", "2001:db8::/128", "::ffff:10.0.0.1"};
    static const char *const bad[] = {
        "localhost", "10.0.0.0/33", "::/129",      "10.0.0.0/", "10.0.0.0/a",  "10.0.0.0/1000",
        "10.0.0",    "/8",          "10.0.0.0 /8", "::1, x",    "10.0.0.0/-1", "10.0.0.0/8/8"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!address_list_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (address_list_valid(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

/* --- peers --- */

static void expect_peer(int family, const struct sockaddr *name, socklen_t length,
                        const char *expected)
{
    struct sockaddr_storage bound;
    socklen_t bound_length = sizeof(bound);
    struct in6_addr address;
    int listener = socket(family, SOCK_STREAM, 0), fd = socket(family, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, name, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &bound_length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&bound, bound_length), 0);
    int accepted = accept(listener, NULL, NULL);
    address_of_peer(&address, accepted);
    expect_address(&address, expected);
    close(accepted);
    close(fd);
    close(listener);
}

static void test_peers(void **state)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct in6_addr address;

    expect_peer(AF_INET, (struct sockaddr *)&ipv4, sizeof(ipv4), "127.0.0.1");
    address_of_peer(&address, -1);
    expect_address(&address, "::");
}

static void test_a_peer_with_ipv6(void **state)
{
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool there = fd >= 0 && !bind(fd, (struct sockaddr *)&ipv6, sizeof(ipv6));

    close(fd);
    if (!there)
        skip();
    expect_peer(AF_INET6, (struct sockaddr *)&ipv6, sizeof(ipv6), "::1");
}

/* --- counts --- */

static void test_counts(void **state)
{
    struct address_counts counts;
    struct in6_addr one = parse("192.0.2.1"), two = parse("2001:db8::1");

    address_counts_init(&counts);
    assert_int_equal(address_count(&counts, &one), 0);
    for (int i = 0; i < 3; i++)
        address_enter(&counts, &one);
    address_enter(&counts, &two);
    assert_int_equal(address_count(&counts, &one), 3);
    assert_int_equal(address_count(&counts, &two), 1);
    for (size_t left = 3; left-- > 0;) {
        address_leave(&counts, &one);
        assert_int_equal(address_count(&counts, &one), left);
    }
    address_leave(&counts, &two);
    address_counts_deinit(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers_are_not_believed),
        cmocka_unit_test(test_a_proxy_is_believed),
        cmocka_unit_test(test_hops_are_believed_from_the_right),
        cmocka_unit_test(test_many_hops),
        cmocka_unit_test(test_nonsense_in_the_hops),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_which_lists_are_valid),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_a_peer_with_ipv6),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
