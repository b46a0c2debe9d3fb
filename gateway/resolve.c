/* SPDX-License-Identifier: Apache-2.0 */
/* Host names to addresses, off the loop.
 *
 * getaddrinfo() can take many seconds when a name server is down, and both libpq and hiredis would
 * call it on the loop. libuv runs it on a worker thread, where it can't be stopped: a cancelled
 * lookup therefore stays behind on its own, and frees itself when the thread comes back.
 */

#include "gateway/resolve.h"

#include "protocol/xalloc.h"

#include <stdlib.h>

struct resolve {
    uv_getaddrinfo_t request;
    resolve_fn done; /* NULL: cancelled */
    void *context;
};

static void handle_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct resolve *resolve = request->data;

    if (resolve->done)
        resolve->done(resolve->context, status, addresses);
    uv_freeaddrinfo(addresses);
    free(resolve);
}

struct resolve *resolve_start(uv_loop_t *loop, const char *host, const char *port, resolve_fn done,
                              void *context)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolve *resolve = xcalloc(1, sizeof(*resolve));

    resolve->done = done;
    resolve->context = context;
    resolve->request.data = resolve;
    if (uv_getaddrinfo(loop, &resolve->request, handle_addresses, host, port, &hints) < 0) {
        free(resolve);
        return NULL;
    }
    return resolve;
}

void resolve_cancel(struct resolve *resolve)
{
    if (!resolve)
        return;
    resolve->done = NULL;
    /* Stops it if no thread has begun yet; the callback comes in either case. */
    uv_cancel((uv_req_t *)&resolve->request);
}
