/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/address_view.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/address_view.h"
#include "moderation/lexicon.h"
#include "moderation/word_view.h"

enum { CAPACITY = 4096 };

struct views {
    struct text_view text;
    struct word_view words;
    struct address_view line;
};

static int setup(void **state)
{
    static struct views views;

    text_view_init(&views.text, CAPACITY);
    word_view_init(&views.words, CAPACITY);
    address_view_init(&views.line, CAPACITY);
    *state = &views;
    return 0;
}

static int teardown(void **state)
{
    struct views *views = *state;

    address_view_deinit(&views->line);
    word_view_deinit(&views->words);
    text_view_deinit(&views->text);
    return 0;
}

/* Marks signs as the screener does after a scan. */
static void mark_signs(struct word_view *words, const char *text)
{
    static const struct {
        const char *word;
        uint32_t sign;
    } signs[] = {{"собака", SIGN_AT}, {"at", SIGN_AT},      {"точка", SIGN_DOT},
                 {"dot", SIGN_DOT},   {"слеш", SIGN_SLASH}, {"дефис", SIGN_DASH}};

    for (size_t i = 0; i < words->token_count; i++) {
        struct token *token = &words->tokens[i];
        const struct unit *units = words->text->units;
        size_t n = units[token->last].at + units[token->last].bytes - units[token->first].at;

        for (size_t k = 0; k < sizeof(signs) / sizeof(signs[0]); k++) {
            if (strlen(signs[k].word) == n &&
                memcmp(text + units[token->first].at, signs[k].word, n) == 0)
                token->signs |= signs[k].sign;
        }
    }
}

static void assert_line(void **state, const char *text, const char *expected)
{
    struct views *views = *state;
    char out[256];

    assert_int_equal(text_view_read(&views->text, text, strlen(text)), 0);
    word_view_build(&views->words, &views->text);
    mark_signs(&views->words, text);
    address_view_build(&views->line, &views->words);
    assert_true(address_view_text(&views->line, 0, views->line.count - 1, out, sizeof(out)));
    assert_string_equal(out, expected);
}

static void test_typed(void **state)
{
    assert_line(state, "Ivan@Mail.RU", "ivan@mail.ru");
    assert_line(state, "пишите на a@b.рф", "пишите на a@b.рф");
}

static void test_said(void **state)
{
    assert_line(state, "ivan собака mail точка ru", "ivan@mail.ru");
    assert_line(state, "ivan [at] mail (dot) ru", "ivan@mail.ru");
    assert_line(state, "vk точка com слеш ivan дефис p", "vk.com/ivan-p");
    assert_line(state, "kate (a) mail.ru", "kate@mail.ru");
}

static void test_spaced(void **state)
{
    assert_line(state, "ivan @ mail . ru", "ivan@mail.ru");
    assert_line(state, "vk . com / ivan", "vk.com/ivan");
    assert_line(state, "i v a n @ m a i l . r u", "ivan@mail.ru");
    assert_line(state, "site[.]com", "site.com");
    assert_line(state, "https: // site", "https://site");
}

static void test_prose_keeps_its_blanks(void **state)
{
    assert_line(state, "конец. начало", "конец. начало");
    assert_line(state, "пиши @masha", "пиши @masha");
    assert_line(state, "a, b", "a, b");
}

static void test_look_alikes(void **state)
{
    assert_line(state, "іvаn@mаil.ru", "ivan@mail.ru");
    assert_line(state, "к_90@mail.ru", "k_90@mail.ru");
    assert_line(state, "школа.pф", "школа.рф");
}

static void test_marks(void **state)
{
    struct views *views = *state;

    assert_line(state, "a [at] b", "a@b");
    assert_int_equal(views->line.marks[1], ADDRESS_SAID | ADDRESS_WRAPPED | ADDRESS_SPACED);
    assert_int_equal(views->line.at_signs, 1);
    assert_line(state, "a@b", "a@b");
    assert_int_equal(address_view_marks(&views->line, 0, 3), 0);
    assert_int_equal(views->line.first[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed),       cmocka_unit_test(test_said),
        cmocka_unit_test(test_spaced),      cmocka_unit_test(test_prose_keeps_its_blanks),
        cmocka_unit_test(test_look_alikes), cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
