/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of TLS share: real clients on real sockets, all in one thread */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <uv.h>

#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/handshake.h"
#include "gateway/node.h"
#include "gateway/timer_wheel.h"
#include "gateway/tls.h"

enum { PATIENCE_MS = 20000, DAY_S = 86400 };

static char folder[] = "/tmp/chatgate-tls-XXXXXX";
static char certificate[64], key[64], later_certificate[64], later_key[64], expired[64];

static uv_loop_t loop;
static struct config config;
static struct node node;
static struct tls *tls;

static int plain = -1; /* the gateway's end */
static int handed_over, freed;

/* --- what the real ones would do with a connection --- */

void handshake_start(struct connection *connection, int fd)
{
    assert_true(plain < 0);
    assert_ptr_equal(connection->node, &node);
    handed_over++;
    plain = fd;
}

struct connection *connection_free(struct connection *connection)
{
    freed += connection != NULL;
    return NULL;
}

/* --- certificates --- */

static inline void make_pair(const char *certificate_path, const char *key_path, int days)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    FILE *file = fopen(key_path, "w");

    assert_int_equal(PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), days + 100);
    X509_gmtime_adj(X509_getm_notBefore(x509), -30 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(x509), days * DAY_S);
    X509_set_pubkey(x509, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    assert_true(X509_sign(x509, pair, EVP_sha256()) > 0);
    file = fopen(certificate_path, "w");
    assert_int_equal(PEM_write_X509(file, x509), 1);
    fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
}

static inline char *path(char out[64], const char *name)
{
    snprintf(out, 64, "%s/%s", folder, name);
    return out;
}

static inline int make_files(void **state)
{
    char expired_key[64];

    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    make_pair(path(certificate, "certificate"), path(key, "key"), 30);
    make_pair(path(later_certificate, "later"), path(later_key, "later_key"), 60);
    make_pair(path(expired, "expired"), path(expired_key, "expired_key"), -1);
    return 0;
}

static inline int remove_files(void **state)
{
    static const char *const names[] = {"certificate", "key",     "later",
                                        "later_key",   "expired", "expired_key"};
    char file[64];

    for (size_t i = 0; i < 6; i++)
        unlink(path(file, names[i]));
    return rmdir(folder);
}

static inline int set_up(void **state)
{
    char error[TLS_ERROR_BYTES];

    plain = -1;
    handed_over = freed = 0;
    config.http.header_timeout_ms = PATIENCE_MS;
    uv_loop_init(&loop);
    node = (struct node){.loop = &loop, .config = &config};
    node.wheel = timer_wheel_new(&loop, 10, 64);
    tls = tls_new(&node, certificate, key, error);
    assert_non_null(tls);
    return 0;
}

static inline int tear_down(void **state)
{
    tls_free(tls);
    if (plain >= 0)
        close(plain);
    timer_wheel_free(node.wheel);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

/* --- the loop --- */

static inline uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* Runs the loop until the condition holds. */
#define until(condition)                                                                           \
    do {                                                                                           \
        uint64_t end_ms = now_ms() + PATIENCE_MS;                                                  \
        while (!(condition)) {                                                                     \
            uv_run(&loop, UV_RUN_NOWAIT);                                                          \
            assert_true(now_ms() < end_ms);                                                        \
        }                                                                                          \
    } while (0)

static inline void count_poll(uv_handle_t *handle, void *count)
{
    *(int *)count += handle->type == UV_POLL;
}

static inline int polls(void)
{
    int count = 0;
    uv_walk(&loop, count_poll, &count);
    return count;
}

/* --- the client --- */

struct client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

/* A TCP connection, so that there are real resets and half-closes. */
static inline int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int bytes = 65536, listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(listener, 1), 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    static struct connection connection;
    connection.node = &node;
    setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    tls_accept(tls, &connection, accepted);
    close(listener);
    return fd;
}

static inline void client_init(struct client *client)
{
    client->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(client->context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    client->fd = dial();
    client->ssl = SSL_new(client->context);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_connect_state(client->ssl);
}

/* One step of the client's handshake: 1 done, 0 going on, -1 refused. */
static inline int shake(struct client *client)
{
    int n = SSL_do_handshake(client->ssl);
    if (n == 1)
        return 1;
    int error = SSL_get_error(client->ssl, n);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static inline void client_open(struct client *client)
{
    client_init(client);
    until(shake(client) == 1);
    until(handed_over == 1);
}

/* As programs do that are killed: FIN, no close_notify. */
static inline void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
}

/* Reads what is there, up to `room` bytes more. */
static inline void client_read(struct client *client, char *buffer, size_t *length, size_t room)
{
    int n = SSL_read(client->ssl, buffer + *length, (int)(room - *length));
    if (n > 0)
        *length += (size_t)n;
}

static inline void plain_read(char *buffer, size_t *length, size_t room)
{
    ssize_t n = recv(plain, buffer + *length, room - *length, 0);
    if (n > 0)
        *length += (size_t)n;
}

static inline void expect_at_client(struct client *client, const char *text)
{
    char buffer[64];
    size_t length = 0;

    until((client_read(client, buffer, &length, strlen(text)), length == strlen(text)));
    assert_memory_equal(buffer, text, length);
}

static inline void expect_at_gateway(const char *text)
{
    char buffer[64];
    size_t length = 0;

    until((plain_read(buffer, &length, strlen(text)), length == strlen(text)));
    assert_memory_equal(buffer, text, length);
}

static inline void client_write(struct client *client, const char *text)
{
    assert_int_equal(SSL_write(client->ssl, text, (int)strlen(text)), strlen(text));
}

static inline void plain_write(const char *text)
{
    assert_int_equal(send(plain, text, strlen(text), 0), strlen(text));
}

static inline bool gateway_sees_end(void)
{
    char byte;
    return recv(plain, &byte, 1, 0) == 0;
}

static inline bool client_sees(struct client *client, int error)
{
    char byte;
    int n = SSL_read(client->ssl, &byte, 1);
    assert_true(n <= 0);
    return SSL_get_error(client->ssl, n) == error;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
