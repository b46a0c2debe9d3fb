/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/tls.h and gateway/tls_handshake.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/metrics.h"
#include "tls_bench.h"

static double failures(const char *reason)
{
    return metrics_value(METRIC_HANDSHAKE_FAILURES,
                         metrics_label_find(METRIC_HANDSHAKE_FAILURES, reason), 0);
}

static bool refused(struct client *client)
{
    int result = 0;
    char byte;

    until((result = shake(client)) != 0);
    if (result == 1) /* in TLS 1.3 a client is done before the server judges */
        until((result = SSL_read(client->ssl, &byte, 1)) == 0 ||
              SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ);
    return result <= 0;
}

/* --- the handshake --- */

static void test_plain_text_is_dropped(void **state)
{
    double before = failures("tls");
    int fd = dial();
    char byte;

    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    until(freed == 1);
    until(recv(fd, &byte, 1, 0) <= 0 && errno != EAGAIN);
    assert_int_equal(handed_over, 0);
    assert_true(failures("tls") == before + 1);
    close(fd);
}

static void test_a_port_check_is_no_failure(void **state)
{
    double before = failures("tls");

    close(dial());
    until(freed == 1);
    assert_true(failures("tls") == before);
}

static void test_silence_is_dropped(void **state)
{
    double before = failures("timeout");
    char byte;

    config.http.header_timeout_ms = 100;
    int fd = dial();
    until(freed == 1);
    until(recv(fd, &byte, 1, 0) == 0);
    assert_true(failures("timeout") == before + 1);
    close(fd);
}

static void test_old_versions_are_refused(void **state)
{
    struct client client;

    client_init(&client);
    SSL_set_min_proto_version(client.ssl, TLS1_1_VERSION);
    SSL_set_max_proto_version(client.ssl, TLS1_1_VERSION);
    SSL_set_security_level(client.ssl, 0);
    assert_true(refused(&client));
    until(freed == 1);
    client_close(&client);
}

static void test_alpn(void **state)
{
    const unsigned char *chosen;
    unsigned length;
    struct client client;

    client_init(&client);
    SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\x02h2", 3);
    assert_true(refused(&client));
    until(freed == 1);
    client_close(&client);

    client_init(&client);
    SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    until(shake(&client) == 1);
    SSL_get0_alpn_selected(client.ssl, &chosen, &length);
    assert_int_equal(length, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    client_close(&client);
}

static void test_tls_1_2_without_renegotiation(void **state)
{
    struct client client;
    int result = 0;

    client_init(&client);
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    until(shake(&client) == 1);
    assert_string_equal(SSL_get_version(client.ssl), "TLSv1.2");
    SSL_renegotiate(client.ssl);
    until((result = shake(&client)) != 0);
    assert_int_equal(result, -1);
    client_close(&client);
}

static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static void resume_with(int version)
{
    struct client client;

    for (int round = 0; round < 2; round++) {
        client_init(&client);
        SSL_set_max_proto_version(client.ssl, version);
        SSL_CTX_set_session_cache_mode(client.context,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(client.context, keep_ticket);
        if (ticket)
            SSL_set_session(client.ssl, ticket);
        until(shake(&client) == 1);
        until(plain >= 0);
        plain_write("x");
        expect_at_client(&client, "x");
        assert_int_equal(SSL_session_reused(client.ssl), round);
        close(plain);
        plain = -1;
        SSL_shutdown(client.ssl);
        client_close(&client);
        assert_non_null(ticket);
    }
    SSL_SESSION_free(ticket);
    ticket = NULL;
}

static void test_tickets_resume_sessions(void **state)
{
    resume_with(TLS1_3_VERSION);
    resume_with(TLS1_2_VERSION);
}

/* --- certificates --- */

static int64_t served_serial(struct client *client)
{
    X509 *x509 = SSL_get1_peer_certificate(client->ssl);
    int64_t serial = ASN1_INTEGER_get(X509_get0_serialNumber(x509));
    X509_free(x509);
    return serial;
}

static void test_a_reload_concerns_new_connections(void **state)
{
    char error[TLS_ERROR_BYTES];
    struct client before, after;

    assert_in_range(tls_certificate_expiry_s(tls), time(NULL) + 30 * DAY_S - 60,
                    time(NULL) + 30 * DAY_S);
    client_open(&before);
    assert_int_equal(tls_reload(tls, later_certificate, later_key, error), 0);
    assert_in_range(tls_certificate_expiry_s(tls), time(NULL) + 60 * DAY_S - 60,
                    time(NULL) + 60 * DAY_S);
    plain_write("alive");
    expect_at_client(&before, "alive");
    close(plain);
    plain = -1;
    client_init(&after);
    until(shake(&after) == 1);
    assert_int_equal(served_serial(&before), 130);
    assert_int_equal(served_serial(&after), 160);
    client_close(&before);
    client_close(&after);
}

static void test_a_bad_reload_changes_nothing(void **state)
{
    char error[TLS_ERROR_BYTES] = "";
    struct client client;

    assert_int_not_equal(tls_reload(tls, later_certificate, key, error), 0);
    assert_non_null(strstr(error, "mismatch"));
    assert_int_not_equal(tls_reload(tls, "/no/such", key, error), 0);
    assert_non_null(strstr(error, "/no/such"));
    client_open(&client);
    assert_int_equal(served_serial(&client), 130);
    client_close(&client);
}

static void test_an_expired_certificate_is_served(void **state)
{
    char error[TLS_ERROR_BYTES], expired_key[64];

    assert_int_equal(tls_reload(tls, expired, path(expired_key, "expired_key"), error), 0);
    assert_true(tls_certificate_expiry_s(tls) < time(NULL));
    assert_null(tls_new(&node, folder, key, error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plain_text_is_dropped),
        TEST(test_a_port_check_is_no_failure),
        TEST(test_silence_is_dropped),
        TEST(test_old_versions_are_refused),
        TEST(test_alpn),
        TEST(test_tls_1_2_without_renegotiation),
        TEST(test_tickets_resume_sessions),
        TEST(test_a_reload_concerns_new_connections),
        TEST(test_a_bad_reload_changes_nothing),
        TEST(test_an_expired_certificate_is_served),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
