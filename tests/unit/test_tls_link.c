/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/tls_link.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls_bench.h"

/* --- carrying --- */

static void test_bytes_go_both_ways(void **state)
{
    struct client client;

    client_open(&client);
    assert_string_equal(SSL_get_version(client.ssl), "TLSv1.3");
    client_write(&client, "to the gateway");
    expect_at_gateway("to the gateway");
    plain_write("to the client");
    expect_at_client(&client, "to the client");
    client_close(&client);
    until(gateway_sees_end());
    assert_int_equal(handed_over, 1);
    assert_int_equal(freed, 0);
}

/* No event announces bytes that OpenSSL read together with the end of the handshake. */
static void test_a_request_beside_the_last_handshake_message(void **state)
{
    struct client client;
    int result = 0;

    client_init(&client);
    until((result = shake(&client)) == 1);
    client_write(&client, "GET / HTTP/1.1\r\n");
    expect_at_gateway("GET / HTTP/1.1\r\n");
    client_close(&client);
}

enum { LOAD_BYTES = 4 << 20 };

static char *make_load(void)
{
    char *load = malloc(LOAD_BYTES);
    for (size_t i = 0; i < LOAD_BYTES; i++)
        load[i] = (char)(i * 2654435761U >> 11);
    return load;
}

/* The client writes all, the gateway's end echoes, the client asks for new keys on the way. */
static void test_megabytes_come_back_as_they_went(void **state)
{
    char *load = make_load(), *echo = malloc(LOAD_BYTES), *back = malloc(LOAD_BYTES);
    size_t sent = 0, heard = 0, echoed = 0, received = 0;
    struct client client;
    bool renewed = false;

    client_open(&client);
    while (received < LOAD_BYTES) {
        int n =
            sent < LOAD_BYTES ? SSL_write(client.ssl, load + sent, (int)(LOAD_BYTES - sent)) : 0;
        sent += n > 0 ? (size_t)n : 0;
        if (!renewed && n > 0 && sent > LOAD_BYTES / 2)
            renewed = SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1;
        uv_run(&loop, UV_RUN_NOWAIT);
        plain_read(echo, &heard, LOAD_BYTES);
        ssize_t m = echoed < heard ? send(plain, echo + echoed, heard - echoed, 0) : 0;
        echoed += m > 0 ? (size_t)m : 0;
        client_read(&client, back, &received, LOAD_BYTES);
    }
    assert_true(renewed);
    assert_memory_equal(load, back, LOAD_BYTES);
    client_close(&client);
    free(load);
    free(echo);
    free(back);
}

static void test_a_slow_gateway_stops_the_client(void **state)
{
    char *load = make_load(), *heard = malloc(LOAD_BYTES);
    size_t sent = 0, received = 0;
    struct client client;

    client_open(&client);
    for (int idle = 0; idle < 100; idle++) {
        int n = SSL_write(client.ssl, load + sent, (int)(LOAD_BYTES - sent));
        if (n > 0)
            sent += (size_t)n, idle = 0;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_in_range(sent, 65536, LOAD_BYTES / 2);
    until((plain_read(heard, &received, LOAD_BYTES),
           SSL_write(client.ssl, load + sent, 1) == 1 || received == sent));
    until((plain_read(heard, &received, LOAD_BYTES), received >= sent));
    assert_memory_equal(load, heard, sent);
    client_close(&client);
    free(load);
    free(heard);
}

static void test_a_slow_client_stops_the_gateway(void **state)
{
    char *load = make_load(), *back = malloc(LOAD_BYTES);
    size_t sent = 0, received = 0;
    struct client client;

    client_open(&client);
    for (int idle = 0; idle < 100; idle++) {
        ssize_t n = send(plain, load + sent, LOAD_BYTES - sent, 0);
        if (n > 0)
            sent += (size_t)n, idle = 0;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_in_range(sent, 65536, LOAD_BYTES / 4);
    until((client_read(&client, back, &received, LOAD_BYTES), received == sent));
    assert_memory_equal(load, back, sent);
    client_close(&client);
    free(load);
    free(back);
}

/* --- ends --- */

static void test_the_gateway_closes_after_its_last_word(void **state)
{
    struct client client;

    client_open(&client);
    client_write(&client, "never read");
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    plain_write("goodbye");
    close(plain);
    plain = -1;
    expect_at_client(&client, "goodbye");
    until(client_sees(&client, SSL_ERROR_ZERO_RETURN));
    assert_int_equal(polls(), 2); /* it waits for our FIN */
    client_close(&client);
    until(polls() == 0);
}

static void test_a_client_that_stays_after_goodbye(void **state)
{
    struct client client;

    client_open(&client);
    close(plain);
    plain = -1;
    until(client_sees(&client, SSL_ERROR_ZERO_RETURN));
    client_write(&client, "still talking");
    until(polls() == 0);
    client_close(&client);
}

static void test_the_client_ends_first(void **state)
{
    struct client client;

    client_open(&client);
    client_write(&client, "last");
    SSL_shutdown(client.ssl);
    expect_at_gateway("last");
    until(gateway_sees_end());
    plain_write("an answer");
    expect_at_client(&client, "an answer");
    close(plain);
    plain = -1;
    until(client_sees(&client, SSL_ERROR_ZERO_RETURN));
    until(polls() == 0);
    client_close(&client);
}

static void test_a_fin_without_close_notify(void **state)
{
    struct client client;

    client_open(&client);
    client_write(&client, "last");
    shutdown(client.fd, SHUT_WR);
    expect_at_gateway("last");
    until(gateway_sees_end());
    plain_write("an answer");
    expect_at_client(&client, "an answer");
    client_close(&client);
}

static void test_a_reset(void **state)
{
    struct client client;

    client_open(&client);
    setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    client_close(&client);
    until(gateway_sees_end());
    until(polls() == 0);
}

static void test_freeing_drops_everything(void **state)
{
    struct client open, shaking;

    client_open(&open);
    client_init(&shaking);
    assert_int_equal(polls(), 3);
    tls_free(tls);
    tls = NULL;
    assert_int_equal(freed, 1);
    until(polls() == 0);
    assert_true(gateway_sees_end());
    client_close(&open);
    client_close(&shaking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_go_both_ways),
        TEST(test_a_request_beside_the_last_handshake_message),
        TEST(test_megabytes_come_back_as_they_went),
        TEST(test_a_slow_gateway_stops_the_client),
        TEST(test_a_slow_client_stops_the_gateway),
        TEST(test_the_gateway_closes_after_its_last_word),
        TEST(test_a_client_that_stays_after_goodbye),
        TEST(test_the_client_ends_first),
        TEST(test_a_fin_without_close_notify),
        TEST(test_a_reset),
        TEST(test_freeing_drops_everything),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
