/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/json_input.h: hostile text */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/json_input.h"

enum { MEMBERS_MAX = 100 };

static const char *reason_for(const char *text, size_t bytes)
{
    const char *reason;
    /* exactly as long as the text, so that a sanitizer sees a read beyond it */
    char *copy = malloc(bytes ? bytes : 1);
    json_t *root;

    assert_non_null(copy);
    memcpy(copy, text, bytes);
    root = json_input_parse(copy, bytes, MEMBERS_MAX, &reason);
    free(copy);
    if (!root)
        return reason;
    json_decref(root);
    assert_null(reason);
    return "taken";
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{}", "taken"},
        {" \t\r\n{ } \n", "taken"},
        {"{\"a\":[1,{\"b\":null}],\"c\":-1,\"d\":0,\"e\":-0.5}", "taken"},
        {"{\"a\":9223372036854775807,\"b\":-9223372036854775808}", "taken"},
        {"{\"a\":\"\\\"-0{[\\\\\"}", "taken"},
        {"{\"a\":\"\xef\xbf\xbf \\uffff \\ud83d\\ude00\"}", "taken"},
        {"", "json.empty"},
        {"  \n", "json.empty"},
        {"[]", "json.not_object"},
        {"[{\"t\":\"hello\"}]", "json.not_object"},
        {"1", "json.syntax"},
        {"\"text\"", "json.syntax"},
        {"null", "json.syntax"},
        {"{", "json.truncated"},
        {"{\"a\":1", "json.truncated"},
        {"{\"a\":\"b", "json.truncated"},
        {"{\"a\":\"b\\", "json.syntax"},
        {"{\"a\":-", "json.syntax"},
        {"{}}", "json.trailing"},
        {"{}{}", "json.trailing"},
        {"{} x", "json.trailing"},
        {"{}\xff", "json.utf8"},
        {"]]]]{", "json.syntax"},
        {"\xef\xbb\xbf{}", "json.syntax"},
        {"{\"a\":1,\"a\":1}", "json.duplicate_key"},
        {"{\"a\":1,\"\\u0061\":2}", "json.duplicate_key"},
        {"{\"a\":{\"b\":1,\"b\":1}}", "json.duplicate_key"},
        {"{\"a\":\"\\u0000\"}", "json.null_character"},
        {"{\"\\u0000\":1}", "json.null_character"},
        {"{\"a\":\"\\ud800\"}", "json.syntax"},
        {"{\"a\":\"\\udc00\"}", "json.syntax"},
        {"{\"a\":\"\\ud83d\\u0041\"}", "json.syntax"},
        {"{\"a\":\"\\x41\"}", "json.syntax"},
        {"{\"a\":\"\xff\"}", "json.utf8"},
        {"{\"a\":\"\xc0\x80\"}", "json.utf8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "json.utf8"},
        {"{\"a\":\"\xf4\x90\x80\x80\"}", "json.utf8"},
        {"{\"a\":\"\xe2\x82\"}", "json.utf8"},
        {"{\"a\":\"\n\"}", "json.syntax"},
        {"{\"a\":1e999}", "json.number"},
        {"{\"a\":-1e999}", "json.number"},
        {"{\"a\":9223372036854775808}", "json.number"},
        {"{\"a\":-9223372036854775809}", "json.number"},
        {"{\"a\":-0}", "json.number"},
        {"{\"a\":-0", "json.number"},
        {"{\"a\":[-0]}", "json.number"},
        {"{\"a\":-00}", "json.syntax"},
        {"{\"a\":01}", "json.syntax"},
        {"{\"a\":+1}", "json.syntax"},
        {"{\"a\":.5}", "json.syntax"},
        {"{\"a\":1.}", "json.syntax"},
        {"{\"a\":0x10}", "json.syntax"},
        {"{\"a\":NaN}", "json.syntax"},
        {"{\"a\":Infinity}", "json.syntax"},
        {"{\"a\":-Infinity}", "json.syntax"},
        {"{a:1}", "json.syntax"},
        {"{'a':1}", "json.syntax"},
        {"{\"a\":1,}", "json.syntax"},
        {"{\"a\":[1,]}", "json.syntax"},
        {"{\"a\" 1}", "json.syntax"},
        {"{\"a\":tru}", "json.syntax"},
        {"{/**/}", "json.syntax"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *reason = reason_for(cases[i].text, strlen(cases[i].text));

        if (strcmp(reason, cases[i].reason) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, reason, cases[i].reason);
    }
}

static void test_raw_nul(void **state)
{
    assert_string_equal(reason_for("{\"a\":\"\0\"}", 9), "json.syntax");
    assert_string_equal(reason_for("{}\0", 3), "json.trailing");
    assert_string_equal(reason_for("\0", 1), "json.truncated");
    assert_string_equal(reason_for("{\"a\":-0\0}", 9), "json.number");
}

/* `levels` arrays inside one object. */
static const char *nested(int levels, char bracket)
{
    static char text[1000];
    size_t length = (size_t)levels;

    strcpy(text, "{\"a\":");
    memset(text + 5, bracket, length);
    memset(text + 5 + length, bracket + 2, length);
    strcpy(text + 5 + 2 * length, "}");
    return reason_for(text, strlen(text));
}

static void test_depth(void **state)
{
    assert_string_equal(nested(JSON_INPUT_DEPTH_MAX - 1, '['), "taken");
    assert_string_equal(nested(JSON_INPUT_DEPTH_MAX, '['), "json.depth");
    assert_string_equal(nested(300, '['), "json.depth");
    assert_string_equal(nested(300, '{'), "json.depth");
}

static void test_members(void **state)
{
    char *text = malloc(200000), *at = text;

    assert_non_null(text);
    at += sprintf(at, "{");
    for (int i = 0; i < 10000; i++)
        at += sprintf(at, "\"k%d\":%d,", i, i);
    sprintf(at, "\"z\":0}");
    assert_string_equal(reason_for(text, strlen(text)), "json.members");

    strcpy(text, "{\"a\":[");
    for (int i = 0; i < 97; i++)
        strcat(text, "1,");
    strcat(text, "1]}");
    assert_string_equal(reason_for(text, strlen(text)), "taken");
    strcpy(text + strlen(text) - 2, ",1,1]}");
    assert_string_equal(reason_for(text, strlen(text)), "json.members");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_raw_nul),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
