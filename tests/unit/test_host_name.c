/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/host_name.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/host_name.h"
#include "moderation/word_view.h"

enum { CAPACITY = 1024 };

/* The host at the start of a text, or "". */
static const char *host_of(const char *text, bool after_at)
{
    static struct host_name host;
    struct text_view view;
    struct word_view words;
    struct address_view line;

    text_view_init(&view, CAPACITY);
    word_view_init(&words, CAPACITY);
    address_view_init(&line, CAPACITY);
    assert_int_equal(text_view_read(&view, text, strlen(text)), 0);
    word_view_build(&words, &view);
    address_view_build(&line, &words);
    bool found = host_name_read(&host, &line, 0, after_at);
    address_view_deinit(&line);
    word_view_deinit(&words);
    text_view_deinit(&view);
    return found ? host.text : "";
}

static void test_zones(void **state)
{
    assert_string_equal(host_of("mail.ru", false), "mail.ru");
    assert_string_equal(host_of("a.b.co.uk/x", false), "a.b.co.uk");
    assert_string_equal(host_of("школа.рф", false), "школа.рф");
    assert_string_equal(host_of("task.pdf", false), "");
    assert_string_equal(host_of("word", false), "");
    assert_string_equal(host_of(".com", false), "");
}

static void test_where_it_ends(void **state)
{
    assert_string_equal(host_of("mail.ru.Потом", false), "mail.ru");
    assert_string_equal(host_of("done.So what", false), "");
    assert_string_equal(host_of("doNe.So", false), "done.so"); /* capitals everywhere */
    assert_string_equal(host_of("Mail.Ru", true), "mail.ru");
    assert_string_equal(host_of("mail. ru", true), "mail. ru");
    assert_string_equal(host_of("mail. ru", false), "");
}

static void test_known_hosts(void **state)
{
    assert_true(host_name_is_below("a.example.com", "example.com"));
    assert_true(host_name_is_below("example.com", "example.com"));
    assert_false(host_name_is_below("badexample.com", "example.com"));
    assert_true(host_name_is_meeting_place("t.me"));
    assert_true(host_name_is_meeting_place("m.vk.com"));
    assert_false(host_name_is_meeting_place("that.me"));
    assert_true(host_name_is_mail_provider("gmail.com"));
    assert_true(host_name_is_mail_provider("gmail"));
    assert_false(host_name_is_mail_provider("school.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_where_it_ends),
        cmocka_unit_test(test_known_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
