/* SPDX-License-Identifier: Apache-2.0 */
/* Project Wycheproof's JSON Web Signature cases, against gateway/jwt.h
 *
 * The corpus is not part of this repository. It is read from $CHATGATE_CORPORA, else from
 * ../shared/corpora beside the source tree; without it the test is skipped, and says so.
 *
 * Its payloads are no claims, so a signature that was accepted shows as JWT_BAD_CLAIM. Keys of
 * algorithms that are not spoken here (PS256, RS512, ...) are loaded as the nearest one that is:
 * all their tokens must be refused, but for those that are truly of that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "gateway/base64url.h"
#include "gateway/jwt.h"
#include "gateway/jwt_keys.h"

enum { SKIPPED = 77 }; /* meson's exit code */

/* Where the corpus's verdict is not ours: 367 and 370 are case 357, which is valid, byte for byte
 * (the padding that they are about got lost); 372 and 373 are valid only to a decoder that passes
 * over characters that are not base64. */
static const int turned_round[] = {367, 370, 372, 373};

static json_t *corpus;
static char key_path[] = "/tmp/test_jws_corpus.XXXXXX";

struct tally {
    unsigned accepted, refused, groups, skipped_groups;
};

static size_t decode_member(const json_t *jwk, const char *name, uint8_t *out)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    ssize_t bytes = text ? base64url_decode(out, text, strlen(text)) : -1;

    assert_true(bytes > 0);
    return (size_t)bytes;
}

static void write_public_key(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;
    FILE *file = fopen(key_path, "w");

    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    assert_int_equal(PEM_write_PUBKEY(file, pkey), 1);
    fclose(file);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
}

static void write_rsa_key(const json_t *jwk)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    uint8_t bytes[1024];
    BIGNUM *n = BN_bin2bn(bytes, (int)decode_member(jwk, "n", bytes), NULL);
    BIGNUM *e = BN_bin2bn(bytes, (int)decode_member(jwk, "e", bytes), NULL);

    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    write_public_key("RSA", builder);
    BN_free(n);
    BN_free(e);
}

static void write_ec_key(const json_t *jwk)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    uint8_t point[1 + 2 * 66 + 8] = {4};
    size_t x = decode_member(jwk, "x", point + 1);
    size_t y = decode_member(jwk, "y", point + 1 + x);
    const char *curve = json_string_value(json_object_get(jwk, "crv"));

    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x + y);
    write_public_key("EC", builder);
}

static void write_secret(const json_t *jwk)
{
    uint8_t bytes[1024];
    size_t length = decode_member(jwk, "k", bytes);
    FILE *file = fopen(key_path, "w");

    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Writes the key and returns the algorithm to load it as, or NULL for a key that is not for
 * signatures: a set of ours cannot say that of a key, so the operator must not load it. */
static const char *write_key(const json_t *jwk)
{
    const char *type = json_string_value(json_object_get(jwk, "kty"));

    if (!json_object_get(jwk, "alg"))
        return NULL;
    if (strcmp(type, "RSA") == 0)
        return write_rsa_key(jwk), "RS256";
    if (strcmp(type, "EC") == 0)
        return write_ec_key(jwk), "ES256";
    return write_secret(jwk), "HS256";
}

static bool is_valid(const json_t *test, int id)
{
    bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;

    for (size_t i = 0; i < sizeof(turned_round) / sizeof(turned_round[0]); i++)
        if (turned_round[i] == id)
            return !valid;
    return valid;
}

static bool header_names(const char *jws, const char *algorithm)
{
    char header[1024] = "";
    size_t length = strcspn(jws, ".");

    if (base64url_decoded_bound(length) < sizeof(header))
        base64url_decode((uint8_t *)header, jws, length);
    return strstr(header, algorithm) != NULL;
}

static void check_case(const struct jwt_keys *keys, const json_t *test, bool spoken,
                       struct tally *tally)
{
    const char *jws = json_string_value(json_object_get(test, "jws"));
    int id = (int)json_integer_value(json_object_get(test, "tcId"));
    bool valid = spoken && is_valid(test, id);
    struct jwt_claims claims;
    enum jwt_result result = jwt_verify(keys, jws, strlen(jws), 1000, &claims);

    if ((result == JWT_BAD_CLAIM) != valid)
        print_error("case %d (%s): %s\n", id, json_string_value(json_object_get(test, "comment")),
                    jwt_result_name(result));
    assert_int_equal(result == JWT_BAD_CLAIM, valid);
    assert_int_not_equal(result, JWT_OK);
    *(valid ? &tally->accepted : &tally->refused) += 1;
}

static void check_group(const json_t *group, struct tally *tally)
{
    const json_t *jwk = json_object_get(group, "public");
    char error[JWT_KEYS_ERROR_BYTES], list[256];
    const char *algorithm, *named, *kid;
    struct jwt_keys *keys;
    const json_t *test;
    size_t i;

    jwk = jwk ? jwk : json_object_get(group, "private");
    algorithm = write_key(jwk);
    named = json_string_value(json_object_get(jwk, "alg"));
    kid = json_string_value(json_object_get(jwk, "kid"));
    snprintf(list, sizeof(list), "%s:%s:%s", kid, algorithm ? algorithm : "", key_path);
    keys = algorithm ? jwt_keys_load(&(struct jwt_keys_options){.keys = list}, error) : NULL;
    if (!keys) {
        assert_true(!algorithm || strcmp(named, algorithm) != 0);
        tally->skipped_groups++;
        return;
    }
    tally->groups++;
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        const char *jws = json_string_value(json_object_get(test, "jws"));

        if (strcmp(named, algorithm) == 0)
            check_case(keys, test, true, tally);
        else if (!header_names(jws, algorithm))
            check_case(keys, test, false, tally);
    }
    jwt_keys_free(keys);
}

static void test_every_case(void **state)
{
    struct tally tally = {0};
    const json_t *group;
    size_t i;

    json_array_foreach(json_object_get(corpus, "testGroups"), i, group)
    {
        check_group(group, &tally);
    }
    print_message("%u groups: %u signatures accepted, %u refused; %u groups hold keys that cannot "
                  "be loaded\n",
                  tally.groups, tally.accepted, tally.refused, tally.skipped_groups);
    assert_true(tally.accepted >= 10);
    assert_true(tally.refused >= 300);
}

static json_t *read_corpus(void)
{
    static const char name[] = "jws/wycheproof-json_web_signature.json";
    const char *folder = getenv("CHATGATE_CORPORA"), *source = getenv("CHATGATE_SOURCE_ROOT");
    char path[4096];

    if (folder)
        snprintf(path, sizeof(path), "%s/%s", folder, name);
    else
        snprintf(path, sizeof(path), "%s/../shared/corpora/%s", source ? source : ".", name);
    return json_load_file(path, 0, NULL);
}

static int set_up(void **state)
{
    int fd = mkstemp(key_path);

    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    return unlink(key_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_case)};
    int failed;

    corpus = read_corpus();
    if (!corpus) {
        puts("skipped: Wycheproof's corpus is not here (CHATGATE_CORPORA)");
        return SKIPPED;
    }
    failed = cmocka_run_group_tests(tests, set_up, tear_down);
    json_decref(corpus);
    return failed;
}
