/* SPDX-License-Identifier: Apache-2.0 */
/* Files are compressed at build time and checked by their ETag, so that a reload costs a 304. */
#include "gateway/static_files.h"

#include <stdio.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/exchange.h"
#include "gateway/node.h"
#include "gateway/web/web_assets.h"

/* The page needs its own scripts, styles and socket, and nothing else from anywhere. */
#define CONTENT_SECURITY_POLICY                                                                    \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "                    \
    "frame-ancestors 'none'\r\n"

static const struct web_asset *find(const char *path)
{
    if (!strcmp(path, "/"))
        path = "/index.html";
    for (size_t i = 0; i < web_asset_count; i++)
        if (!strcmp(web_assets[i].path, path))
            return &web_assets[i];
    return NULL;
}

bool static_files_have(const struct exchange *exchange)
{
    return exchange->node->config->http.chat_page && find(exchange->path);
}

void static_files_serve(struct exchange *exchange)
{
    const struct web_asset *asset = find(exchange->path);
    char encodings[256], known[128], headers[640];

    exchange_header(exchange, "accept-encoding:", encodings, sizeof(encodings));
    exchange_header(exchange, "if-none-match:", known, sizeof(known));
    bool zipped = asset->gzip && strstr(encodings, "gzip");
    snprintf(headers, sizeof(headers),
             "Cache-Control: no-cache\r\nETag: %s\r\nVary: Accept-Encoding\r\n%s%s", asset->etag,
             zipped ? "Content-Encoding: gzip\r\n" : "", CONTENT_SECURITY_POLICY);
    if (*known && !strcmp(known, asset->etag))
        exchange_answer(exchange, 304, asset->content_type, headers, "", 0);
    else if (zipped)
        exchange_answer(exchange, 200, asset->content_type, headers, asset->gzip,
                        asset->gzip_length);
    else
        exchange_answer(exchange, 200, asset->content_type, headers, asset->data, asset->length);
}
