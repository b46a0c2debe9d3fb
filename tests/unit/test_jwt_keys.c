/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/jwt_keys.h */
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
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "gateway/jwt_key.h"
#include "gateway/jwt_keys.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char folder[] = "/tmp/test_jwt_keys.XXXXXX";
static char error[JWT_KEYS_ERROR_BYTES];

static const char *path_of(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    return out;
}

static void write_file(const char *name, const char *data, size_t bytes, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static void write_pem(const char *name, EVP_PKEY *pkey, bool private_part, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    if (private_part)
        PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_PUBKEY(file, pkey);
    fclose(file);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static int set_up(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    if (!mkdtemp(folder))
        return -1;
    write_file("secret", SECRET "\n", 33, 0600);
    write_file("short", "short\n", 6, 0600);
    write_file("open", SECRET, 32, 0644);
    write_file("empty", "", 0, 0600);
    write_file("junk", "junk", 4, 0600);
    write_file("binary", "0123456789abcdef\x01\xff 23456789abcde\n", 32, 0600);
    write_pem("private", pkey, true, 0600);
    write_pem("private_open", pkey, true, 0640);
    write_pem("public", pkey, false, 0644);
    EVP_PKEY_free(pkey);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"secret", "short",   "open",         "empty", "junk",
                                        "binary", "private", "private_open", "public"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

/* `list` with each @ replaced by the folder. */
static struct jwt_keys *load(const char *list)
{
    char text[1024] = "";
    size_t length = 0;

    for (; *list; list++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   *list == '@' ? "%s" : "%.1s", *list == '@' ? folder : list);
    return jwt_keys_load(&(struct jwt_keys_options){.keys = text}, error);
}

static struct jwt_keys *good(const char *list)
{
    struct jwt_keys *keys = load(list);

    if (!keys)
        print_error("%s\n", error);
    assert_non_null(keys);
    assert_string_equal(error, "");
    return keys;
}

static void refused(const char *list, const char *why)
{
    assert_null(load(list));
    if (!strstr(error, why))
        print_error("\"%s\" does not say \"%s\"\n", error, why);
    assert_non_null(strstr(error, why));
    assert_null(strstr(error, SECRET));
    assert_null(strchr(error, '\n'));
}

static bool signs_alike(struct jwt_key *a, struct jwt_key *b)
{
    uint8_t signature[JWT_SIGNATURE_MAX_BYTES];
    size_t bytes = jwt_key_sign(a, "text", 4, signature);

    return bytes > 0 && jwt_key_verify(b, "text", 4, signature, bytes);
}

static void test_list_and_secret(void **state)
{
    char list[256];
    struct jwt_keys_options options = {
        .keys = list,
        .hs256_secret = SECRET,
        .hs256_kid = "default",
        .issuer = "https://id.example",
        .leeway_s = 30,
    };
    struct jwt_keys *keys;

    snprintf(list, sizeof(list), " new:ES256:%s ,\n\told@2025/x=:ES256:%s,", path_of("public"),
             path_of("private"));
    keys = jwt_keys_load(&options, error);
    assert_non_null(keys);
    assert_int_equal(jwt_keys_count(keys), 3);
    assert_string_equal(jwt_key_kid(jwt_keys_find(keys, "old@2025/x=")), "old@2025/x=");
    assert_int_equal(jwt_key_algorithm(jwt_keys_find(keys, "default")), JWT_HS256);
    assert_null(jwt_keys_find(keys, "other"));
    assert_null(jwt_keys_find(keys, ""));
    assert_null(jwt_keys_find(keys, NULL)); /* more than one: a token must say */
    assert_string_equal(jwt_key_kid(jwt_keys_signer(keys)), "old@2025/x=");
    assert_string_equal(jwt_keys_issuer(keys), "https://id.example");
    assert_string_equal(jwt_keys_audience(keys), "");
    assert_int_equal(jwt_keys_leeway_s(keys), 30);
    keys = jwt_keys_free(keys);
    assert_null(keys);
}

static void test_single_key_needs_no_kid(void **state)
{
    struct jwt_keys *keys = good("only:ES256:@/public");

    assert_string_equal(jwt_key_kid(jwt_keys_find(keys, NULL)), "only");
    assert_false(jwt_keys_can_mint(keys));
    assert_null(jwt_keys_signer(keys));
    jwt_keys_free(keys);
}

/* The newline behind a secret in a text file does not count; in a binary file it does. */
static void test_secret_files(void **state)
{
    struct jwt_keys *keys = good("a:HS256:@/secret b:HS256:@/binary");
    struct jwt_keys_options options = {.hs256_secret = SECRET, .hs256_kid = "c"};
    struct jwt_keys *direct = jwt_keys_load(&options, error);

    assert_true(signs_alike(jwt_keys_find(keys, "a"), jwt_keys_find(direct, "c")));
    assert_false(signs_alike(jwt_keys_find(keys, "b"), jwt_keys_find(direct, "c")));
    jwt_keys_free(keys);
    jwt_keys_free(direct);
}

static void test_refused_lists(void **state)
{
    refused("", "no key");
    refused(" , ,", "no key");
    refused("a", "kid:algorithm:file");
    refused("a:HS256", "kid:algorithm:file");
    refused("a:HS256:", "kid:algorithm:file");
    refused(":HS256:@/secret", "kid");
    refused("a\"b:HS256:@/secret", "cannot be a kid");
    refused("k1234567890123456789012345678901234567890123456789012345678901234:HS256:@/secret",
            "cannot be a kid");
    refused("a:none:@/secret", "algorithm \"none\"");
    refused("a:hs256:@/secret", "algorithm");
    refused("a:HS384:@/secret", "algorithm");
    refused("a:HS256:@/missing", "No such file");
    refused("a:HS256:@", "not a regular file");
    refused("a:HS256:/dev/zero", "not a regular file");
    refused("a:HS256:@/secret a:HS256:@/secret", "two keys");
    refused("1:HS256:@/secret 2:HS256:@/secret 3:HS256:@/secret 4:HS256:@/secret "
            "5:HS256:@/secret 6:HS256:@/secret 7:HS256:@/secret 8:HS256:@/secret "
            "9:HS256:@/secret",
            "more than 8");
}

static void test_refused_keys(void **state)
{
    refused("a:HS256:@/short", "shorter than 32");
    refused("a:HS256:@/empty", "shorter than 32");
    refused("a:ES256:@/junk", "not a PEM");
    refused("a:ES256:@/empty", "not a PEM");
    refused("a:RS256:@/public", "not an RSA key");
    refused("a:EdDSA:@/public", "not an Ed25519 key");
    refused("a:HS256:@/open", "others may read");
    refused("a:ES256:@/private_open", "others may read");
    refused("good:ES256:@/public, a:HS256:@/short", "\"a\"");
}

static void test_refused_secrets(void **state)
{
    struct jwt_keys_options options = {.hs256_secret = "tooshort", .hs256_kid = "a"};

    assert_null(jwt_keys_load(&options, error));
    assert_non_null(strstr(error, "shorter than 32"));
    assert_null(strstr(error, "tooshort"));
    options = (struct jwt_keys_options){.hs256_secret = SECRET};
    assert_null(jwt_keys_load(&options, error));
    assert_non_null(strstr(error, "hs256_kid"));
    assert_null(jwt_keys_load(&(struct jwt_keys_options){0}, error));
    assert_non_null(strstr(error, "no key"));
    assert_null(jwt_keys_free(NULL));
}

/* systemd makes them 0440 with an access list. */
static void test_credentials_may_have_any_mode(void **state)
{
    char elsewhere[64];

    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    jwt_keys_free(good("a:HS256:@/open"));
    snprintf(elsewhere, sizeof(elsewhere), "%sx", folder);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", elsewhere, 1), 0);
    refused("a:HS256:@/open", "others may read");
    unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_and_secret),
        cmocka_unit_test(test_single_key_needs_no_kid),
        cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_refused_lists),
        cmocka_unit_test(test_refused_keys),
        cmocka_unit_test(test_refused_secrets),
        cmocka_unit_test(test_credentials_may_have_any_mode),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
