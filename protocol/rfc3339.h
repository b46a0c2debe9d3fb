/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text: RFC 3339 in UTC */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RFC3339_TEXT_BYTES = 24 }; /* 2026-01-02T03:04:05.678Z */

/* Writes `unix_us` (microseconds since 1970, UTC), rounded down to milliseconds, and a NUL. Times
 * outside the years 1 to 9999 are clamped to them. */
void rfc3339_format(int64_t unix_us, char out[static RFC3339_TEXT_BYTES + 1]);

/* Reads YYYY-MM-DDTHH:MM:SS[.f]Z with 1 to 6 digits of fraction, UTC only. Leap seconds and dates
 * that do not exist are refused. Leaves `unix_us` alone and returns false for anything else. */
bool rfc3339_parse(const char *text, size_t bytes, int64_t *unix_us);
