/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS.
 *
 * libwebsockets could do it, but its certificates can't be tried before they are used, a failed
 * reload is not told, and a head would be parsed by the library before we see it. So TLS ends here
 * (tls_handshake.c, tls_link.c), and everything behind it is the same with and without.
 *
 * A reload makes and checks a whole new SSL_CTX. Connections keep a reference to the one that they
 * began with, so the swap concerns only those to come.
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/certificate.h"
#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/tls_handshake.h"
#include "gateway/tls_link.h"
#include "protocol/xalloc.h"

_Static_assert((int)TLS_ERROR_BYTES == (int)CERTIFICATE_ERROR_BYTES,
               "certificate_check() writes into the caller's buffer");

/* For TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 section 4.2). */
#define TLS_1_2_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls {
    SSL_CTX *context; /* for new connections */
    int64_t expiry_s;
    struct tls_handshakes handshakes;
    struct tls_links links;
};

/* A client that has no use for HTTP/1.1 is refused (RFC 7301 section 3.2); one that offers nothing
 * never comes here. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                           const unsigned char *offered, unsigned offered_bytes, void *arg)
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)arg;

    if (SSL_select_next_proto(&chosen, out_bytes, http_1_1, sizeof(http_1_1) - 1, offered,
                              offered_bytes) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Browsers leave without a close_notify. HTTP and WebSocket frame what they carry, so nobody takes
 * a cut message for a whole one, and a FIN ends a connection as well. */
static void set_policy(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Tickets resume sessions and need no memory of ours. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1); /* a record's header and body in one call */
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
}

static SSL_CTX *load_context(const char *certificate, const char *key)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    set_policy(context);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
        SSL_CTX_set_cipher_list(context, TLS_1_2_CIPHERS) &&
        SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* A wrong clock must not keep a server down, and clients refuse the certificate anyway. */
static void warn_of_dates(const struct certificate_dates *dates)
{
    int64_t now_s = clock_unix_us() / 1000000;

    if (now_s > dates->not_after_s)
        log_warning("the certificate has expired", LOG_INT("expired_s", dates->not_after_s));
    else if (now_s < dates->not_before_s)
        log_warning("the certificate is not valid yet", LOG_INT("valid_s", dates->not_before_s));
}

int tls_reload(struct tls *tls, const char *certificate, const char *key,
               char error[static TLS_ERROR_BYTES])
{
    struct certificate_dates dates;

    if (certificate_check(certificate, key, &dates, error))
        return 1;
    SSL_CTX *context = load_context(certificate, key);
    if (!context) { /* the files were good a moment ago */
        unsigned long code = ERR_peek_error();
        const char *reason = code ? ERR_reason_error_string(code) : NULL;
        snprintf(error, TLS_ERROR_BYTES, "%s: %s", certificate, reason ? reason : "refused");
        return 1;
    }
    warn_of_dates(&dates);
    SSL_CTX_free(tls->context);
    tls->context = context;
    tls->expiry_s = dates.not_after_s;
    return 0;
}

struct tls *tls_new(struct node *node, const char *certificate, const char *key,
                    char error[static TLS_ERROR_BYTES])
{
    struct tls *tls = xcalloc(1, sizeof(*tls));

    tls_links_init(&tls->links, node);
    tls_handshakes_init(&tls->handshakes, &tls->links);
    if (tls_reload(tls, certificate, key, error)) {
        tls_free(tls);
        return NULL;
    }
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    tls_handshakes_deinit(&tls->handshakes);
    tls_links_deinit(&tls->links);
    SSL_CTX_free(tls->context);
    free(tls);
}

void tls_accept(struct tls *tls, struct connection *connection, int fd)
{
    tls_handshake_start(&tls->handshakes, tls->context, connection, fd);
}

int64_t tls_certificate_expiry_s(const struct tls *tls)
{
    return tls->expiry_s;
}
