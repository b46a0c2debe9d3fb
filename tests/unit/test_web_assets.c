/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded chat page: what a server needs to know of its files */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/web/web_assets.h"

static const struct web_asset *find(const char *path)
{
    for (size_t i = 0; i < web_asset_count; i++)
        if (strcmp(web_assets[i].path, path) == 0)
            return &web_assets[i];
    return NULL;
}

static void test_page_and_client_are_there(void **state)
{
    static const struct {
        const char *path, *content_type;
    } expected[] = {
        {"/index.html", "text/html; charset=utf-8"},
        {"/app.js", "text/javascript; charset=utf-8"},
        {"/style.css", "text/css; charset=utf-8"},
        {"/favicon.svg", "image/svg+xml"},
        {"/client/chatgate.js", "text/javascript; charset=utf-8"},
        {"/client/codes.js", "text/javascript; charset=utf-8"},
    };

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const struct web_asset *asset = find(expected[i].path);

        assert_non_null(asset);
        assert_string_equal(asset->content_type, expected[i].content_type);
        assert_true(asset->length > 0);
    }
    assert_memory_equal(find("/index.html")->data, "<!doctype html>", 15);
}

static void test_sorted_and_unique(void **state)
{
    for (size_t i = 1; i < web_asset_count; i++) {
        assert_true(strcmp(web_assets[i - 1].path, web_assets[i].path) < 0);
        assert_string_not_equal(web_assets[i - 1].etag, web_assets[i].etag);
    }
}

static void test_etags_are_quoted(void **state)
{
    for (size_t i = 0; i < web_asset_count; i++) {
        size_t length = strlen(web_assets[i].etag);

        assert_int_equal(length, 18);
        assert_int_equal(web_assets[i].etag[0], '"');
        assert_int_equal(web_assets[i].etag[length - 1], '"');
    }
}

static void test_compressed_only_where_it_pays(void **state)
{
    for (size_t i = 0; i < web_asset_count; i++) {
        const struct web_asset *asset = &web_assets[i];

        if (!asset->gzip)
            continue;
        assert_true(asset->gzip_length < asset->length);
        assert_memory_equal(asset->gzip, "\x1f\x8b", 2);
        /* RFC 1952: the last four bytes are the size of what was compressed */
        const unsigned char *size = asset->gzip + asset->gzip_length - 4;
        assert_int_equal(size[0] | size[1] << 8 | size[2] << 16 | size[3] << 24, asset->length);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_and_client_are_there),
        cmocka_unit_test(test_sorted_and_unique),
        cmocka_unit_test(test_etags_are_quoted),
        cmocka_unit_test(test_compressed_only_where_it_pays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
