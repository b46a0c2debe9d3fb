/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/message.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/message.h"

static void test_status(void **state)
{
    static const enum message_status all[] = {MESSAGE_PENDING, MESSAGE_DELIVERED, MESSAGE_BLOCKED};

    for (size_t i = 0; i < 3; i++) {
        enum message_status status;
        const char *name = message_status_name(all[i]);

        assert_true(message_status_parse(&status, name, strlen(name)));
        assert_int_equal(status, all[i]);
    }
    assert_string_equal(message_status_name(MESSAGE_PENDING), "pending_moderation");
}

static void test_unknown_status(void **state)
{
    enum message_status status = MESSAGE_BLOCKED;

    assert_false(message_status_parse(&status, "pending", 7));
    assert_false(message_status_parse(&status, "delivered ", 10));
    assert_false(message_status_parse(&status, "", 0));
    assert_int_equal(status, MESSAGE_BLOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_unknown_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
