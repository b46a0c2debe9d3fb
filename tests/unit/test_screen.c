/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of moderation/screen.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "moderation/rule_set.h"
#include "moderation/screen.h"

static struct rule_set *rules;
static struct screener *screener;

static int setup(void **state)
{
    struct rule_error error;

    rules = rule_set_default(9, &error);
    screener = screener_new();
    return rules ? 0 : 1;
}

static int teardown(void **state)
{
    screener_free(screener);
    rule_set_unref(rules);
    return 0;
}

static struct screen_result run(const struct screen_input *input)
{
    struct screen_result result;

    assert_int_equal(screener_run(screener, rules, input, &result), 0);
    return result;
}

static struct screen_result say(const char *text)
{
    return run(&(struct screen_input){.text = text, .length = strlen(text)});
}

static bool has_label(const struct screen_result *result, const char *label)
{
    for (size_t i = 0; i < result->match_count; i++) {
        if (strcmp(result->matches[i].label, label) == 0)
            return true;
    }
    return false;
}

/* ---- what is found ---- */

static const struct row {
    const char *text, *label; /* NULL: nothing at all */
    enum screen_verdict verdict;
} rows[] = {
    {"позвони мне 8 912 345-67-89", "contact_phone", SCREEN_BLOCK},
    {"89123456789", "contact_phone", SCREEN_BLOCK},
    {"912 345 67 89", "contact_phone", SCREEN_HOLD},
    {"my phone is 020 7946 0958", "contact_phone", SCREEN_BLOCK},
    {"+44 20 7946 0958", "contact_phone", SCREEN_BLOCK},
    {"восемь девятьсот двенадцать 345 6789", "contact_phone", SCREEN_BLOCK},
    {"упражнения 12, 45, 78, 91, 23, 45", NULL, SCREEN_DELIVER},
    {"встреча 12.05.2026 в 10:30", NULL, SCREEN_DELIVER},
    {"ISBN 978-5-699-12014-7", NULL, SCREEN_DELIVER},
    {"карта 4111 1111 1111 1111", "payment_card", SCREEN_BLOCK},
    {"4111 1111 1111 1112", NULL, SCREEN_DELIVER}, /* wrong check digit */
    {"anna@example.com", "contact_email", SCREEN_BLOCK},
    {"anna собака mail точка ru", "contact_email", SCREEN_BLOCK},
    {"meet me at the park", NULL, SCREEN_DELIVER},
    {"https://example.com/a", "contact_link", SCREEN_BLOCK},
    {"hxxps://example.com/a", "contact_link", SCREEN_BLOCK},
    {"t.me/anna_rep", "contact_link", SCREEN_BLOCK},
    {"сделал.Завтра пришлю", NULL, SCREEN_DELIVER},
    {"открой main.py и index.html", NULL, SCREEN_DELIVER},
    {"telegram: @anna_rep", "contact_handle", SCREEN_BLOCK},
    {"пиши в телегу anna.rep7", "contact_handle", SCREEN_BLOCK},
    {"телеграм придумали давно", NULL, SCREEN_DELIVER},
    {"вот пиздец", "profanity", SCREEN_BLOCK},
    {"п и з д е ц", "profanity", SCREEN_BLOCK},
    {"п*здец", "profanity", SCREEN_HOLD},
    {"pizdec", "profanity", SCREEN_BLOCK},
    {"подстрахуй употребление рубля", NULL, SCREEN_DELIVER},
    {"ты идиотина", "insult", SCREEN_HOLD},
    {"давай мимо платформы", "bypass_intent", SCREEN_HOLD},
    {"не рассказывай маме о переписке", "minor_safety", SCREEN_HOLD},
    {"", NULL, SCREEN_DELIVER},
    {"   \n\t ", NULL, SCREEN_DELIVER},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct screen_result result = say(rows[i].text);

        if (result.verdict != rows[i].verdict)
            print_message("%s: %s\n", rows[i].text, screen_verdict_name(result.verdict));
        assert_int_equal(result.verdict, rows[i].verdict);
        assert_int_equal(result.rule_set_version, 9);
        if (rows[i].label)
            assert_true(has_label(&result, rows[i].label));
        else
            assert_int_equal(result.match_count, 0);
    }
}

static void test_spans(void **state)
{
    const char *text = "звони: ８(912)345-67-8９!";
    struct screen_result result = say(text);

    assert_int_equal(result.match_count, 1);
    assert_int_equal(result.matches[0].from, strlen("звони: "));
    assert_int_equal(result.matches[0].to, strlen(text) - 1);
    assert_string_equal(result.matches[0].reason, "contact.phone");
    assert_string_equal(result.reason, "contact.phone");
}

/* ---- several messages ---- */

struct talk {
    struct screen_trace traces[SCREEN_WINDOW_MAX * 4];
    size_t count;
};

static struct screen_result go_on(struct talk *talk, const char *text, int64_t at_ms)
{
    struct screen_result result = run(&(struct screen_input){.text = text,
                                                             .length = strlen(text),
                                                             .at_ms = at_ms,
                                                             .earlier = talk->traces,
                                                             .earlier_count = talk->count});

    talk->traces[talk->count++] = result.trace;
    return result;
}

static void test_split_phone(void **state)
{
    struct talk talk = {.count = 0};

    assert_int_equal(go_on(&talk, "8912", 0).verdict, SCREEN_DELIVER);
    assert_int_equal(go_on(&talk, "ага", 0).verdict, SCREEN_DELIVER);
    assert_int_equal(go_on(&talk, "345", 0).verdict, SCREEN_DELIVER);
    struct screen_result result = go_on(&talk, "67 89", 0);
    assert_int_equal(result.verdict, SCREEN_HOLD);
    assert_true(has_label(&result, "contact_phone"));
    assert_int_equal(result.matches[0].earlier, 5); /* "345" and "8912" */
    assert_int_equal(result.matches[0].from, 0);
    assert_int_equal(result.matches[0].to, 5);
}

static void test_split_email(void **state)
{
    struct talk talk = {.count = 0};

    go_on(&talk, "anna.rep", 0);
    struct screen_result result = go_on(&talk, "@example.com", 0);
    assert_true(has_label(&result, "contact_email"));
    assert_int_equal(result.verdict, SCREEN_HOLD);
}

static void test_short_answers_are_no_phone(void **state)
{
    static const char *const answers[] = {"45", "78", "12", "90", "33", "8", "15", "700"};
    struct talk talk = {.count = 0};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        assert_int_equal(go_on(&talk, answers[i], 0).verdict, SCREEN_DELIVER);
}

static void test_repeats(void **state)
{
    static const char *const same[] = {"записывайтесь ко мне", "Записывайтесь ко мне!",
                                       "записывайтесь ко мне...", "ЗАПИСЫВАЙТЕСЬ ко мне 🔥"};
    struct talk talk = {.count = 0};

    for (int i = 0; i < 4; i++)
        assert_int_equal(go_on(&talk, same[i], 1000 * i + 1).verdict, SCREEN_DELIVER);
    struct screen_result result = go_on(&talk, "записывайтесь ко мне", 5000);
    assert_true(has_label(&result, "spam"));
    assert_string_equal(result.reason, "spam.repeat");
    result = go_on(&talk, "записывайтесь ко мне", 5000 + 700000); /* much later */
    assert_int_equal(result.verdict, SCREEN_DELIVER);
}

static void test_short_words_may_be_repeated(void **state)
{
    struct talk talk = {.count = 0};

    for (int i = 0; i < 11; i++)
        assert_int_equal(go_on(&talk, "да", 10000 * i + 1).verdict, SCREEN_DELIVER);
}

static void test_other_rooms(void **state)
{
    struct talk talk = {.count = 0};

    for (int i = 0; i < 3; i++) {
        go_on(&talk, "приходите ко мне на пробный урок", 1000 * i + 1);
        talk.traces[i].other_room = true;
    }
    struct screen_result result = go_on(&talk, "приходите ко мне на пробный урок", 5000);
    assert_true(has_label(&result, "spam"));
}

static void test_rate(void **state)
{
    struct talk talk = {.count = 0};
    char text[2] = "a";
    struct screen_result result = {.match_count = 0};

    for (int i = 0; i < 13; i++) {
        text[0] = (char)('a' + i);
        result = go_on(&talk, text, 1 + i * 100);
    }
    assert_true(has_label(&result, "spam"));
    assert_string_equal(result.reason, "spam.flood");
}

static void test_walls(void **state)
{
    static char text[2001];

    for (size_t i = 0; i < 2000; i++)
        text[i] = "!?"[i % 2];
    struct screen_result result = say(text);
    assert_string_equal(result.reason, "spam.wall");
    for (size_t i = 0; i < 2000; i++)
        text[i] = "buy now "[i % 8];
    assert_string_equal(say(text).reason, "spam.wall");
}

static void test_piles_of_marks(void **state)
{
    static char text[2001];

    for (size_t i = 0; i < 2000; i += 2)
        memcpy(text + i, i % 200 == 0 ? "a " : "\xCC\x81", 2);
    assert_string_equal(say(text).reason, "spam.noise");
}

/* ---- failures ---- */

static void test_failures_hold(void **state)
{
    static char longer[SCREEN_TEXT_BYTES_MAX + 1];
    struct screen_input input = {.text = "\xFF", .length = 1};
    struct screen_result result;

    assert_int_equal(screener_run(screener, rules, &input, &result), -EILSEQ);
    assert_int_equal(result.verdict, SCREEN_HOLD);
    assert_string_equal(result.reason, "engine.error");
    memset(longer, 'a', sizeof(longer));
    input = (struct screen_input){.text = longer, .length = sizeof(longer)};
    assert_int_equal(screener_run(screener, rules, &input, &result), -E2BIG);
    assert_int_equal(result.verdict, SCREEN_HOLD);
    input.length--;
    assert_int_equal(screener_run(screener, rules, &input, &result), 0);
}

/* ---- any text at all ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static const char *const pieces[] = {
    "а",          "б",
    "п",          "и",
    "з",          "д",
    "a",          "e",
    "x",          "T",
    " ",          " ",
    ".",          "-",
    "@",          "8",
    "9",          "1",
    "\n",         "\u200B",
    "\u0301",     "\uFE0F\u20E3",
    "ａ",         "①",
    "ﬁ",          "½",
    "🔥",          "🇷",
    "漢",         "α",
    "\U0001D5BA", "*",
    "_",          "'",
    "+",          "(",
    ")",          "/",
    ":",          ",",
    "собака",     "точка",
    "восемь",     "девятьсот",
    "телеграм",   "http://",
    "mail",       ".ru",
    "t.me",       "х у й",
    "пизд",       "номер",
    "\U000E0041", "\u3164",
    "и\u0306",    "!",
    "?",          "0",
    "O",          "l",
};

static size_t random_text(uint32_t *seed, char *out, size_t room)
{
    size_t n = 0, count = next_random(seed) % 60;

    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];

        if (n + strlen(piece) > room)
            break;
        memcpy(out + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return n;
}

static bool at_edge(const char *text, size_t length, uint32_t at)
{
    return at <= length && (at == length || ((unsigned char)text[at] & 0xC0) != 0x80);
}

static void check_result(const struct screen_input *input, const struct screen_result *result)
{
    assert_true(result->match_count <= SCREEN_MATCHES_MAX);
    for (size_t i = 0; i < result->match_count; i++) {
        const struct screen_match *match = &result->matches[i];

        assert_true(match->from < match->to);
        assert_true(at_edge(input->text, input->length, match->from));
        assert_true(at_edge(input->text, input->length, match->to));
        assert_true(match->rule && match->label && match->reason);
    }
    assert_true((result->verdict == SCREEN_DELIVER) == (result->reason == NULL));
}

/* Field by field: what pads a struct has no value. */
static void check_same_match(const struct screen_match *a, const struct screen_match *b)
{
    assert_ptr_equal(a->rule, b->rule);
    assert_ptr_equal(a->label, b->label);
    assert_ptr_equal(a->reason, b->reason);
    assert_int_equal(a->rule_index, b->rule_index);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->to, b->to);
    assert_int_equal(a->earlier, b->earlier);
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->severity, b->severity);
    assert_int_equal(a->shadow, b->shadow);
}

static void check_same_trace(const struct screen_trace *a, const struct screen_trace *b)
{
    assert_int_equal(a->hash, b->hash);
    assert_int_equal(a->at_ms, b->at_ms);
    assert_int_equal(a->weight, b->weight);
    assert_int_equal(a->other_room, b->other_room);
    assert_int_equal(a->numeric, b->numeric);
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->fragment, b->fragment, sizeof(a->fragment));
}

/* Offsets are at character edges, and the same input has the same output, whatever was screened
 * between. */
static void test_properties(void **state)
{
    static struct screen_result first, again;
    static struct talk talk;
    uint32_t seed = 20260101;

    for (int i = 0; i < 20000; i++) {
        char text[1024];
        size_t n = random_text(&seed, text, sizeof(text)), earlier = next_random(&seed) % 8;
        struct screen_input input = {.text = text,
                                     .length = n,
                                     .earlier = talk.traces,
                                     .earlier_count = earlier < talk.count ? earlier : talk.count};

        memset(&first, 0, sizeof(first));
        memset(&again, 0, sizeof(again));
        assert_int_equal(screener_run(screener, rules, &input, &first), 0);
        check_result(&input, &first);
        say("between 8 912 345 67 89");
        assert_int_equal(screener_run(screener, rules, &input, &again), 0);
        assert_int_equal(first.match_count, again.match_count);
        assert_int_equal(first.verdict, again.verdict);
        for (size_t k = 0; k < first.match_count; k++)
            check_same_match(&first.matches[k], &again.matches[k]);
        check_same_trace(&first.trace, &again.trace);
        talk.traces[(size_t)i % SCREEN_WINDOW_MAX] = first.trace;
        talk.count = talk.count < SCREEN_WINDOW_MAX ? talk.count + 1 : talk.count;
    }
}

/* Two screeners, and two compilations, agree. */
static void test_another_screener(void **state)
{
    struct rule_error error;
    struct rule_set *same = rule_set_default(9, &error);
    struct screener *other = screener_new();
    uint32_t seed = 7;

    for (int i = 0; i < 500; i++) {
        char text[1024];
        size_t n = random_text(&seed, text, sizeof(text));
        struct screen_input input = {.text = text, .length = n};
        struct screen_result a = run(&input), b;

        assert_int_equal(screener_run(other, same, &input, &b), 0);
        assert_int_equal(a.verdict, b.verdict);
        assert_int_equal(a.match_count, b.match_count);
    }
    screener_free(other);
    rule_set_unref(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_split_phone),
        cmocka_unit_test(test_split_email),
        cmocka_unit_test(test_short_answers_are_no_phone),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_short_words_may_be_repeated),
        cmocka_unit_test(test_other_rooms),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_walls),
        cmocka_unit_test(test_piles_of_marks),
        cmocka_unit_test(test_failures_hold),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_another_screener),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
