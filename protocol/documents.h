/* SPDX-License-Identifier: Apache-2.0 */
/* The API documents that the gateway serves, bundled at build time from openapi.json, asyncapi.json
 * and schema/ by bundle.py */
#pragma once

#include <stddef.h>

/* NUL-terminated JSON; the lengths are in bytes without the NUL. */
extern const char protocol_openapi_json[];
extern const size_t protocol_openapi_json_length;
extern const char protocol_asyncapi_json[];
extern const size_t protocol_asyncapi_json_length;
