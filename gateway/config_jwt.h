/* SPDX-License-Identifier: Apache-2.0 */
/* The [auth] section as the keys of tokens. */
#pragma once

struct config;
struct jwt_keys;

/* jwt_keys_load with what the configuration says; `error` holds JWT_KEYS_ERROR_BYTES. */
struct jwt_keys *config_jwt_keys(const struct config *config, char *error);
