/* SPDX-License-Identifier: Apache-2.0 */
/* An established TLS connection and the plain text behind it */
#pragma once

#include <openssl/types.h>

#include "protocol/list.h"

struct connection;
struct node;

enum { TLS_LINK_CHUNK_BYTES = 16384 }; /* what a TLS record carries at most, RFC 8446 section 5.1 */

/* The links of a process. Embedded in struct tls. */
struct tls_links {
    struct node *node;
    struct list_node all; /* tls_link::link */
    char *scratch;        /* one chunk, for bytes that are passed on at once */
};

void tls_links_init(struct tls_links *links, struct node *node);

/* Drops every link. */
void tls_links_deinit(struct tls_links *links);

/* Gives the connection and the plain-text end of a socket pair to handshake_start(), and carries
 * bytes between the pair and `ssl`, whose handshake is done on the non-blocking socket `fd`. Owns
 * all three. -errno: there is no pair to be had, and all three are still the caller's. SIGPIPE must
 * be ignored. */
int tls_link_start(struct tls_links *links, SSL *ssl, struct connection *connection, int fd);
