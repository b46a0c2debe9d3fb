/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration must have before a node serves with it. */

/* config_load checks each value by itself, which is all that most verbs need. Here is what serving
 * needs: what must be set, what must fit together, and the files that the settings name, read as
 * the gateway would read them. A check prints what to do, not only what is wrong. */
#include <arpa/inet.h>
#include <ctype.h>
#include <libpq-fe.h>
#include <string.h>

#include "gateway/address.h"
#include "gateway/certificate.h"
#include "gateway/config.h"
#include "gateway/config_jwt.h"
#include "gateway/jwt_keys.h"
#include "gateway/redis_url.h"

enum { KEY_MIN_CHARACTERS = 16, NODE_NAME_MAX = 63 };

static void check_address(const char *name, const char *address, struct config_errors *errors)
{
    unsigned char binary[sizeof(struct in6_addr)];
    if (strcmp(address, "*") != 0 && inet_pton(AF_INET, address, binary) != 1 &&
        inet_pton(AF_INET6, address, binary) != 1)
        config_errors_add(errors, "%s: '%s' is neither an IPv4 or IPv6 address nor *", name,
                          address);
}

static void check_certificate(const struct config *config, struct config_errors *errors)
{
    const char *certificate = config->listen.tls_certificate;
    const char *key = config->listen.tls_key;
    if (*certificate == '\0' && *key == '\0')
        return;
    if (*certificate == '\0' || *key == '\0') {
        config_errors_add(errors, "listen.tls_certificate and listen.tls_key: set both or none");
        return;
    }
    char error[CERTIFICATE_ERROR_BYTES];
    struct certificate_dates dates;
    if (certificate_check(certificate, key, &dates, error) != 0)
        config_errors_add(errors, "listen.tls_certificate, listen.tls_key: %s", error);
}

static void check_listen(const struct config *config, struct config_errors *errors)
{
    check_address("listen.address", config->listen.address, errors);
    check_address("listen.admin_address", config->listen.admin_address, errors);
    if (config->listen.port != 0 && config->listen.port == config->listen.admin_port)
        config_errors_add(errors, "listen.port and listen.admin_port: both are %d",
                          config->listen.port);
    check_certificate(config, errors);
}

/* scheme://host[:port] as a browser sends it: nothing behind the host, no capitals (RFC 6454). */
static bool is_origin(const char *text, size_t length)
{
    size_t host = 0;
    if (length > 8 && strncmp(text, "https://", 8) == 0)
        host = 8;
    else if (length > 7 && strncmp(text, "http://", 7) == 0)
        host = 7;
    for (size_t i = host; i < length; i++)
        if (text[i] == '/' || isspace((unsigned char)text[i]) || isupper((unsigned char)text[i]))
            return false;
    return host > 0;
}

static void check_http(const struct config *config, struct config_errors *errors)
{
    const char *cursor = config->http.allowed_origins, *item = NULL;
    size_t length = 0;
    while (config_list_next(&cursor, &item, &length))
        if (!is_origin(item, length))
            config_errors_add(errors,
                              "http.allowed_origins: '%.*s' is no origin; write https://host or "
                              "https://host:port, lower case, without a path",
                              (int)length, item);
    if (!address_list_valid(config->http.trusted_proxies))
        config_errors_add(errors, "http.trusted_proxies: '%s' is no list of addresses or networks",
                          config->http.trusted_proxies);
}

static void check_database(const struct config *config, struct config_errors *errors)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(config->database.url, &error);
    if (options == NULL) /* libpq's text may quote the string, and so its password */
        config_errors_add(errors, "database.url: libpq cannot read it; write "
                                  "postgresql://user@host:port/name or host=... dbname=...");
    PQfreemem(error);
    PQconninfoFree(options);
}

static void check_redis(const struct config *config, struct config_errors *errors)
{
    struct redis_url url;
    const char *error = NULL;
    if (redis_url_parse(&url, config->redis.url, &error) != 0)
        config_errors_add(errors, "redis.url: %s", error);
    redis_url_deinit(&url);
}

static void check_key(const char *name, const char *key, const char *purpose,
                      struct config_errors *errors)
{
    if (strlen(key) >= KEY_MIN_CHARACTERS)
        return;
    config_errors_add(errors, "%s: %s; %s (openssl rand -hex 32 makes one)", name,
                      *key == '\0' ? "is not set" : "has fewer than 16 characters", purpose);
}

static void check_secrets(const struct config *config, struct config_errors *errors)
{
    check_key("redis.key", config->redis.key, "the nodes sign what they tell each other with it",
              errors);
    if (*config->redis.key_previous != '\0')
        check_key("redis.key_previous", config->redis.key_previous,
                  "it must be what redis.key was before", errors);
    check_key("messages.text_key", config->messages.text_key,
              "resends are recognised by hashes made with it", errors);
}

static void check_auth(const struct config *config, struct config_errors *errors)
{
    char error[JWT_KEYS_ERROR_BYTES];
    struct jwt_keys *keys = config_jwt_keys(config, error);
    if (keys == NULL)
        config_errors_add(errors, "auth.keys, auth.hs256_secret: %s", error);
    jwt_keys_free(keys);
}

static void check_limits(const struct config *config, struct config_errors *errors)
{
    if (config->limits.outbound_bytes < config->limits.frame_bytes)
        config_errors_add(errors, "limits.outbound_bytes: is less than limits.frame_bytes, so that "
                                  "a single frame could close a connection");
}

static void check_node(const struct config *config, struct config_errors *errors)
{
    size_t length = strspn(config->node.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789._:-");
    if (config->node.name[length] != '\0' || length > NODE_NAME_MAX)
        config_errors_add(errors, "node.name: at most %d letters, digits and . _ : -",
                          NODE_NAME_MAX);
}

bool config_check(const struct config *config, struct config_errors *errors)
{
    size_t before = errors->count;
    check_listen(config, errors);
    check_http(config, errors);
    check_database(config, errors);
    check_redis(config, errors);
    check_secrets(config, errors);
    check_auth(config, errors);
    check_limits(config, errors);
    check_node(config, errors);
    return errors->count == before;
}
