/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: strict text form, order, hash, and version 7 (RFC 9562) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 36 };

struct uuid {
    uint8_t bytes[UUID_BYTES]; /* network order, as Postgres sends them */
};

#define UUID_NIL ((struct uuid){{0}})

/* Reads exactly 8-4-4-4-12 hexadecimal digits of either case: no braces, no urn:, nothing around
 * it. Any version and variant is taken, since other programs make ids too. Leaves `out` alone and
 * returns false for anything else. */
bool uuid_parse(struct uuid *out, const char *text, size_t length);

/* Writes the lower case form and a NUL. */
void uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_BYTES + 1]);

/* The order of the bytes, which is Postgres's order of type uuid too. */
int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *uuid);

/* 64 well mixed bits for hash tables. Not keyed: use it for ids that the server made, and bound
 * the tables that hold ids of a client's choice (cids). */
uint64_t uuid_hash(const struct uuid *uuid);

/* A version 7 id: 48 bits of `unix_ms` (milliseconds since 1970, UTC), then 74 of the 80 random
 * bits. Ids made in different milliseconds sort by time. RFC 9562 section 5.7. */
void uuid_v7(struct uuid *out, uint64_t unix_ms, const uint8_t random[static 10]);
