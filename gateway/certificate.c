/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate and its key, tried out before they are used. */
#include "gateway/certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void explain(const char *what, char error[static CERTIFICATE_ERROR_BYTES])
{
    unsigned long code = ERR_peek_error(); /* the first one is the cause */
    ;
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    snprintf(error, CERTIFICATE_ERROR_BYTES, "%s: %s", what,
             reason != NULL ? reason : "not a PEM file of the right kind");
    ERR_clear_error();
}

/* OpenSSL would ask a terminal. */
static int refuse_passphrase(char *buffer, int size, int writing, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

static int64_t unix_time(const ASN1_TIME *time)
{
    struct tm fields;
    if (ASN1_TIME_to_tm(time, &fields) != 1)
        return 0;
    return timegm(&fields);
}

static int load_key(SSL_CTX *context, const char *key, char error[static CERTIFICATE_ERROR_BYTES])
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return 0;
    explain(key, error);
    if (asked)
        snprintf(error, CERTIFICATE_ERROR_BYTES, "%s: is under a passphrase", key);
    return 1;
}

static int load(SSL_CTX *context, const char *certificate, const char *key,
                char error[static CERTIFICATE_ERROR_BYTES])
{
    if (SSL_CTX_use_certificate_chain_file(context, certificate) == 1)
        return load_key(context, key, error);
    explain(certificate, error);
    return 1;
}

int certificate_check(const char *certificate, const char *key, struct certificate_dates *dates,
                      char error[static CERTIFICATE_ERROR_BYTES])
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        explain("OpenSSL", error);
        return 1;
    }
    int result = load(context, certificate, key, error);
    if (result == 0) {
        const X509 *leaf = SSL_CTX_get0_certificate(context);
        dates->not_before_s = unix_time(X509_get0_notBefore(leaf));
        dates->not_after_s = unix_time(X509_get0_notAfter(leaf));
    }
    SSL_CTX_free(context);
    return result;
}
