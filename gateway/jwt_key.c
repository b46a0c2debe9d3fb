/* SPDX-License-Identifier: Apache-2.0 */
/* One key of one JWS algorithm
 *
 * An algorithm is a row of a table: how to make a key of it, verify and sign. Which row it is was
 * decided when the key was made, so no token can choose another (algorithm confusion: an RSA public
 * key, which everybody has, taken for an HMAC secret).
 *
 * What OpenSSL 3 lets us prepare is prepared once: fetching an algorithm or initialising a context
 * costs as much as an HMAC. HS256 keeps a keyed MAC context, RS256 and ES256 an initialised verify
 * context that takes digests. Ed25519 hashes the text itself, twice, and cannot be prepared.
 *
 * OpenSSL reports failures in a queue per thread, which the TLS connections of the same thread read
 * too; so every failure here, and a bad signature is one, empties it. */
#include "gateway/jwt_key.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "protocol/xalloc.h"

enum { SHA256_BYTES = 32, ES256_NUMBER_BYTES = 32, ES256_BYTES = 64, ED25519_BYTES = 64 };

struct jwt_key {
    char kid[JWT_KID_BYTES];
    enum jwt_algorithm algorithm;
    bool can_sign;
    EVP_MAC_CTX *mac;       /* HS256 */
    EVP_PKEY *pkey;         /* the others */
    EVP_PKEY_CTX *verifier; /* RS256, ES256 */
    EVP_MD_CTX *digest;     /* RS256, ES256, EdDSA */
    EVP_MD *sha256;         /* RS256, ES256 */
};

struct algorithm_row {
    const char *name;
    const char *(*set_up)(struct jwt_key *key, const void *material, size_t bytes);
    bool (*verify)(struct jwt_key *key, const char *text, size_t length, const uint8_t *signature,
                   size_t bytes);
    size_t (*sign)(struct jwt_key *key, const char *text, size_t length, uint8_t *signature);
};

/* --- HS256 --- */

static const char *hs256_set_up(struct jwt_key *key, const void *material, size_t bytes)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac;

    if (bytes < JWT_HS256_SECRET_MIN_BYTES)
        return "the secret is shorter than 32 bytes";
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    key->mac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (!key->mac || !EVP_MAC_init(key->mac, material, bytes, params))
        return "OpenSSL has no HMAC-SHA256";
    key->can_sign = true;
    return NULL;
}

/* Initialising with no key keeps the old one. */
static size_t hs256_sign(struct jwt_key *key, const char *text, size_t length, uint8_t *signature)
{
    size_t bytes = 0;

    if (!EVP_MAC_init(key->mac, NULL, 0, NULL) ||
        !EVP_MAC_update(key->mac, (const unsigned char *)text, length) ||
        !EVP_MAC_final(key->mac, signature, &bytes, SHA256_BYTES))
        return 0;
    return bytes;
}

static bool hs256_verify(struct jwt_key *key, const char *text, size_t length,
                         const uint8_t *signature, size_t bytes)
{
    uint8_t right[SHA256_BYTES];

    if (bytes != sizeof(right) || hs256_sign(key, text, length, right) != sizeof(right))
        return false;
    return CRYPTO_memcmp(right, signature, sizeof(right)) == 0;
}

/* --- Public keys in common --- */

/* An encrypted PEM file must not ask for its passphrase on the terminal. */
static int refuse_passphrase(char *out, int size, int writing, void *context)
{
    return -1;
}

static const char *load_pem(struct jwt_key *key, const void *material, size_t bytes)
{
    BIO *bio = BIO_new_mem_buf(material, (int)bytes);

    key->pkey = PEM_read_bio_PUBKEY(bio, NULL, refuse_passphrase, NULL);
    if (!key->pkey) {
        (void)BIO_reset(bio);
        key->pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
        key->can_sign = key->pkey != NULL;
    }
    BIO_free(bio);
    if (!key->pkey)
        return "not a PEM public key, nor an unencrypted PEM private key";
    key->digest = EVP_MD_CTX_new();
    return key->digest ? NULL : "out of memory";
}

static const char *prepare_verifier(struct jwt_key *key)
{
    key->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    key->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (!key->sha256 || !key->verifier || EVP_PKEY_verify_init(key->verifier) != 1 ||
        EVP_PKEY_CTX_set_signature_md(key->verifier, key->sha256) != 1)
        return "OpenSSL cannot verify with it";
    return NULL;
}

static bool verify_digest_of(struct jwt_key *key, const char *text, size_t length,
                             const uint8_t *signature, size_t bytes)
{
    uint8_t digest[SHA256_BYTES];

    return EVP_DigestInit_ex2(key->digest, key->sha256, NULL) == 1 &&
           EVP_DigestUpdate(key->digest, text, length) == 1 &&
           EVP_DigestFinal_ex(key->digest, digest, NULL) == 1 &&
           EVP_PKEY_verify(key->verifier, signature, bytes, digest, sizeof(digest)) == 1;
}

/* `digest` is NULL for Ed25519; RSA signs with PKCS #1 padding unless told otherwise. The context
 * is not the key's: one that has signed would go on signing where it is to digest. */
static size_t sign_text(struct jwt_key *key, const EVP_MD *digest, const char *text, size_t length,
                        uint8_t *signature, size_t room)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t bytes = room;

    if (EVP_DigestSignInit(context, NULL, digest, NULL, key->pkey) != 1 ||
        EVP_DigestSign(context, signature, &bytes, (const unsigned char *)text, length) != 1)
        bytes = 0;
    EVP_MD_CTX_free(context);
    return bytes;
}

/* --- RS256 --- */

static const char *rs256_set_up(struct jwt_key *key, const void *material, size_t bytes)
{
    const char *error = load_pem(key, material, bytes);

    if (error)
        return error;
    if (!EVP_PKEY_is_a(key->pkey, "RSA"))
        return "not an RSA key";
    if (EVP_PKEY_get_bits(key->pkey) < JWT_RSA_MIN_BITS)
        return "the RSA key has fewer than 2048 bits";
    if (EVP_PKEY_get_bits(key->pkey) > JWT_RSA_MAX_BITS)
        return "the RSA key has more than 8192 bits";
    error = prepare_verifier(key);
    if (error)
        return error;
    return EVP_PKEY_CTX_set_rsa_padding(key->verifier, RSA_PKCS1_PADDING) == 1
               ? NULL
               : "OpenSSL has no PKCS #1 padding";
}

static bool rs256_verify(struct jwt_key *key, const char *text, size_t length,
                         const uint8_t *signature, size_t bytes)
{
    return bytes == (size_t)EVP_PKEY_get_size(key->pkey) &&
           verify_digest_of(key, text, length, signature, bytes);
}

static size_t rs256_sign(struct jwt_key *key, const char *text, size_t length, uint8_t *signature)
{
    return sign_text(key, key->sha256, text, length, signature, JWT_SIGNATURE_MAX_BYTES);
}

/* --- ES256 --- */

static const char *es256_set_up(struct jwt_key *key, const void *material, size_t bytes)
{
    char group[32];
    const char *error = load_pem(key, material, bytes);

    if (error)
        return error;
    if (!EVP_PKEY_is_a(key->pkey, "EC") ||
        !EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) ||
        strcmp(group, SN_X9_62_prime256v1) != 0)
        return "not an EC key on the curve P-256";
    return prepare_verifier(key);
}

/* A DER INTEGER: no leading zeros, but one where the top bit would mean a minus. */
static size_t put_der_integer(uint8_t *out, const uint8_t number[static ES256_NUMBER_BYTES])
{
    unsigned skip = 0, sign;

    while (skip < ES256_NUMBER_BYTES - 1 && number[skip] == 0)
        skip++;
    sign = number[skip] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(ES256_NUMBER_BYTES - skip + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, number + skip, ES256_NUMBER_BYTES - skip);
    return 2u + out[1];
}

/* OpenSSL wants DER. It refuses r and s outside 1 to n - 1. */
static bool es256_verify(struct jwt_key *key, const char *text, size_t length,
                         const uint8_t *signature, size_t bytes)
{
    uint8_t der[2 + 2 * (3 + ES256_NUMBER_BYTES)] = {0x30};
    size_t used = 2;

    if (bytes != ES256_BYTES)
        return false;
    used += put_der_integer(der + used, signature);
    used += put_der_integer(der + used, signature + ES256_NUMBER_BYTES);
    der[1] = (uint8_t)(used - 2);
    return verify_digest_of(key, text, length, der, used);
}

static size_t es256_sign(struct jwt_key *key, const char *text, size_t length, uint8_t *signature)
{
    uint8_t der[128];
    const unsigned char *position = der;
    size_t bytes = sign_text(key, key->sha256, text, length, der, sizeof(der));
    ECDSA_SIG *pair = bytes ? d2i_ECDSA_SIG(NULL, &position, (long)bytes) : NULL;

    if (!pair)
        return 0;
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, ES256_NUMBER_BYTES);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + ES256_NUMBER_BYTES, ES256_NUMBER_BYTES);
    ECDSA_SIG_free(pair);
    return ES256_BYTES;
}

/* --- EdDSA --- */

static const char *eddsa_set_up(struct jwt_key *key, const void *material, size_t bytes)
{
    const char *error = load_pem(key, material, bytes);

    if (error)
        return error;
    return EVP_PKEY_is_a(key->pkey, "ED25519") ? NULL : "not an Ed25519 key";
}

static bool eddsa_verify(struct jwt_key *key, const char *text, size_t length,
                         const uint8_t *signature, size_t bytes)
{
    if (bytes != ED25519_BYTES)
        return false;
    EVP_MD_CTX_reset(key->digest);
    return EVP_DigestVerifyInit(key->digest, NULL, NULL, NULL, key->pkey) == 1 &&
           EVP_DigestVerify(key->digest, signature, bytes, (const unsigned char *)text, length) ==
               1;
}

static size_t eddsa_sign(struct jwt_key *key, const char *text, size_t length, uint8_t *signature)
{
    return sign_text(key, NULL, text, length, signature, JWT_SIGNATURE_MAX_BYTES);
}

/* --- The table and its uses --- */

static const struct algorithm_row algorithms[] = {
    [JWT_HS256] = {"HS256", hs256_set_up, hs256_verify, hs256_sign},
    [JWT_RS256] = {"RS256", rs256_set_up, rs256_verify, rs256_sign},
    [JWT_ES256] = {"ES256", es256_set_up, es256_verify, es256_sign},
    [JWT_EDDSA] = {"EdDSA", eddsa_set_up, eddsa_verify, eddsa_sign},
};

bool jwt_algorithm_find(enum jwt_algorithm *out, const char *name, size_t length)
{
    for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (strlen(algorithms[i].name) == length && !memcmp(algorithms[i].name, name, length)) {
            *out = (enum jwt_algorithm)i;
            return true;
        }
    }
    return false;
}

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

struct jwt_key *jwt_key_new(const char *kid, enum jwt_algorithm algorithm, const void *material,
                            size_t bytes, const char **error)
{
    struct jwt_key *key = xcalloc(1, sizeof(*key));

    assert(strlen(kid) < sizeof(key->kid));
    strcpy(key->kid, kid);
    key->algorithm = algorithm;
    *error = algorithms[algorithm].set_up(key, material, bytes);
    ERR_clear_error();
    return *error ? jwt_key_free(key) : key;
}

struct jwt_key *jwt_key_free(struct jwt_key *key)
{
    if (!key)
        return NULL;
    EVP_MAC_CTX_free(key->mac);
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pkey);
    EVP_MD_CTX_free(key->digest);
    EVP_MD_free(key->sha256);
    free(key);
    return NULL;
}

const char *jwt_key_kid(const struct jwt_key *key)
{
    return key->kid;
}

enum jwt_algorithm jwt_key_algorithm(const struct jwt_key *key)
{
    return key->algorithm;
}

bool jwt_key_can_sign(const struct jwt_key *key)
{
    return key->can_sign;
}

bool jwt_key_verify(struct jwt_key *key, const char *text, size_t length, const uint8_t *signature,
                    size_t bytes)
{
    bool good = algorithms[key->algorithm].verify(key, text, length, signature, bytes);

    if (!good)
        ERR_clear_error();
    return good;
}

size_t jwt_key_sign(struct jwt_key *key, const char *text, size_t length,
                    uint8_t signature[static JWT_SIGNATURE_MAX_BYTES])
{
    size_t bytes = 0;

    if (key->can_sign)
        bytes = algorithms[key->algorithm].sign(key, text, length, signature);
    if (bytes == 0)
        ERR_clear_error();
    return bytes;
}
