/* SPDX-License-Identifier: Apache-2.0 */
/* Builder of a statement's parameters in Postgres' binary format. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid;

enum {
    PG_PARAMS_MAX = 16,               /* parameters of one statement */
    PG_PARAMS_BYTES_MAX = 64 << 20,   /* of one statement's encoded parameters together */
    PG_PARAMS_ELEMENTS_MAX = 1000000, /* of one array */
};

/* Embedded. Parameters are appended in the statement's order, $1 first. A failure (too many, too
 * large) sticks and is looked at once, by who sends: pg_conn_query() answers it PG_REFUSED. */
struct pg_params {
    unsigned char *data;
    size_t length, capacity;
    int count;
    bool failed;
    uint32_t types[PG_PARAMS_MAX];   /* type oids; 0 = the server infers it */
    uint32_t offsets[PG_PARAMS_MAX]; /* into data */
    int32_t lengths[PG_PARAMS_MAX];  /* bytes, or -1 = NULL */
};

#define PG_PARAMS_INIT ((struct pg_params){0})

void pg_params_init(struct pg_params *params);
void pg_params_deinit(struct pg_params *params); /* also fine after pg_conn_query() took it */

void pg_params_uuid(struct pg_params *params, const struct uuid *value);
void pg_params_uuid_or_null(struct pg_params *params, const struct uuid *value); /* NULL = NULL */
void pg_params_int8(struct pg_params *params, int64_t value);
void pg_params_int8_or_null(struct pg_params *params, const int64_t *value); /* NULL = NULL */
void pg_params_int4(struct pg_params *params, int32_t value);
void pg_params_bool(struct pg_params *params, bool value);
void pg_params_text(struct pg_params *params, const char *text, size_t length);
void pg_params_text_or_null(struct pg_params *params, const char *text, size_t length);
void pg_params_cstring(struct pg_params *params, const char *text); /* NUL-terminated or NULL */
void pg_params_bytea(struct pg_params *params, const void *data, size_t length);
void pg_params_jsonb(struct pg_params *params, const char *json, size_t length); /* NULL = NULL */

/* A NULL whose type the server infers. Prefer the typed *_or_null: the types of the first use
 * of a statement on a connection are the ones it is prepared with. */
void pg_params_null(struct pg_params *params);

/* One-dimensional arrays, copied. A NULL element pointer is a NULL element (not in uuid arrays,
 * see the other); `n` may be 0. */
void pg_params_uuid_array(struct pg_params *params, const struct uuid *values, size_t n);
void pg_params_uuid_or_null_array(struct pg_params *params, const struct uuid *const *values,
                                  size_t n);
void pg_params_int8_array(struct pg_params *params, const int64_t *values, size_t n);
void pg_params_int4_array(struct pg_params *params, const int32_t *values, size_t n);
void pg_params_text_array(struct pg_params *params, const char *const *texts, const size_t *lengths,
                          size_t n);
void pg_params_bytea_array(struct pg_params *params, const void *const *data, const size_t *lengths,
                           size_t n);
void pg_params_jsonb_array(struct pg_params *params, const char *const *texts,
                           const size_t *lengths, size_t n);
