/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/config_ini.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/config_errors.h"
#include "gateway/config_ini.h"

struct lines {
    char text[8192]; /* "2:listen.port=80|..." */
};

static void handle_line(void *context, int line, const char *section, const char *name,
                        const char *value)
{
    struct lines *lines = context;
    size_t length = strlen(lines->text);
    snprintf(lines->text + length, sizeof(lines->text) - length, "%d:%s.%s=%s|", line, section,
             name, value);
}

static void expect(const char *ini, size_t length, const char *lines, const char *error)
{
    struct lines seen = {""};
    struct config_errors errors = CONFIG_ERRORS_INIT;
    config_ini_parse("x.ini", ini, length, handle_line, &seen, &errors);
    assert_string_equal(seen.text, lines);
    if (error == NULL)
        assert_int_equal(errors.count, 0);
    else
        assert_string_equal(errors.lines[0], error);
    config_errors_deinit(&errors);
}

static void test_lines_and_their_numbers(void **state)
{
    static const char ini[] = "# comment\n"
                              "; another\n"
                              "[listen]\r\n"
                              "port = 80\r\n"
                              "\n"
                              "  address=::1  \n"
                              "[redis]\n"
                              "key =  a;b # c ; d\n"
                              "url = unix:/a=b\n"
                              "password =\n"
                              "last = 1";
    expect(ini, strlen(ini),
           "4:listen.port=80|6:listen.address=::1|8:redis.key=a;b # c ; d|9:redis.url=unix:/a=b|"
           "10:redis.password=|11:redis.last=1|",
           NULL);
    expect("", 0, "", NULL);
}

static void test_continuation_lines_are_lines(void **state)
{
    static const char ini[] = "[a]\nb = 1\n  c = 2\n";
    expect(ini, strlen(ini), "2:a.b=1|3:a.c=2|", NULL);
}

static void test_what_is_no_line(void **state)
{
    static const char text[] = "[a]\nhello\nb = 1\n", open[] = "\n[a\n", nul[] = "[a]\nb = 1\0x\n";
    expect(text, strlen(text), "3:a.b=1|",
           "x.ini:2: expected [section], key = value, or # a comment");
    expect(open, strlen(open), "", "x.ini:2: expected [section], key = value, or # a comment");
    expect(nul, sizeof(nul) - 1, "",
           "x.ini:2: a line of more than 4096 bytes, or with a NUL inside");
}

static void test_long_lines_are_not_cut(void **state)
{
    char ini[5000] = "[a]\nb = ";
    memset(ini + 8, 'x', 4000);
    strcpy(ini + 4008, "\nc = 1\n");
    struct lines seen = {""};
    struct config_errors errors = CONFIG_ERRORS_INIT;
    config_ini_parse("x.ini", ini, strlen(ini), handle_line, &seen, &errors);
    assert_int_equal(errors.count, 0);
    assert_int_equal(strlen(seen.text), strlen("2:a.b=|3:a.c=1|") + 4000);

    memset(ini + 8, 'x', 4500);
    strcpy(ini + 4508, "\nc = 1\n");
    expect(ini, strlen(ini), "3:a.c=1|",
           "x.ini:2: a line of more than 4096 bytes, or with a NUL inside");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_their_numbers),
        cmocka_unit_test(test_continuation_lines_are_lines),
        cmocka_unit_test(test_what_is_no_line),
        cmocka_unit_test(test_long_lines_are_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
