/* SPDX-License-Identifier: Apache-2.0 */
/* X-Forwarded-For is believed hop by hop, from the right, as far as the hops are trusted. */
#include "gateway/address.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/config.h"
#include "gateway/http_head.h"
#include "gateway/siphash.h"
#include "protocol/uuid.h"

enum { HOPS_MAX = 16 }; /* from the right; what a client has put before them doesn't matter */

static void map_ipv4(struct in6_addr *out, const struct in_addr *address)
{
    *out = (struct in6_addr){0};
    out->s6_addr[10] = out->s6_addr[11] = 0xff;
    memcpy(&out->s6_addr[12], address, 4);
}

static bool parse(struct in6_addr *out, const char *text, size_t length)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr ipv4;

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    if (inet_pton(AF_INET, copy, &ipv4) == 1) {
        map_ipv4(out, &ipv4);
        return true;
    }
    return inet_pton(AF_INET6, copy, out) == 1;
}

void address_of_peer(struct in6_addr *out, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof(peer);

    *out = (struct in6_addr){0};
    if (getpeername(fd, (struct sockaddr *)&peer, &length))
        return;
    if (peer.ss_family == AF_INET)
        map_ipv4(out, &((struct sockaddr_in *)&peer)->sin_addr);
    else if (peer.ss_family == AF_INET6)
        *out = ((struct sockaddr_in6 *)&peer)->sin6_addr;
}

/* --- networks --- */

struct network {
    struct in6_addr address;
    unsigned bits; /* of the 128 */
};

static bool parse_network(struct network *out, const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);
    size_t host = slash ? (size_t)(slash - text) : length;

    if (!parse(&out->address, text, host))
        return false;
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(&out->address) && !memchr(text, ':', host);
    unsigned width = ipv4 ? 32 : 128, bits = width;
    if (slash) {
        char digits[4] = {0};
        size_t count = length - host - 1;
        if (!count || count > 3)
            return false;
        memcpy(digits, slash + 1, count);
        char *end;
        bits = (unsigned)strtoul(digits, &end, 10);
        if (*end || bits > width)
            return false;
    }
    out->bits = bits + (128 - width);
    return true;
}

static bool in_network(const struct network *network, const struct in6_addr *address)
{
    unsigned whole = network->bits / 8, part = network->bits % 8;

    if (memcmp(network->address.s6_addr, address->s6_addr, whole))
        return false;
    unsigned mask = part ? 0xffU << (8 - part) : 0;
    return !part || !((network->address.s6_addr[whole] ^ address->s6_addr[whole]) & mask);
}

bool address_list_valid(const char *text)
{
    const char *item;
    size_t length;
    struct network network;

    while (config_list_next(&text, &item, &length))
        if (!parse_network(&network, item, length))
            return false;
    return true;
}

bool address_in_list(const struct in6_addr *address, const char *list)
{
    const char *item;
    size_t length;
    struct network network;

    while (config_list_next(&list, &item, &length))
        if (parse_network(&network, item, length) && in_network(&network, address))
            return true;
    return false;
}

void address_of_client(struct in6_addr *address, const struct http_head *head,
                       const char *trusted_proxies)
{
    struct http_slice hops[HOPS_MAX], item; /* the last ones, in a ring */
    size_t count = 0, cursor = 0;

    while (http_head_next_item(head, "x-forwarded-for", &cursor, &item))
        hops[count++ % HOPS_MAX] = item;
    for (size_t left = count < HOPS_MAX ? count : HOPS_MAX;
         left && address_in_list(address, trusted_proxies); left--) {
        item = hops[--count % HOPS_MAX];
        struct in6_addr hop;
        if (!parse(&hop, item.data, item.length))
            return;
        *address = hop;
    }
}

/* --- counts --- */

void address_counts_init(struct address_counts *counts)
{
    uuid_map_init(&counts->map);
    RAND_bytes(counts->key, sizeof(counts->key));
}

void address_counts_deinit(struct address_counts *counts)
{
    uuid_map_deinit(&counts->map);
}

/* Two addresses share a count with a chance of 2^-64. */
static struct uuid key_of(const struct address_counts *counts, const struct in6_addr *address)
{
    uint64_t hash = siphash24(counts->key, address, sizeof(*address));
    struct uuid key = UUID_NIL;
    memcpy(&key, &hash, sizeof(hash));
    return key;
}

size_t address_count(const struct address_counts *counts, const struct in6_addr *address)
{
    struct uuid key = key_of(counts, address);
    return (size_t)(uintptr_t)uuid_map_get(&counts->map, &key);
}

void address_enter(struct address_counts *counts, const struct in6_addr *address)
{
    struct uuid key = key_of(counts, address);
    uuid_map_put(&counts->map, &key, (void *)(uintptr_t)(address_count(counts, address) + 1));
}

void address_leave(struct address_counts *counts, const struct in6_addr *address)
{
    struct uuid key = key_of(counts, address);
    size_t count = address_count(counts, address);
    if (count > 1)
        uuid_map_put(&counts->map, &key, (void *)(uintptr_t)(count - 1));
    else
        uuid_map_remove(&counts->map, &key);
}
