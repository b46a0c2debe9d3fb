/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/certificate.h, with certificates made here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "gateway/certificate.h"

static char folder[] = "/tmp/chatgate-certificate-XXXXXX";
static char certificate[64], key[64], other_key[64], locked_key[64];

static void write_key(const char *path, EVP_PKEY *pair, const char *passphrase)
{
    FILE *file = fopen(path, "w");
    const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_128_cbc() : NULL;
    assert_int_equal(
        PEM_write_PrivateKey(file, pair, cipher, NULL, 0, NULL, (void *)(uintptr_t)passphrase), 1);
    fclose(file);
}

/* Self-signed, valid from yesterday until `days` from now. */
static void write_certificate(const char *path, EVP_PKEY *pair, int days)
{
    X509 *x509 = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x509), days * 86400L);
    X509_set_pubkey(x509, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    assert_true(X509_sign(x509, pair, EVP_sha256()) > 0);
    FILE *file = fopen(path, "w");
    assert_int_equal(PEM_write_X509(file, x509), 1);
    fclose(file);
    X509_free(x509);
}

static int make_files(void **state)
{
    assert_non_null(mkdtemp(folder));
    snprintf(certificate, sizeof(certificate), "%s/certificate", folder);
    snprintf(key, sizeof(key), "%s/key", folder);
    snprintf(other_key, sizeof(other_key), "%s/other", folder);
    snprintf(locked_key, sizeof(locked_key), "%s/locked", folder);
    EVP_PKEY *pair = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    write_certificate(certificate, pair, 30);
    write_key(key, pair, NULL);
    write_key(locked_key, pair, "passphrase");
    write_key(other_key, other, NULL);
    EVP_PKEY_free(pair);
    EVP_PKEY_free(other);
    return 0;
}

static int remove_files(void **state)
{
    unlink(certificate);
    unlink(key);
    unlink(other_key);
    unlink(locked_key);
    return rmdir(folder);
}

static void test_a_good_pair(void **state)
{
    struct certificate_dates dates;
    char error[CERTIFICATE_ERROR_BYTES] = "";
    assert_int_equal(certificate_check(certificate, key, &dates, error), 0);
    int64_t now_s = time(NULL);
    assert_in_range(dates.not_before_s, now_s - 86400 - 60, now_s - 86400);
    assert_in_range(dates.not_after_s, now_s + 30 * 86400 - 60, now_s + 30 * 86400);
}

static void expect_refused(const char *certificate_path, const char *key_path, const char *place,
                           const char *reason)
{
    struct certificate_dates dates;
    char error[CERTIFICATE_ERROR_BYTES] = "";
    char expected[CERTIFICATE_ERROR_BYTES];
    snprintf(expected, sizeof(expected), "%s: %s", place, reason);
    assert_int_equal(certificate_check(certificate_path, key_path, &dates, error), 1);
    assert_string_equal(error, expected);
}

static void test_what_is_refused(void **state)
{
    expect_refused("/no/such", key, "/no/such", "No such file or directory");
    expect_refused(certificate, "/no/such", "/no/such", "No such file or directory");
    expect_refused(key, key, key, "no start line");
    expect_refused(certificate, other_key, other_key, "key values mismatch");
    expect_refused(certificate, locked_key, locked_key, "is under a passphrase");
    expect_refused(folder, key, folder, "no start line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_pair),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
