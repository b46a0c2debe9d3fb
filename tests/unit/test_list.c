/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of protocol/list.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/list.h"

struct item {
    char name;
    struct list_node link;
};

/* The names on the list, in order. */
static const char *names(const struct list_node *list)
{
    static char text[16];
    size_t count = 0;

    LIST_FOREACH (node, list)
        text[count++] = container_of(node, const struct item, link)->name;
    text[count] = '\0';
    return text;
}

static struct item make(char name)
{
    return (struct item){.name = name};
}

static void test_order(void **state)
{
    struct list_node list = LIST_INIT(list);
    struct item a = make('a'), b = make('b'), c = make('c'), d = make('d');

    list_init(&a.link);
    list_init(&b.link);
    list_init(&c.link);
    list_init(&d.link);
    assert_true(list_empty(&list));
    assert_null(list_first(&list));
    assert_null(list_last(&list));

    list_append(&list, &b.link);
    list_append(&list, &c.link);
    list_prepend(&list, &a.link);
    list_insert_after(&b.link, &d.link);
    assert_string_equal(names(&list), "abdc");
    assert_ptr_equal(list_first(&list), &a.link);
    assert_ptr_equal(list_last(&list), &c.link);

    list_remove(&b.link);
    assert_false(list_linked(&b.link));
    list_remove(&b.link);
    assert_string_equal(names(&list), "adc");
}

static void test_splice(void **state)
{
    struct list_node list = LIST_INIT(list), other = LIST_INIT(other);
    struct item a = make('a'), b = make('b'), c = make('c');

    list_init(&a.link);
    list_init(&b.link);
    list_init(&c.link);
    list_append(&list, &a.link);
    list_append(&other, &b.link);
    list_append(&other, &c.link);
    list_splice(&list, &other);
    assert_string_equal(names(&list), "abc");
    assert_true(list_empty(&other));
    list_splice(&list, &other);
    assert_string_equal(names(&list), "abc");
}

static void test_remove_while_walking(void **state)
{
    struct list_node list = LIST_INIT(list);
    struct item items[] = {make('a'), make('b'), make('c')};

    for (int i = 0; i < 3; i++) {
        list_init(&items[i].link);
        list_append(&list, &items[i].link);
    }
    LIST_FOREACH_SAFE (node, &list)
        list_remove(node);
    assert_true(list_empty(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_remove_while_walking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
