/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's options with their defaults filled in. */
#pragma once

struct pg_conn_options;

/* A deep copy, zeroes replaced by the defaults that pg_conn.h names. */
struct pg_conn_options *pg_options_new(const struct pg_conn_options *options);
struct pg_conn_options *pg_options_free(struct pg_conn_options *options);
