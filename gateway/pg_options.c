/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's options with their defaults filled in. */

#include "gateway/pg_options.h"

#include "gateway/pg_conn.h"
#include "protocol/xalloc.h"

#include <stdlib.h>

enum {
    CONNECT_TIMEOUT_MS = 3000,
    STATEMENT_TIMEOUT_MS = 5000,
    LOCK_TIMEOUT_MS = 1000,
    /* The server's own timeout should strike first: its answer says more than our silence. */
    SERVER_GRACE_MS = 1000,
    DEPTH = 64,
    QUEUE_LIMIT = 10000,
    QUEUE_BYTES = 64 << 20,
};

static void default_ms(uint32_t *value, uint32_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static void default_size(size_t *value, size_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static char **copy_list(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;

    char **copy = xcalloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(list[i]);
    return copy;
}

struct pg_conn_options *pg_options_new(const struct pg_conn_options *options)
{
    struct pg_conn_options *copy = xmemdup(options, sizeof(*options));
    const char *name = options->application_name;

    copy->conninfo = xstrdup(options->conninfo ? options->conninfo : "");
    copy->application_name = xstrdup(name ? name : "chatgate");
    copy->settings = xstrdup(options->settings ? options->settings : "");
    copy->listen = (const char *const *)copy_list(options->listen);
    default_ms(&copy->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    default_ms(&copy->statement_timeout_ms, STATEMENT_TIMEOUT_MS);
    default_ms(&copy->lock_timeout_ms, LOCK_TIMEOUT_MS);
    default_ms(&copy->query_timeout_ms, copy->statement_timeout_ms + SERVER_GRACE_MS);
    default_ms(&copy->stall_timeout_ms, copy->query_timeout_ms + SERVER_GRACE_MS);
    default_size(&copy->depth, DEPTH);
    default_size(&copy->queue_limit, QUEUE_LIMIT);
    default_size(&copy->queue_bytes, QUEUE_BYTES);
    return copy;
}

struct pg_conn_options *pg_options_free(struct pg_conn_options *options)
{
    if (!options)
        return NULL;
    for (size_t i = 0; options->listen[i]; i++)
        free((char *)options->listen[i]);
    free((void *)options->listen);
    free((char *)options->settings);
    free((char *)options->application_name);
    free((char *)options->conninfo);
    free(options);
    return NULL;
}
