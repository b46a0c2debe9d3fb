/* SPDX-License-Identifier: Apache-2.0 */
/* TLS in front of the handshake: OpenSSL on the socket, plain text on a socket pair behind it */
#pragma once

#include <stdint.h>

struct connection;
struct node;
struct tls;

enum { TLS_ERROR_BYTES = 256 };

/* Loads certificate chain and key (PEM files). NULL, and one line in `error`, if they can't be
 * read, don't belong together or are refused by OpenSSL. */
struct tls *tls_new(struct node *node, const char *certificate, const char *key,
                    char error[static TLS_ERROR_BYTES]);

/* Loads the files anew; connections from now on get them. Not 0: `error` says why, and the old
 * ones stay in force. */
int tls_reload(struct tls *tls, const char *certificate, const char *key,
               char error[static TLS_ERROR_BYTES]);

/* Drops every TLS connection and frees. Takes NULL. */
void tls_free(struct tls *tls);

/* Takes an accepted socket. When TLS stands, connection and plain-text end go to
 * handshake_start(); until then the deadline is http.header_timeout_ms. */
void tls_accept(struct tls *tls, struct connection *connection, int fd);

/* When the certificate in force ends, in seconds since 1970. */
int64_t tls_certificate_expiry_s(const struct tls *tls);
