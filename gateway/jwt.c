/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens: verifying and minting compact JWTs
 *
 * A token is read in the order in which its parts may be believed. The header is a stranger's text:
 * it may name a key and must name that key's algorithm, and a token that brings a key of its own,
 * or asks for an extension, is refused. Then the signature over the text as it came. Only then are
 * the claims read. The result names the first thing that was wrong; expiry is looked at last, so
 * that EXPIRED says that a new token is all that is missing.
 *
 * The rules are those of RFC 8725 (JWT best current practices): one algorithm a key, no "none", no
 * crit, typ checked, iss and aud checked, no duplicate names. What is read must be canonical, so
 * that a token has one text form only.
 *
 * Numbers may be written 1.7e9, since some libraries do, but must be whole (jansson refuses 1e400
 * by itself). */
#include "gateway/jwt.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "gateway/base64url.h"
#include "gateway/jwt_key.h"
#include "gateway/jwt_keys.h"
#include "protocol/json_writer.h"
#include "protocol/xalloc.h"

enum { HEADER_MAX_BYTES = 1024 };

#define NUMERIC_DATE_MAX INT64_C(253402300799) /* the end of year 9999 */

struct slice {
    const char *text;
    size_t length;
};

struct token {
    struct slice signed_text; /* header '.' payload */
    struct slice header, payload, signature;
};

static const char *const result_names[] = {
#define JWT_ROW(NAME, name) name,
#include "gateway/jwt_result_table.h"
#undef JWT_ROW
};

struct jwt_grant jwt_grant_of(const struct jwt_claims *claims)
{
    return (struct jwt_grant){
        .sub = claims->sub,
        .iat_s = claims->iat_s,
        .exp_s = claims->exp_s,
    };
}

const char *jwt_result_name(enum jwt_result result)
{
    return result_names[result];
}

/* --- The text --- */

static bool split(struct token *out, const char *text, size_t length)
{
    const char *end = text + length;
    const char *first = memchr(text, '.', length);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    out->signed_text = (struct slice){text, (size_t)(second - text)};
    out->header = (struct slice){text, (size_t)(first - text)};
    out->payload = (struct slice){first + 1, (size_t)(second - first - 1)};
    out->signature = (struct slice){second + 1, (size_t)(end - second - 1)};
    return true;
}

/* The JSON object that a part holds, or NULL. `max_bytes` is at most JWT_MAX_BYTES. Unless
 * *bad_text is set, the part was good base64url. The caller drops the reference. */
static json_t *parse_part(struct slice part, size_t max_bytes, bool *bad_text)
{
    uint8_t bytes[JWT_MAX_BYTES];
    ssize_t length = -1;
    json_t *root;

    if (base64url_decoded_bound(part.length) <= max_bytes)
        length = base64url_decode(bytes, part.text, part.length);
    *bad_text = length < 0;
    if (length < 0)
        return NULL;
    root = json_loadb((const char *)bytes, (size_t)length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

/* --- The header --- */

static bool typ_allowed(const json_t *typ)
{
    const char *text = json_string_value(typ);

    if (!typ)
        return true;
    return text && (strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0);
}

static enum jwt_result read_header(const json_t *header, const struct jwt_keys *keys,
                                   struct jwt_key **key)
{
    /* Keys of the token's own, extensions (none is understood here), and another kind of token. */
    static const char *const refused[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip"};
    const json_t *kid = json_object_get(header, "kid");
    const char *algorithm = json_string_value(json_object_get(header, "alg"));

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (json_object_get(header, refused[i]))
            return JWT_BAD_HEADER;
    if (!algorithm || (kid && !json_is_string(kid)) || !typ_allowed(json_object_get(header, "typ")))
        return JWT_BAD_HEADER;
    *key = jwt_keys_find(keys, json_string_value(kid));
    if (!*key)
        return JWT_UNKNOWN_KEY;
    if (strcmp(algorithm, jwt_algorithm_name(jwt_key_algorithm(*key))) != 0)
        return JWT_WRONG_ALGORITHM;
    return JWT_OK;
}

static enum jwt_result check_header(const struct token *token, const struct jwt_keys *keys,
                                    struct jwt_key **key)
{
    bool bad_text;
    json_t *header = parse_part(token->header, HEADER_MAX_BYTES, &bad_text);
    enum jwt_result result;

    if (!header)
        return JWT_MALFORMED;
    result = read_header(header, keys, key);
    json_decref(header);
    return result;
}

static enum jwt_result check_signature(const struct token *token, struct jwt_key *key)
{
    uint8_t signature[JWT_SIGNATURE_MAX_BYTES];
    ssize_t bytes;

    if (base64url_decoded_bound(token->signature.length) > sizeof(signature))
        return JWT_BAD_SIGNATURE;
    bytes = base64url_decode(signature, token->signature.text, token->signature.length);
    if (bytes < 0)
        return JWT_MALFORMED;
    return jwt_key_verify(key, token->signed_text.text, token->signed_text.length, signature,
                          (size_t)bytes)
               ? JWT_OK
               : JWT_BAD_SIGNATURE;
}

/* --- The claims --- */

/* A NumericDate (RFC 7519 section 2): a whole number of seconds up to the year 9999. */
static bool read_date(const json_t *value, int64_t *out)
{
    double real = json_real_value(value);

    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (json_is_real(value) && real >= 0 && real <= (double)NUMERIC_DATE_MAX &&
             floor(real) == real)
        *out = (int64_t)real;
    else
        return false;
    return *out >= 0 && *out <= NUMERIC_DATE_MAX;
}

static bool read_optional_date(const json_t *claims, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(claims, name);

    *out = 0;
    return !value || read_date(value, out);
}

static enum jwt_result read_dates(const json_t *claims, int64_t latest_s, struct jwt_claims *out)
{
    int64_t not_before_s;

    if (!read_date(json_object_get(claims, "exp"), &out->exp_s) ||
        !read_optional_date(claims, "nbf", &not_before_s) ||
        !read_optional_date(claims, "iat", &out->iat_s) ||
        !read_optional_date(claims, "auth_time", &out->auth_time_s))
        return JWT_BAD_CLAIM;
    if (not_before_s > latest_s || out->iat_s > latest_s || out->auth_time_s > latest_s)
        return JWT_NOT_YET_VALID;
    return JWT_OK;
}

static bool string_is(const json_t *value, const char *text)
{
    return json_is_string(value) && json_string_length(value) == strlen(text) &&
           strcmp(json_string_value(value), text) == 0;
}

/* One string, or an array of strings (RFC 7519 section 4.1.3). */
static bool audience_holds(const json_t *audience, const char *wanted)
{
    bool found = string_is(audience, wanted);
    const json_t *item;
    size_t i;

    json_array_foreach(audience, i, item)
    {
        if (!json_is_string(item))
            return false;
        found = found || string_is(item, wanted);
    }
    return found;
}

static enum jwt_result check_parties(const json_t *claims, const struct jwt_keys *keys)
{
    const char *issuer = jwt_keys_issuer(keys), *audience = jwt_keys_audience(keys);

    if (*issuer && !string_is(json_object_get(claims, "iss"), issuer))
        return JWT_WRONG_ISSUER;
    if (*audience && !audience_holds(json_object_get(claims, "aud"), audience))
        return JWT_WRONG_AUDIENCE;
    return JWT_OK;
}

static bool read_role(const json_t *role, char out[static JWT_ROLE_BYTES])
{
    static const char *const roles[] = {"student", "teacher", "moderator", "admin"};

    out[0] = '\0';
    for (size_t i = 0; role && i < sizeof(roles) / sizeof(roles[0]); i++)
        if (string_is(role, roles[i]))
            strcpy(out, roles[i]);
    return !role || out[0] != '\0';
}

static enum jwt_result read_subject(const json_t *claims, struct jwt_claims *out)
{
    const json_t *sub = json_object_get(claims, "sub");
    const json_t *jti = json_object_get(claims, "jti");

    if (!json_is_string(sub) ||
        !uuid_parse(&out->sub, json_string_value(sub), json_string_length(sub)))
        return JWT_BAD_SUBJECT;
    if (!read_role(json_object_get(claims, "role"), out->role))
        return JWT_BAD_ROLE;
    if (jti && !json_is_string(jti))
        return JWT_BAD_CLAIM;
    if (jti && json_string_length(jti) < sizeof(out->jti))
        strcpy(out->jti, json_string_value(jti));
    return JWT_OK;
}

static enum jwt_result read_claims(const json_t *claims, const struct jwt_keys *keys, int64_t now_s,
                                   struct jwt_claims *out)
{
    enum jwt_result result = read_dates(claims, now_s + jwt_keys_leeway_s(keys), out);

    if (result == JWT_OK)
        result = check_parties(claims, keys);
    if (result == JWT_OK)
        result = read_subject(claims, out);
    if (result == JWT_OK && out->exp_s <= now_s)
        result = JWT_EXPIRED;
    return result;
}

static enum jwt_result check_claims(const struct token *token, const struct jwt_keys *keys,
                                    int64_t now_s, struct jwt_claims *out)
{
    bool bad_text;
    json_t *claims = parse_part(token->payload, JWT_MAX_BYTES, &bad_text);
    enum jwt_result result;

    if (!claims)
        return bad_text ? JWT_MALFORMED : JWT_BAD_CLAIM;
    result = read_claims(claims, keys, now_s, out);
    json_decref(claims);
    return result;
}

/* --- The whole --- */

static enum jwt_result verify(const struct jwt_keys *keys, const char *text, size_t length,
                              int64_t now_s, struct jwt_claims *out)
{
    struct token token;
    struct jwt_key *key = NULL;
    enum jwt_result result;

    if (length > JWT_MAX_BYTES)
        return JWT_TOO_LARGE;
    if (!split(&token, text, length))
        return JWT_MALFORMED;
    result = check_header(&token, keys, &key);
    if (result == JWT_OK)
        result = check_signature(&token, key);
    if (result != JWT_OK)
        return result;
    strcpy(out->kid, jwt_key_kid(key));
    return check_claims(&token, keys, now_s, out);
}

enum jwt_result jwt_verify(const struct jwt_keys *keys, const char *token, size_t length,
                           int64_t now_s, struct jwt_claims *out)
{
    enum jwt_result result;

    memset(out, 0, sizeof(*out));
    result = verify(keys, token, length, now_s, out);
    if (result != JWT_OK && result != JWT_EXPIRED)
        memset(out, 0, sizeof(*out));
    return result;
}

/* --- Minting --- */

static void write_header(struct json_writer *writer, const struct jwt_key *key)
{
    json_object_begin(writer);
    json_add_cstring(writer, "alg", jwt_algorithm_name(jwt_key_algorithm(key)));
    json_add_cstring(writer, "typ", "JWT");
    json_add_cstring(writer, "kid", jwt_key_kid(key));
    json_object_end(writer);
}

static void add_text_if_any(struct json_writer *writer, const char *key, const char *text)
{
    if (*text)
        json_add_cstring(writer, key, text);
}

static void write_claims(struct json_writer *writer, const struct jwt_keys *keys,
                         const struct jwt_claims *claims)
{
    json_object_begin(writer);
    add_text_if_any(writer, "iss", jwt_keys_issuer(keys));
    json_add_uuid(writer, "sub", &claims->sub);
    add_text_if_any(writer, "aud", jwt_keys_audience(keys));
    json_add_int(writer, "iat", claims->iat_s);
    json_add_int(writer, "exp", claims->exp_s);
    if (claims->auth_time_s > 0)
        json_add_int(writer, "auth_time", claims->auth_time_s);
    add_text_if_any(writer, "role", claims->role);
    add_text_if_any(writer, "jti", claims->jti);
    json_object_end(writer);
}

static size_t append_part(char *text, size_t length, const void *data, size_t bytes)
{
    text[length++] = '.';
    return length + base64url_encode(text + length, data, bytes);
}

char *jwt_mint(const struct jwt_keys *keys, const struct jwt_claims *claims)
{
    struct jwt_key *key = jwt_keys_signer(keys);
    struct json_writer header = JSON_WRITER_INIT, payload = JSON_WRITER_INIT;
    uint8_t signature[JWT_SIGNATURE_MAX_BYTES];
    size_t length, signature_bytes;
    char *text;

    if (!key)
        return NULL;
    write_header(&header, key);
    write_claims(&payload, keys, claims);
    text = xmalloc(base64url_encoded_length(json_length(&header)) + 1 +
                   base64url_encoded_length(json_length(&payload)) + 1 +
                   base64url_encoded_length(sizeof(signature)) + 1);
    length = base64url_encode(text, json_text(&header), json_length(&header));
    length = append_part(text, length, json_text(&payload), json_length(&payload));
    json_writer_deinit(&header);
    json_writer_deinit(&payload);

    signature_bytes = jwt_key_sign(key, text, length, signature);
    if (signature_bytes == 0) {
        free(text);
        return NULL;
    }
    length = append_part(text, length, signature, signature_bytes);
    text[length] = '\0';
    return text;
}
