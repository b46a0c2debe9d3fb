/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/jwt.h: what a token may say. Signatures: test_jwt_key.c, test_jws_corpus.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base64url.h"
#include "gateway/jwt.h"
#include "gateway/jwt_key.h"
#include "gateway/jwt_keys.h"
#include "protocol/xalloc.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define SUB    "0190f2a4-7b3c-7def-8a1b-0123456789ab"
#define HEADER "{\"alg\":\"HS256\",\"kid\":\"k\"}"
/* A payload with `more` beside sub and exp. */
#define CLAIMS(more) "{\"sub\":\"" SUB "\",\"exp\":2000" more "}"

enum { NOW_S = 1000, LEEWAY_S = 30 };

static struct jwt_keys *keys; /* neither issuer nor audience */
static struct jwt_keys *strict_keys;

static struct jwt_keys *load(const char *issuer, const char *audience)
{
    char error[JWT_KEYS_ERROR_BYTES];
    struct jwt_keys_options options = {
        .hs256_secret = SECRET,
        .hs256_kid = "k",
        .issuer = issuer,
        .audience = audience,
        .leeway_s = LEEWAY_S,
    };

    return jwt_keys_load(&options, error);
}

static int set_up(void **state)
{
    keys = load("", NULL);
    strict_keys = load("issuer", "chat");
    return keys && strict_keys ? 0 : -1;
}

static int tear_down(void **state)
{
    keys = jwt_keys_free(keys);
    strict_keys = jwt_keys_free(strict_keys);
    return 0;
}

/* A token of any header and payload, well signed. The caller frees. */
static char *sign(const char *header, const char *payload)
{
    size_t room = strlen(header) * 2 + strlen(payload) * 2 + 100;
    char *text = xmalloc(room);
    uint8_t signature[JWT_SIGNATURE_MAX_BYTES];
    size_t length, bytes;

    length = base64url_encode(text, header, strlen(header));
    text[length++] = '.';
    length += base64url_encode(text + length, payload, strlen(payload));
    bytes = jwt_key_sign(jwt_keys_find(keys, "k"), text, length, signature);
    text[length++] = '.';
    length += base64url_encode(text + length, signature, bytes);
    text[length] = '\0';
    return text;
}

static enum jwt_result verify_with(const struct jwt_keys *with, const char *header,
                                   const char *payload, struct jwt_claims *out)
{
    static const struct jwt_claims zero;
    char *token = sign(header, payload);
    enum jwt_result result = jwt_verify(with, token, strlen(token), NOW_S, out);

    if (result != JWT_OK && result != JWT_EXPIRED)
        assert_memory_equal(out, &zero, sizeof(zero));
    free(token);
    return result;
}

static void expect(enum jwt_result expected, const char *header, const char *payload)
{
    struct jwt_claims claims;
    enum jwt_result result = verify_with(keys, header, payload, &claims);

    if (result != expected)
        print_error("%s %s: %s, not %s\n", header, payload, jwt_result_name(result),
                    jwt_result_name(expected));
    assert_int_equal(result, expected);
}

static void expect_claims(enum jwt_result expected, const char *payload)
{
    expect(expected, HEADER, payload);
}

static void test_good(void **state)
{
    struct jwt_claims claims;
    char text[UUID_TEXT_BYTES + 1];

    assert_int_equal(verify_with(keys, HEADER,
                                 CLAIMS(",\"iat\":990,\"nbf\":990,\"auth_time\":900,"
                                        "\"role\":\"teacher\",\"jti\":\"j-1\",\"x\":[{\"y\":1}]"),
                                 &claims),
                     JWT_OK);
    uuid_format(&claims.sub, text);
    assert_string_equal(text, SUB);
    assert_string_equal(claims.role, "teacher");
    assert_string_equal(claims.jti, "j-1");
    assert_string_equal(claims.kid, "k");
    assert_int_equal(claims.exp_s, 2000);
    assert_int_equal(claims.iat_s, 990);
    assert_int_equal(claims.auth_time_s, 900);
}

static void test_least(void **state)
{
    struct jwt_claims claims;

    assert_int_equal(verify_with(keys, "{\"alg\":\"HS256\"}", CLAIMS(""), &claims), JWT_OK);
    assert_string_equal(claims.role, "");
    assert_string_equal(claims.jti, "");
    assert_string_equal(claims.kid, "k");
    assert_int_equal(claims.iat_s, 0);
}

static void test_headers(void **state)
{
    expect(JWT_OK, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", CLAIMS(""));
    expect(JWT_OK, "{\"alg\":\"HS256\",\"typ\":\"jwt\"}", CLAIMS(""));
    expect(JWT_OK, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", CLAIMS(""));
    expect(JWT_OK, "{\"alg\":\"HS256\",\"x5t\":\"abc\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"typ\":\"JWE\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"typ\":null}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"crit\":[]}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"b64\":false}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"b64\":true}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
           CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"jku\":\"https://evil.example\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"x5u\":\"https://evil.example\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"x5c\":[]}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"kid\":\"k\"}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":null}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":[\"HS256\"]}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"kid\":1}", CLAIMS(""));
    expect(JWT_BAD_HEADER, "{\"alg\":\"HS256\",\"kid\":null}", CLAIMS(""));
}

static void test_algorithms(void **state)
{
    static const char *const others[] = {"none",   "None",  "nOnE",   "NONE",  "",      "hs256",
                                         "HS384",  "HS512", "RS256",  "ES256", "EdDSA", "PS256",
                                         "HS256 ", "HMAC",  "SHA256", "dir",   "ES256K"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char header[64];

        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\"}", others[i]);
        expect(JWT_WRONG_ALGORITHM, header, CLAIMS(""));
    }
}

/* A kid is compared, never used. */
static void test_kids(void **state)
{
    static const char *const others[] = {
        "", "K", "k ", "kk", "/dev/null", "../../../../etc/passwd", "|k", "' OR 1=1--", "k\\u0020"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char header[128];

        snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%s\"}", others[i]);
        expect(JWT_UNKNOWN_KEY, header, CLAIMS(""));
    }
    expect(JWT_OK, "{\"alg\":\"HS256\",\"kid\":\"\\u006b\"}", CLAIMS(""));
    expect(JWT_MALFORMED, "{\"alg\":\"HS256\",\"kid\":\"k\\u0000\"}", CLAIMS(""));
}

static void test_header_json(void **state)
{
    char large[2048];

    expect(JWT_MALFORMED, "", CLAIMS(""));
    expect(JWT_MALFORMED, "[]", CLAIMS(""));
    expect(JWT_MALFORMED, "\"HS256\"", CLAIMS(""));
    expect(JWT_MALFORMED, "{\"alg\":\"HS256\"", CLAIMS(""));
    expect(JWT_MALFORMED, "{\"alg\":\"HS256\"}{}", CLAIMS(""));
    expect(JWT_MALFORMED, "{\"alg\":\"none\",\"alg\":\"HS256\"}", CLAIMS(""));
    expect(JWT_MALFORMED, "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", CLAIMS(""));
    expect(JWT_MALFORMED, "\xef\xbb\xbf{\"alg\":\"HS256\"}", CLAIMS(""));
    snprintf(large, sizeof(large), "{\"alg\":\"HS256\",\"x\":\"%01500d\"}", 0);
    expect(JWT_MALFORMED, large, CLAIMS(""));
}

static void test_expiry(void **state)
{
    struct jwt_claims claims;

    assert_int_equal(verify_with(keys, HEADER, "{\"sub\":\"" SUB "\",\"exp\":1000}", &claims),
                     JWT_EXPIRED);
    assert_int_equal(claims.exp_s, 1000); /* known, though refused */
    expect_claims(JWT_OK, "{\"sub\":\"" SUB "\",\"exp\":1001}");
    expect_claims(JWT_OK, "{\"sub\":\"" SUB "\",\"exp\":1.5e3}");
    expect_claims(JWT_OK, "{\"sub\":\"" SUB "\",\"exp\":253402300799}");
    expect_claims(JWT_EXPIRED, "{\"sub\":\"" SUB "\",\"exp\":0}");
    expect_claims(JWT_EXPIRED, "{\"sub\":\"" SUB "\",\"exp\":999.0}");
}

static void test_bad_expiry(void **state)
{
    static const char *const bad[] = {"\"2000\"", "null",         "true",
                                      "-1",       "2000.5",       "[2000]",
                                      "{}",       "253402300800", "9223372036854775807",
                                      "1e300",    "-1e300",       "\"\""};

    expect_claims(JWT_BAD_CLAIM, "{\"sub\":\"" SUB "\"}");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char payload[128];

        snprintf(payload, sizeof(payload), "{\"sub\":\"" SUB "\",\"exp\":%s}", bad[i]);
        expect_claims(JWT_BAD_CLAIM, payload);
    }
    expect_claims(JWT_BAD_CLAIM, "{\"sub\":\"" SUB "\",\"exp\":1e400}");
    expect_claims(JWT_BAD_CLAIM, "{\"sub\":\"" SUB "\",\"exp\":99999999999999999999}");
    expect_claims(JWT_BAD_CLAIM, "{\"sub\":\"" SUB "\",\"exp\":NaN}");
}

static void test_other_dates(void **state)
{
    expect_claims(JWT_OK, CLAIMS(",\"nbf\":1030"));
    expect_claims(JWT_NOT_YET_VALID, CLAIMS(",\"nbf\":1031"));
    expect_claims(JWT_OK, CLAIMS(",\"iat\":1030"));
    expect_claims(JWT_NOT_YET_VALID, CLAIMS(",\"iat\":1031"));
    expect_claims(JWT_NOT_YET_VALID, CLAIMS(",\"auth_time\":1031"));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"nbf\":\"0\""));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"nbf\":null"));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"iat\":1e400"));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"iat\":0.5"));
}

static void test_subjects(void **state)
{
    static const char *const bad[] = {"null",
                                      "1",
                                      "\"\"",
                                      "\"0190f2a47b3c7def8a1b0123456789ab\"",
                                      "\"{0190f2a4-7b3c-7def-8a1b-0123456789ab}\"",
                                      "\"0190f2a4-7b3c-7def-8a1b-0123456789ab \"",
                                      "\"0190f2a4-7b3c-7def-8a1b-0123456789ag\"",
                                      "\"' OR 1=1; DROP TABLE users; --------\"",
                                      "[\"" SUB "\"]"};

    expect_claims(JWT_BAD_SUBJECT, "{\"exp\":2000}");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char payload[128];

        snprintf(payload, sizeof(payload), "{\"exp\":2000,\"sub\":%s}", bad[i]);
        expect_claims(JWT_BAD_SUBJECT, payload);
    }
}

static void test_roles(void **state)
{
    expect_claims(JWT_OK, CLAIMS(",\"role\":\"student\""));
    expect_claims(JWT_OK, CLAIMS(",\"role\":\"moderator\""));
    expect_claims(JWT_OK, CLAIMS(",\"role\":\"admin\""));
    expect_claims(JWT_BAD_ROLE, CLAIMS(",\"role\":\"Admin\""));
    expect_claims(JWT_BAD_ROLE, CLAIMS(",\"role\":\"root\""));
    expect_claims(JWT_BAD_ROLE, CLAIMS(",\"role\":\"\""));
    expect_claims(JWT_BAD_ROLE, CLAIMS(",\"role\":null"));
    expect_claims(JWT_BAD_ROLE, CLAIMS(",\"role\":[\"admin\"]"));
}

static void test_token_ids(void **state)
{
    struct jwt_claims claims;
    char payload[256];

    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"jti\":1"));
    snprintf(payload, sizeof(payload), CLAIMS(",\"jti\":\"%0*d\""), JWT_JTI_BYTES - 1, 0);
    assert_int_equal(verify_with(keys, HEADER, payload, &claims), JWT_OK);
    assert_int_equal(strlen(claims.jti), JWT_JTI_BYTES - 1);
    snprintf(payload, sizeof(payload), CLAIMS(",\"jti\":\"%0*d\""), JWT_JTI_BYTES, 0);
    assert_int_equal(verify_with(keys, HEADER, payload, &claims), JWT_OK);
    assert_string_equal(claims.jti, "");
}

static void test_claims_json(void **state)
{
    expect_claims(JWT_BAD_CLAIM, "");
    expect_claims(JWT_BAD_CLAIM, "[]");
    expect_claims(JWT_BAD_CLAIM, "null");
    expect_claims(JWT_BAD_CLAIM, CLAIMS("") "x");
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"exp\":3000"));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"s\\u0075b\":\"" SUB "\""));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"role\":\"student\",\"role\":\"admin\""));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"x\":{\"y\":1,\"y\":2}"));
    expect_claims(JWT_BAD_CLAIM, CLAIMS(",\"x\":\"\xff\""));
}

static void expect_strict(enum jwt_result expected, const char *payload)
{
    struct jwt_claims claims;

    assert_int_equal(verify_with(strict_keys, HEADER, payload, &claims), expected);
}

static void test_issuer_and_audience(void **state)
{
    expect_strict(JWT_OK, CLAIMS(",\"iss\":\"issuer\",\"aud\":\"chat\""));
    expect_strict(JWT_OK, CLAIMS(",\"iss\":\"issuer\",\"aud\":[\"web\",\"chat\"]"));
    expect_strict(JWT_WRONG_ISSUER, CLAIMS(",\"aud\":\"chat\""));
    expect_strict(JWT_WRONG_ISSUER, CLAIMS(",\"iss\":\"issuer2\",\"aud\":\"chat\""));
    expect_strict(JWT_WRONG_ISSUER, CLAIMS(",\"iss\":[\"issuer\"],\"aud\":\"chat\""));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\""));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\",\"aud\":\"chat2\""));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\",\"aud\":[]"));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\",\"aud\":[\"web\"]"));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\",\"aud\":[\"chat\",1]"));
    expect_strict(JWT_WRONG_AUDIENCE, CLAIMS(",\"iss\":\"issuer\",\"aud\":{\"chat\":\"chat\"}"));
    expect_claims(JWT_OK, CLAIMS(",\"iss\":\"anybody\",\"aud\":\"elsewhere\""));
}

static enum jwt_result verify_text(const char *text)
{
    struct jwt_claims claims;

    return jwt_verify(keys, text, strlen(text), NOW_S, &claims);
}

static void test_forms(void **state)
{
    static const char *const bad[] = {"",         ".",     "..",      "...",
                                      "a",        "a.b",   "a.b.c.d", "a.b.c.d.e",
                                      "e30.e30.", "e30..", "....",    "{}.{}.{}"};
    char *token = sign(HEADER, CLAIMS("")), *changed;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_not_equal(verify_text(bad[i]), JWT_OK);
    assert_int_equal(verify_text("a.b.c.d.e"), JWT_MALFORMED);
    assert_int_equal(verify_text(token), JWT_OK);

    /* JWE and the like have five parts; padding and spaces belong nowhere */
    changed = xmalloc(strlen(token) + 10);
    sprintf(changed, "%s.AA.AA", token);
    assert_int_equal(verify_text(changed), JWT_MALFORMED);
    sprintf(changed, "%s=", token);
    assert_int_equal(verify_text(changed), JWT_MALFORMED);
    sprintf(changed, " %s", token);
    assert_int_equal(verify_text(changed), JWT_MALFORMED);
    sprintf(changed, "%s\n", token);
    assert_int_equal(verify_text(changed), JWT_MALFORMED);
    *strrchr(strcpy(changed, token), '.') = '\0';
    assert_int_equal(verify_text(changed), JWT_MALFORMED);
    strcat(changed, ".");
    assert_int_equal(verify_text(changed), JWT_BAD_SIGNATURE);
    free(changed);
    free(token);
}

/* Any one character changed: never OK. (The last one has spare bits: non-canonical.) */
static void test_every_character_counts(void **state)
{
    char *token = sign(HEADER, CLAIMS(""));

    for (size_t i = 0; token[i]; i++) {
        char right = token[i];

        for (const char *c = "ABCabc019-_.=+/ "; *c; c++) {
            token[i] = *c;
            if (*c != right)
                assert_int_not_equal(verify_text(token), JWT_OK);
        }
        token[i] = right;
    }
    assert_int_equal(verify_text(token), JWT_OK);
    free(token);
}

static void test_every_length(void **state)
{
    char *token = sign(HEADER, CLAIMS(""));
    struct jwt_claims claims;

    for (size_t length = 0; length < strlen(token); length++) {
        char *exact = xmalloc(length + 1); /* lets a sanitizer see one byte too many */

        memcpy(exact, token, length);
        assert_int_not_equal(jwt_verify(keys, exact, length, NOW_S, &claims), JWT_OK);
        free(exact);
    }
    free(token);
}

static void test_size(void **state)
{
    static char payload[JWT_MAX_BYTES * 2];
    struct jwt_claims claims;

    snprintf(payload, sizeof(payload), CLAIMS(",\"x\":\"%05900d\""), 0);
    expect_claims(JWT_OK, payload);
    snprintf(payload, sizeof(payload), CLAIMS(",\"x\":\"%06100d\""), 0);
    expect_claims(JWT_TOO_LARGE, payload);
    memset(payload, 'A', sizeof(payload));
    assert_int_equal(jwt_verify(keys, payload, sizeof(payload), NOW_S, &claims), JWT_TOO_LARGE);
    memset(payload, '.', JWT_MAX_BYTES);
    assert_int_equal(jwt_verify(keys, payload, JWT_MAX_BYTES, NOW_S, &claims), JWT_MALFORMED);
}

static void test_mint(void **state)
{
    struct jwt_claims claims = {
        .role = "admin", .jti = "id-7", .iat_s = NOW_S, .auth_time_s = 500, .exp_s = 4600};
    struct jwt_claims back;
    char *token;

    assert_true(uuid_parse(&claims.sub, SUB, strlen(SUB)));
    token = jwt_mint(strict_keys, &claims);
    assert_non_null(token);
    assert_int_equal(jwt_verify(strict_keys, token, strlen(token), NOW_S, &back), JWT_OK);
    strcpy(claims.kid, "k");
    assert_memory_equal(&back, &claims, sizeof(claims));
    assert_int_equal(jwt_verify(strict_keys, token, strlen(token), 4600, &back), JWT_EXPIRED);
    free(token);
}

static void test_names(void **state)
{
    assert_string_equal(jwt_result_name(JWT_OK), "ok");
    assert_string_equal(jwt_result_name(JWT_BAD_ROLE), "bad_role");
    assert_int_equal(JWT_OK, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_least),
        cmocka_unit_test(test_headers),      cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_kids),         cmocka_unit_test(test_header_json),
        cmocka_unit_test(test_expiry),       cmocka_unit_test(test_bad_expiry),
        cmocka_unit_test(test_other_dates),  cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_roles),        cmocka_unit_test(test_token_ids),
        cmocka_unit_test(test_claims_json),  cmocka_unit_test(test_issuer_and_audience),
        cmocka_unit_test(test_forms),        cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_every_length), cmocka_unit_test(test_size),
        cmocka_unit_test(test_mint),         cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
