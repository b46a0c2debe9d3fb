/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS handshake of an accepted socket */
#pragma once

#include <openssl/types.h>

#include "protocol/list.h"

struct connection;
struct tls_links;

/* Those under way. Embedded in struct tls. */
struct tls_handshakes {
    struct tls_links *links;
    struct list_node all; /* tls_handshake::link */
};

void tls_handshakes_init(struct tls_handshakes *handshakes, struct tls_links *links);

/* Drops every handshake. */
void tls_handshakes_deinit(struct tls_handshakes *handshakes);

/* Does the handshake on the non-blocking socket `fd`, within http.header_timeout_ms, and starts a
 * link (tls_link.h). Owns socket and connection. `context` is kept by reference. */
void tls_handshake_start(struct tls_handshakes *handshakes, SSL_CTX *context,
                         struct connection *connection, int fd);
