/* SPDX-License-Identifier: Apache-2.0 */
/* Clients' addresses: who is behind a proxy, and how many connections each has */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/uuid_map.h"

struct http_head;

/* IPv4 addresses are kept mapped into IPv6 (RFC 4291 section 2.5.5.2). */
void address_of_peer(struct in6_addr *out, int fd);

/* If the peer in `address` is one of `trusted_proxies` (addresses or networks, comma separated),
 * replaces it by the last address of X-Forwarded-For that no trusted proxy wrote for another. */
void address_of_client(struct in6_addr *address, const struct http_head *head,
                       const char *trusted_proxies);

/* Whether a list of addresses and networks, comma separated, has this one. */
bool address_in_list(const struct in6_addr *address, const char *list);

/* False: `text` is no list of addresses and networks. */
bool address_list_valid(const char *text);

/* How many connections each address has. Embedded by its owner. */
struct address_counts {
    struct uuid_map map; /* keyed hash of an address -> count */
    uint8_t key[16];     /* random: nobody can choose addresses that collide */
};

void address_counts_init(struct address_counts *counts);
void address_counts_deinit(struct address_counts *counts); /* asserts that it is empty */

size_t address_count(const struct address_counts *counts, const struct in6_addr *address);
void address_enter(struct address_counts *counts, const struct in6_addr *address);
void address_leave(struct address_counts *counts, const struct in6_addr *address);
