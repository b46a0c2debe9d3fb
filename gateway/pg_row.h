/* SPDX-License-Identifier: Apache-2.0 */
/* Typed readers of a binary result's fields. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid;

/* Rows and columns count from 0. A column that isn't there or is of another type is our own bug
 * (a statement and its reader disagree): assert. NULL reads as 0, false, the nil UUID, NULL. */
bool pg_is_null(const PGresult *result, int row, int column);
void pg_uuid(const PGresult *result, int row, int column, struct uuid *out);
int64_t pg_int8(const PGresult *result, int row, int column); /* int2, int4 and int8 columns */
int32_t pg_int4(const PGresult *result, int row, int column); /* int2 and int4 columns */
bool pg_bool(const PGresult *result, int row, int column);

/* Text, JSON and enum columns, NUL-terminated, borrowed from the result; `length` (may be NULL)
 * is in bytes without the NUL. */
const char *pg_text(const PGresult *result, int row, int column, size_t *length);

/* Bytes, borrowed from the result. */
const void *pg_bytea(const PGresult *result, int row, int column, size_t *length);
