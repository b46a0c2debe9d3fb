/* SPDX-License-Identifier: Apache-2.0 */
/* The signed binary frame that nodes exchange over Redis. */
#pragma once

#include "protocol/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUS_FRAME_HEADER_BYTES = 68,    /* with the signature */
    BUS_FRAME_SIGNATURE_BYTES = 16, /* of HMAC-SHA256, truncated (RFC 2104 section 5) */
    BUS_FRAME_PAYLOAD_MAX = 1 << 20,
    BUS_FRAME_KEY_BYTES_MIN = 16,
};

/* What a publish says about itself. */
struct bus_header {
    char kind;        /* of the event; ' ' and above 'z' are the bus's own */
    struct uuid node; /* who published it; filled in by the bus */
    struct uuid room; /* or nil */
    int64_t number;   /* in the room, or 0 */
    uint64_t epoch;   /* bus_epoch() of the database's */
};

/* The tag of an epoch's text; the same text gives the same tag everywhere. */
uint64_t bus_epoch(const char *text, size_t length);

/* Signs and checks. Holds one or two keys; signs with the first, accepts both. */
struct bus_signer;

/* Keys are copied; at least BUS_FRAME_KEY_BYTES_MIN bytes each, `previous` may be NULL.
 * NULL: a key is too short, or OpenSSL has no HMAC-SHA256. */
struct bus_signer *bus_signer_new(const void *key, size_t key_bytes, const void *previous,
                                  size_t previous_bytes);
struct bus_signer *bus_signer_free(struct bus_signer *signer);

/* Writes the header and signature of a frame for `channel` into `out`; the payload follows it on
 * the wire. The signature covers the channel's name, so a frame moved to another is a forgery. */
void bus_frame_encode(struct bus_signer *signer, const char *channel,
                      const struct bus_header *header, const void *payload, size_t payload_bytes,
                      unsigned char out[static BUS_FRAME_HEADER_BYTES]);

/* Whether the frame says that it comes from this node. Not checked: it is for dropping one's own
 * before the cost of a signature; a forger who claims it gains that his frame is dropped. */
bool bus_frame_claims(const void *data, size_t length, const struct uuid *node);

enum bus_frame_result {
    BUS_FRAME_OK = 0,
    BUS_FRAME_OK_PREVIOUS, /* signed with the previous key: a rotation is under way */
    BUS_FRAME_MALFORMED,   /* too short, too long, not ours, another version */
    BUS_FRAME_FORGED,      /* no key of ours signed it for this channel */
};

/* Checks a frame of `length` bytes that came on `channel`. If OK, `payload` points into `data`. */
enum bus_frame_result bus_frame_decode(struct bus_signer *signer, const char *channel,
                                       const void *data, size_t length, struct bus_header *header,
                                       const char **payload, size_t *payload_bytes);
