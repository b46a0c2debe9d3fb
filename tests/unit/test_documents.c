/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/documents.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/documents.h"

/* Every $ref of the document points to something inside it. */
static void check_references(const json_t *root, const json_t *value)
{
    const char *key, *ref = json_string_value(json_object_get(value, "$ref"));
    const json_t *member;
    size_t i;

    if (ref) {
        char path[300];
        const json_t *target = root;

        assert_int_equal(strncmp(ref, "#/", 2), 0);
        assert_true(strlen(ref) < sizeof(path));
        strcpy(path, ref + 2);
        for (char *step = strtok(path, "/"); step; step = strtok(NULL, "/"))
            target = json_object_get(target, step);
        if (!target)
            fail_msg("%s leads nowhere", ref);
    }
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member) check_references(root, member);
    }
    json_array_foreach(value, i, member) check_references(root, member);
}

static void check_document(const char *text, size_t length, const char *key, const char *version)
{
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(root);
    assert_int_equal(strlen(text), length);
    assert_string_equal(json_string_value(json_object_get(root, key)), version);
    check_references(root, root);
    json_decref(root);
}

static void test_openapi(void **state)
{
    check_document(protocol_openapi_json, protocol_openapi_json_length, "openapi", "3.1.0");
}

static void test_asyncapi(void **state)
{
    check_document(protocol_asyncapi_json, protocol_asyncapi_json_length, "asyncapi", "3.0.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openapi),
        cmocka_unit_test(test_asyncapi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
