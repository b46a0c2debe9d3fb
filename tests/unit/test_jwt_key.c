/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/jwt_key.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "gateway/base64url.h"
#include "gateway/jwt_key.h"

static EVP_PKEY *rsa, *rsa_weak, *p256, *p384, *ed25519;

static int make_keys(void **state)
{
    rsa = EVP_RSA_gen(2048);
    rsa_weak = EVP_RSA_gen(1024);
    p256 = EVP_EC_gen("P-256");
    p384 = EVP_EC_gen("P-384");
    ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return rsa && rsa_weak && p256 && p384 && ed25519 ? 0 : -1;
}

static int drop_keys(void **state)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa_weak);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(ed25519);
    return 0;
}

static struct jwt_key *from_pem(enum jwt_algorithm algorithm, EVP_PKEY *pkey, bool private_part,
                                const char **error)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct jwt_key *key;
    char *pem;
    long bytes;

    if (private_part)
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PUBKEY(bio, pkey);
    bytes = BIO_get_mem_data(bio, &pem);
    key = jwt_key_new("k", algorithm, pem, (size_t)bytes, error);
    BIO_free(bio);
    return key;
}

static struct jwt_key *good_pem(enum jwt_algorithm algorithm, EVP_PKEY *pkey, bool private_part)
{
    const char *error;
    struct jwt_key *key = from_pem(algorithm, pkey, private_part, &error);

    assert_non_null(key);
    assert_null(error);
    return key;
}

static bool verify_text(struct jwt_key *key, const char *text, const char *signature)
{
    uint8_t bytes[1024];
    ssize_t length = base64url_decode(bytes, signature, strlen(signature));

    assert_true(length > 0);
    return jwt_key_verify(key, text, strlen(text), bytes, (size_t)length);
}

static void test_names(void **state)
{
    enum jwt_algorithm algorithm;

    for (int i = JWT_HS256; i <= JWT_EDDSA; i++) {
        const char *name = jwt_algorithm_name((enum jwt_algorithm)i);

        assert_true(jwt_algorithm_find(&algorithm, name, strlen(name)));
        assert_int_equal(algorithm, i);
    }
    assert_false(jwt_algorithm_find(&algorithm, "none", 4));
    assert_false(jwt_algorithm_find(&algorithm, "hs256", 5));
    assert_false(jwt_algorithm_find(&algorithm, "HS256 ", 6));
    assert_false(jwt_algorithm_find(&algorithm, "HS25", 4));
    assert_false(jwt_algorithm_find(&algorithm, "", 0));
}

/* RFC 7515 appendix A.1. */
static void test_hs256_vector(void **state)
{
    static const char secret[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
                                 "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    static const char text[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                               "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                               "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    uint8_t bytes[64];
    ssize_t length = base64url_decode(bytes, secret, strlen(secret));
    const char *error;
    struct jwt_key *key = jwt_key_new("k", JWT_HS256, bytes, (size_t)length, &error);

    assert_non_null(key);
    assert_true(jwt_key_can_sign(key));
    for (int i = 0; i < 3; i++) {
        assert_true(verify_text(key, text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_false(verify_text(key, text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXg"));
        assert_false(verify_text(key, text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjQ"));
        assert_false(verify_text(key, text + 1, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    }
    jwt_key_free(key);
}

/* RFC 8037 appendix A.4: the key is one of RFC 8032's too. */
static void test_eddsa_vector(void **state)
{
    static const char x[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    static const char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    uint8_t bytes[32];
    EVP_PKEY *pkey;
    struct jwt_key *key;

    assert_int_equal(base64url_decode(bytes, x, strlen(x)), 32);
    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
    key = good_pem(JWT_EDDSA, pkey, false);
    for (int i = 0; i < 3; i++) {
        assert_true(verify_text(key, text,
                                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5"
                                "BhVsPt9g7sVvpAr_MuM0KAg"));
        assert_false(verify_text(key, text + 1,
                                 "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg"
                                 "5BhVsPt9g7sVvpAr_MuM0KAg"));
    }
    assert_false(jwt_key_can_sign(key));
    jwt_key_free(key);
    EVP_PKEY_free(pkey);
}

/* RFC 7515 appendix A.3. */
static void test_es256_vector(void **state)
{
    static const char x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    static const char y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    static const char text[] = "eyJhbGciOiJFUzI1NiJ9."
                               "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                               "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    uint8_t point[65] = {4};
    EVP_PKEY *pkey = EVP_PKEY_new();
    struct jwt_key *key;

    assert_int_equal(base64url_decode(point + 1, x, strlen(x)), 32);
    assert_int_equal(base64url_decode(point + 33, y, strlen(y)), 32);
    assert_int_equal(EVP_PKEY_copy_parameters(pkey, p256), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(pkey, point, sizeof(point)), 1);
    key = good_pem(JWT_ES256, pkey, false);
    for (int i = 0; i < 3; i++)
        assert_true(verify_text(key, text,
                                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                                "pmWQxfKTUJqPP3-Kg6NU1Q"));
    jwt_key_free(key);
    EVP_PKEY_free(pkey);
}

static void check_round_trip(enum jwt_algorithm algorithm, EVP_PKEY *pkey, size_t bytes)
{
    struct jwt_key *private_key = good_pem(algorithm, pkey, true);
    struct jwt_key *public_key = good_pem(algorithm, pkey, false);
    uint8_t signature[JWT_SIGNATURE_MAX_BYTES];

    assert_true(jwt_key_can_sign(private_key));
    assert_false(jwt_key_can_sign(public_key));
    assert_int_equal(jwt_key_algorithm(public_key), algorithm);
    assert_string_equal(jwt_key_kid(public_key), "k");
    assert_int_equal(jwt_key_sign(public_key, "text", 4, signature), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(jwt_key_sign(private_key, "text", 4, signature), bytes);
        assert_true(jwt_key_verify(public_key, "text", 4, signature, bytes));
        assert_true(jwt_key_verify(private_key, "text", 4, signature, bytes));
        assert_false(jwt_key_verify(public_key, "Text", 4, signature, bytes));
        assert_false(jwt_key_verify(public_key, "text", 4, signature, bytes - 1));
        assert_false(jwt_key_verify(public_key, "text", 4, signature, 0));
        signature[i] ^= 1;
        assert_false(jwt_key_verify(public_key, "text", 4, signature, bytes));
    }
    assert_int_equal(ERR_peek_error(), 0);
    jwt_key_free(private_key);
    jwt_key_free(public_key);
}

static void test_round_trips(void **state)
{
    check_round_trip(JWT_RS256, rsa, 256);
    check_round_trip(JWT_ES256, p256, 64);
    check_round_trip(JWT_EDDSA, ed25519, 64);
}

/* r and s outside 1 to n - 1, and DER instead of r and s. */
static void test_es256_bad_numbers(void **state)
{
    struct jwt_key *key = good_pem(JWT_ES256, p256, true);
    uint8_t zero[64] = {0}, ones[64], mixed[64], good[JWT_SIGNATURE_MAX_BYTES], der[80];
    size_t der_bytes = sizeof(der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(jwt_key_sign(key, "text", 4, good), 64);
    memcpy(mixed, good, 32);
    memset(mixed + 32, 0, 32);
    assert_false(jwt_key_verify(key, "text", 4, zero, 64));
    assert_false(jwt_key_verify(key, "text", 4, ones, 64));
    assert_false(jwt_key_verify(key, "text", 4, mixed, 64));

    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, p256), 1);
    assert_int_equal(EVP_DigestSign(context, der, &der_bytes, (const unsigned char *)"text", 4), 1);
    assert_false(jwt_key_verify(key, "text", 4, der, der_bytes));
    assert_false(jwt_key_verify(key, "text", 4, der, 64));
    EVP_MD_CTX_free(context);
    jwt_key_free(key);
}

static void check_refused(enum jwt_algorithm algorithm, EVP_PKEY *pkey)
{
    const char *error;

    assert_null(from_pem(algorithm, pkey, false, &error));
    assert_non_null(error);
    assert_null(from_pem(algorithm, pkey, true, &error));
    assert_non_null(error);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_wrong_or_weak_keys(void **state)
{
    check_refused(JWT_RS256, rsa_weak);
    check_refused(JWT_RS256, p256);
    check_refused(JWT_ES256, p384);
    check_refused(JWT_ES256, rsa);
    check_refused(JWT_ES256, ed25519);
    check_refused(JWT_EDDSA, p256);
}

static void test_rsa_pss_key_is_not_rs256(void **state)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pss = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
    assert_int_equal(EVP_PKEY_generate(context, &pss), 1);
    check_refused(JWT_RS256, pss);
    EVP_PKEY_free(pss);
    EVP_PKEY_CTX_free(context);
}

static void test_bad_material(void **state)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    const char *error;

    assert_null(jwt_key_new("k", JWT_HS256, "0123456789012345678901234567890", 31, &error));
    assert_non_null(error);
    assert_null(jwt_key_new("k", JWT_HS256, "", 0, &error));
    for (int i = JWT_RS256; i <= JWT_EDDSA; i++) {
        assert_null(jwt_key_new("k", (enum jwt_algorithm)i, pem, strlen(pem), &error));
        assert_non_null(error);
        assert_null(jwt_key_new("k", (enum jwt_algorithm)i, "", 0, &error));
        assert_non_null(error);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* It must say no, and not ask for the passphrase on the terminal. */
static void test_encrypted_private_key(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *error;
    char *pem;
    long bytes;

    PEM_write_bio_PrivateKey(bio, p256, EVP_aes_128_cbc(), (const unsigned char *)"pass", 4, NULL,
                             NULL);
    bytes = BIO_get_mem_data(bio, &pem);
    assert_null(jwt_key_new("k", JWT_ES256, pem, (size_t)bytes, &error));
    assert_non_null(strstr(error, "unencrypted"));
    BIO_free(bio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hs256_vector),
        cmocka_unit_test(test_eddsa_vector),
        cmocka_unit_test(test_es256_vector),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_es256_bad_numbers),
        cmocka_unit_test(test_wrong_or_weak_keys),
        cmocka_unit_test(test_rsa_pss_key_is_not_rs256),
        cmocka_unit_test(test_bad_material),
        cmocka_unit_test(test_encrypted_private_key),
    };

    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
