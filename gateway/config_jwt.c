/* SPDX-License-Identifier: Apache-2.0 */
/* The [auth] section as the keys of tokens. */
#include "gateway/config_jwt.h"

#include "gateway/config.h"
#include "gateway/jwt_keys.h"

struct jwt_keys *config_jwt_keys(const struct config *config, char *error)
{
    struct jwt_keys_options options = {
        .keys = config->auth.keys,
        .hs256_secret = config->auth.hs256_secret,
        .hs256_kid = config->auth.hs256_kid,
        .issuer = config->auth.issuer,
        .audience = config->auth.audience,
        .leeway_s = config->auth.leeway_s,
    };
    return jwt_keys_load(&options, error);
}
