/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/xalloc.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/xalloc.h"

static void test_sizes(void **state)
{
    char *text = xmalloc(0);

    text = xrealloc(text, 3);
    memcpy(text, "ab", 3);
    text = xreallocarray(text, 5, 2);
    assert_string_equal(text, "ab");
    free(text);

    int *zeros = xcalloc(4, sizeof(*zeros));

    assert_int_equal(zeros[0] | zeros[3], 0);
    free(zeros);
    free(xcalloc(0, 0));
}

static void test_copies(void **state)
{
    char *text = xstrdup("text"), *part = xmemdup("\0bc", 2), *nothing = xmemdup(NULL, 0);

    assert_string_equal(text, "text");
    assert_memory_equal(part, "\0b\0", 3);
    assert_string_equal(nothing, "");
    free(text);
    free(part);
    free(nothing);
}

/* True if the process ends when `allocate` asks for more than there can be. */
static bool dies(void (*allocate)(size_t), size_t bytes)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        close(STDERR_FILENO);
        allocate(bytes);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void allocate_plain(size_t bytes)
{
    free(xmalloc(bytes));
}

static void allocate_product(size_t count)
{
    free(xreallocarray(NULL, count, 16));
}

static void test_out_of_memory(void **state)
{
    assert_true(dies(allocate_plain, SIZE_MAX / 2));
    assert_true(dies(allocate_product, SIZE_MAX / 8));
    assert_false(dies(allocate_plain, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
