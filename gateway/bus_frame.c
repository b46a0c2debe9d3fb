/* SPDX-License-Identifier: Apache-2.0 */
/* The signed binary frame that nodes exchange over Redis.
 *
 *      0  2  "cg"
 *      2  1  version, 1
 *      3  1  kind
 *      4 16  publishing node
 *     20 16  room
 *     36  8  number, big-endian, as is
 *     44  8  epoch
 *     52 16  signature
 *     68  n  payload
 *
 * Whoever can write to Redis could otherwise put words into a chat: Redis often has one password
 * for everything, or none. The signature is HMAC-SHA256, cut to half its length as RFC 2104 allows,
 * over
 *
 *     length of the channel's name (1 byte) | name | bytes 0 to 51 | payload
 *
 * The name is in it because it is the address: without it a frame for one user, caught and
 * published again on another's channel, would be good. A frame published twice on its own channel
 * is good twice; that harms nobody, since rooms' numbers tell duplicates and all else is a hint.
 *
 * A signer keeps one EVP_MAC_CTX a key, keyed once: to begin with a NULL key means the same key
 * again, and spares the hashing of the padded key and all allocations.
 */

#include "gateway/bus_frame.h"

#include "protocol/xalloc.h"

#include <assert.h>
#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum {
    OFFSET_VERSION = 2,
    OFFSET_KIND = 3,
    OFFSET_NODE = 4,
    OFFSET_ROOM = 20,
    OFFSET_NUMBER = 36,
    OFFSET_EPOCH = 44,
    OFFSET_SIGNATURE = 52,
    VERSION = 1,
    KEYS = 2,
};

static_assert((int)OFFSET_SIGNATURE + (int)BUS_FRAME_SIGNATURE_BYTES == (int)BUS_FRAME_HEADER_BYTES,
              "the layout adds up");

static const unsigned char magic[] = {'c', 'g'};

struct bus_signer {
    EVP_MAC_CTX *keys[KEYS]; /* the second may be NULL */
};

static EVP_MAC_CTX *new_key(EVP_MAC *hmac, const void *key, size_t key_bytes)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);

    if (context && EVP_MAC_init(context, key, key_bytes, params) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

struct bus_signer *bus_signer_new(const void *key, size_t key_bytes, const void *previous,
                                  size_t previous_bytes)
{
    struct bus_signer *signer;
    EVP_MAC *hmac;

    if (!key || key_bytes < BUS_FRAME_KEY_BYTES_MIN ||
        (previous && previous_bytes < BUS_FRAME_KEY_BYTES_MIN))
        return NULL;
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!hmac)
        return NULL;
    signer = xcalloc(1, sizeof(*signer));
    signer->keys[0] = new_key(hmac, key, key_bytes);
    if (previous)
        signer->keys[1] = new_key(hmac, previous, previous_bytes);
    EVP_MAC_free(hmac); /* the contexts hold references */
    if (!signer->keys[0] || (previous && !signer->keys[1]))
        return bus_signer_free(signer);
    return signer;
}

struct bus_signer *bus_signer_free(struct bus_signer *signer)
{
    if (!signer)
        return NULL;
    for (size_t i = 0; i < KEYS; i++)
        EVP_MAC_CTX_free(signer->keys[i]);
    free(signer);
    return NULL;
}

static void sign(EVP_MAC_CTX *key, const char *channel, const unsigned char *header,
                 const void *payload, size_t payload_bytes,
                 unsigned char out[static SHA256_DIGEST_LENGTH])
{
    size_t channel_bytes = strlen(channel), length = 0;
    unsigned char prefix = (unsigned char)channel_bytes;

    assert(channel_bytes <= UINT8_MAX);
    /* With a key in place none of these fails but for want of memory. */
    if (EVP_MAC_init(key, NULL, 0, NULL) != 1 || EVP_MAC_update(key, &prefix, 1) != 1 ||
        EVP_MAC_update(key, (const unsigned char *)channel, channel_bytes) != 1 ||
        EVP_MAC_update(key, header, OFFSET_SIGNATURE) != 1 ||
        EVP_MAC_update(key, payload, payload_bytes) != 1 ||
        EVP_MAC_final(key, out, &length, SHA256_DIGEST_LENGTH) != 1 ||
        length != SHA256_DIGEST_LENGTH)
        abort();
}

static void put_u64(unsigned char *out, uint64_t value)
{
    value = htobe64(value);
    memcpy(out, &value, sizeof(value));
}

static uint64_t get_u64(const unsigned char *in)
{
    uint64_t value;

    memcpy(&value, in, sizeof(value));
    return be64toh(value);
}

uint64_t bus_epoch(const char *text, size_t length)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, length, digest);
    return get_u64(digest);
}

void bus_frame_encode(struct bus_signer *signer, const char *channel,
                      const struct bus_header *header, const void *payload, size_t payload_bytes,
                      unsigned char out[static BUS_FRAME_HEADER_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    memcpy(out, magic, sizeof(magic));
    out[OFFSET_VERSION] = VERSION;
    out[OFFSET_KIND] = (unsigned char)header->kind;
    memcpy(out + OFFSET_NODE, header->node.bytes, UUID_BYTES);
    memcpy(out + OFFSET_ROOM, header->room.bytes, UUID_BYTES);
    put_u64(out + OFFSET_NUMBER, (uint64_t)header->number);
    put_u64(out + OFFSET_EPOCH, header->epoch);
    sign(signer->keys[0], channel, out, payload, payload_bytes, digest);
    memcpy(out + OFFSET_SIGNATURE, digest, BUS_FRAME_SIGNATURE_BYTES);
}

/* The key that signed the frame, or KEYS. */
static size_t find_key(struct bus_signer *signer, const char *channel, const unsigned char *frame,
                       size_t length)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    for (size_t i = 0; i < KEYS; i++) {
        if (!signer->keys[i])
            continue;
        sign(signer->keys[i], channel, frame, frame + BUS_FRAME_HEADER_BYTES,
             length - BUS_FRAME_HEADER_BYTES, digest);
        if (CRYPTO_memcmp(digest, frame + OFFSET_SIGNATURE, BUS_FRAME_SIGNATURE_BYTES) == 0)
            return i;
    }
    return KEYS;
}

bool bus_frame_claims(const void *data, size_t length, const struct uuid *node)
{
    return length >= BUS_FRAME_HEADER_BYTES &&
           !memcmp((const unsigned char *)data + OFFSET_NODE, node->bytes, UUID_BYTES);
}

enum bus_frame_result bus_frame_decode(struct bus_signer *signer, const char *channel,
                                       const void *data, size_t length, struct bus_header *header,
                                       const char **payload, size_t *payload_bytes)
{
    const unsigned char *frame = data;
    size_t key;

    if (length < BUS_FRAME_HEADER_BYTES ||
        length > (size_t)BUS_FRAME_HEADER_BYTES + BUS_FRAME_PAYLOAD_MAX ||
        memcmp(frame, magic, sizeof(magic)) != 0 || frame[OFFSET_VERSION] != VERSION)
        return BUS_FRAME_MALFORMED;
    key = find_key(signer, channel, frame, length);
    if (key == KEYS)
        return BUS_FRAME_FORGED;

    header->kind = (char)frame[OFFSET_KIND];
    memcpy(header->node.bytes, frame + OFFSET_NODE, UUID_BYTES);
    memcpy(header->room.bytes, frame + OFFSET_ROOM, UUID_BYTES);
    header->number = (int64_t)get_u64(frame + OFFSET_NUMBER);
    header->epoch = get_u64(frame + OFFSET_EPOCH);
    *payload = (const char *)frame + BUS_FRAME_HEADER_BYTES;
    *payload_bytes = length - BUS_FRAME_HEADER_BYTES;
    return key == 0 ? BUS_FRAME_OK : BUS_FRAME_OK_PREVIOUS;
}
