/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/redact.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/redact.h"

static void test_passwords_are_taken_out(void **state)
{
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"postgresql://anna:hunter2@db:5432/chat", "postgresql://anna:***@db:5432/chat"},
        {"postgresql://anna:a@b:c/d@db/chat", "postgresql://anna:***@db/chat"},
        {"redis://:hunter2@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"},
        {"postgresql://db/chat?user=anna&password=hunter2&x=1",
         "postgresql://db/chat?user=anna&password=***&x=1"},
        {"postgresql://u:p@db/chat?sslpassword=q", "postgresql://u:***@db/chat?sslpassword=***"},
        {"host=db password=hunter2 user=anna", "host=db password=*** user=anna"},
        {"host=db password = 'it\\'s a secret' user=anna", "host=db password = *** user=anna"},
        {"PASSWORD=hunter2", "PASSWORD=***"},
        {"sslpassword=a password=b", "sslpassword=*** password=***"},
        {"password='open", "password=***"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *shown = redact_url(cases[i].url);
        assert_string_equal(shown, cases[i].shown);
        assert_true(redact_has_password(cases[i].url));
        free(shown);
    }
}

static void test_the_rest_stays(void **state)
{
    static const char *const urls[] = {
        "",
        "postgresql:///chatgate",
        "postgresql://anna@db:5432/chat",
        "postgresql://db:5432/chat?sslmode=require",
        "postgresql://chatgate@/chat?host=%2Frun%2Fpostgresql",
        "redis://127.0.0.1:6379/0",
        "unix:/run/redis/redis.sock",
        "host=db passfile=/etc/pgpass user=anna",
        "application_name=password",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char *shown = redact_url(urls[i]);
        assert_string_equal(shown, urls[i]);
        assert_false(redact_has_password(urls[i]));
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords_are_taken_out),
        cmocka_unit_test(test_the_rest_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
