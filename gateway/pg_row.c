/* SPDX-License-Identifier: Apache-2.0 */
/* Typed readers of a binary result's fields.
 *
 * Results are asked for in the binary format: 16 bytes for a UUID instead of 36 digits to parse.
 * The statements are ours and say their columns' types, so another type here is a bug of ours and
 * an assert, found at the first row.
 */

#include "gateway/pg_row.h"

#include "protocol/uuid.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 };
enum { OID_UUID = 2950, OID_JSONB = 3802 };

bool pg_is_null(const PGresult *result, int row, int column)
{
    assert(row < PQntuples(result) && column < PQnfields(result));
    return PQgetisnull(result, row, column);
}

/* The field's bytes, of the only size the type has; NULL if NULL. */
static const char *field(const PGresult *result, int row, int column, Oid type, size_t size)
{
    if (pg_is_null(result, row, column))
        return NULL;
    assert(PQfformat(result, column) == 1);
    assert(PQftype(result, column) == type);
    assert((size_t)PQgetlength(result, row, column) == size);
    return PQgetvalue(result, row, column);
}

void pg_uuid(const PGresult *result, int row, int column, struct uuid *out)
{
    const char *bytes = field(result, row, column, OID_UUID, sizeof(out->bytes));

    if (bytes)
        memcpy(out->bytes, bytes, sizeof(out->bytes));
    else
        memset(out->bytes, 0, sizeof(out->bytes));
}

int32_t pg_int4(const PGresult *result, int row, int column)
{
    uint32_t wire4;
    uint16_t wire2;
    const char *bytes;

    if (PQftype(result, column) == OID_INT2) {
        bytes = field(result, row, column, OID_INT2, sizeof(wire2));
        if (!bytes)
            return 0;
        memcpy(&wire2, bytes, sizeof(wire2));
        return (int16_t)be16toh(wire2);
    }
    bytes = field(result, row, column, OID_INT4, sizeof(wire4));
    if (!bytes)
        return 0;
    memcpy(&wire4, bytes, sizeof(wire4));
    return (int32_t)be32toh(wire4);
}

int64_t pg_int8(const PGresult *result, int row, int column)
{
    uint64_t wire;

    if (PQftype(result, column) != OID_INT8)
        return pg_int4(result, row, column);

    const char *bytes = field(result, row, column, OID_INT8, sizeof(wire));
    if (!bytes)
        return 0;
    memcpy(&wire, bytes, sizeof(wire));
    return (int64_t)be64toh(wire);
}

bool pg_bool(const PGresult *result, int row, int column)
{
    const char *byte = field(result, row, column, OID_BOOL, 1);

    return byte && *byte != 0;
}

const char *pg_text(const PGresult *result, int row, int column, size_t *length)
{
    const char *text = NULL;
    size_t bytes = 0;

    if (!pg_is_null(result, row, column)) {
        text = PQgetvalue(result, row, column);
        bytes = (size_t)PQgetlength(result, row, column);
    }
    /* jsonb goes out as text behind a version byte (jsonb_send). */
    if (text && PQftype(result, column) == OID_JSONB) {
        assert(bytes > 0 && text[0] == 1);
        text++;
        bytes--;
    }
    if (length)
        *length = bytes;
    return text;
}

const void *pg_bytea(const PGresult *result, int row, int column, size_t *length)
{
    *length = 0;
    if (pg_is_null(result, row, column))
        return NULL;
    assert(PQftype(result, column) == OID_BYTEA);
    *length = (size_t)PQgetlength(result, row, column);
    return PQgetvalue(result, row, column);
}
