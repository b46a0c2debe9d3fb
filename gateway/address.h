/* SPDX-License-Identifier: Apache-2.0 */
/* Clients' addresses: who is behind a proxy, and how many connections each has */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct http_head;
struct uuid_map;

/* IPv4 addresses are kept mapped into IPv6 (RFC 4291 section 2.5.5.2). */
void address_of_peer(struct in6_addr *out, int fd);

/* If the peer in `address` is one of `trusted_proxies` (addresses or networks, comma separated),
 * replaces it by the last address of X-Forwarded-For that no trusted proxy wrote for another. */
void address_of_client(struct in6_addr *address, const struct http_head *head,
                       const char *trusted_proxies);

/* False: `text` is no list of addresses and networks. */
bool address_list_valid(const char *text);

/* How many connections an address has, in a map whose keys are addresses. */
size_t address_count(const struct uuid_map *counts, const struct in6_addr *address);
void address_enter(struct uuid_map *counts, const struct in6_addr *address);
void address_leave(struct uuid_map *counts, const struct in6_addr *address);
