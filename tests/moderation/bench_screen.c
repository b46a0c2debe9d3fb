/* SPDX-License-Identifier: Apache-2.0 */
/* What a screening costs, by number of rules and length of the text
 *
 * Prints one JSON object: microseconds of CPU, the fastest of several rounds, because other work on
 * the machine only ever makes a round slower.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "moderation/rule_set.h"
#include "moderation/screen.h"
#include "protocol/xalloc.h"

enum { ROUNDS = 15, RUNS = 2000, RULE_BYTES = 160 };

static const char *const russian_200 =
    "Здравствуйте! Домашнее задание на четверг: упр. 15, стр. 40, прочитать текст и ответить на "
    "вопросы письменно, пожалуйста.";
static const char *const english_200 =
    "Hello! For Thursday please do exercise 15 on page 40: read the text about the weather in "
    "Scotland, answer the questions in writing, and learn the ten new words from the list, "
    "then write six sentences.";
static const char *const mixed_200 =
    "Привет, vocabulary из урока 7 (pages 12-15) я выучил, а present perfect ещё не совсем понял, "
    "let's repeat it at 18:30, ok?";
static const char *const number_200 =
    "Ответы: 12, 45, 78, 3.14, 2/3, 100, 256, 1024; времена 10:30, 11:45; числа 17, 19, 23, 29, "
    "31, "
    "37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131.";

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Pronounceable and meaningless, so that rules neither match nor are easier than real ones. */
static void invent_word(char *out, unsigned seed, unsigned number)
{
    static const char *const syllables[] = {"ка", "ру", "ми",  "зво", "пра", "ле", "ту",  "ши",
                                            "во", "ня", "бер", "гло", "су",  "ды", "жек", "фо"};

    out[0] = '\0';
    for (unsigned i = 0; i < 4 || number > 0; i++) {
        strcat(out, syllables[(number % 16 + seed + i * 5) % 16]);
        number /= 16;
    }
}

static struct rule_set *rules_of(size_t count)
{
    char *text = xmalloc(count * RULE_BYTES + 1), word[64];
    size_t length = 0;
    struct rule_error error;

    for (size_t i = 0; i < count; i++) {
        invent_word(word, 3, (unsigned)i);
        length += (size_t)sprintf(text + length, "rule r%zu\n label profanity\n words %s%s\n", i,
                                  word, i % 2 ? "*" : "");
    }
    struct rule_source source = {.name = "bench", .text = text, .length = length};
    struct rule_set *set = rule_set_compile(&source, 1, 1, &error);
    free(text);
    if (!set) {
        fprintf(stderr, "%u: %s\n", error.line, error.reason);
        exit(1);
    }
    return set;
}

static double measure(struct rule_set *set, const char *text, size_t length)
{
    struct screener *screener = screener_new();
    struct screen_input input = {.text = text, .length = length};
    struct screen_result result;
    double best = 1e9;
    size_t runs = length > 1000 ? RUNS / 20 : RUNS;

    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_us();

        for (size_t i = 0; i < runs; i++)
            screener_run(screener, set, &input, &result);
        double us = (cpu_us() - start) / (double)runs;
        best = us < best ? us : best;
    }
    screener_free(screener);
    return best;
}

/* `text` again and again with a blank between, up to 4,000 characters. */
static char *lengthen(const char *text, size_t *length)
{
    size_t room = 4000 * 4, characters = 0, n = strlen(text), at = 0;
    char *out = xmalloc(room + n);

    while (characters < 4000) {
        unsigned char ch = (unsigned char)(at % (n + 1) == n ? ' ' : text[at % (n + 1)]);

        characters += (ch & 0xC0) != 0x80;
        out[at++] = (char)ch;
    }
    *length = at - 1;
    return out;
}

int main(void)
{
    static const struct {
        const char *name, *text;
    } texts[] = {{"russian", NULL}, {"english", NULL}, {"mixed", NULL}, {"numbers", NULL}};
    const char *const bodies[] = {russian_200, english_200, mixed_200, number_200};
    const size_t counts[] = {10, 1000, 10000};
    struct rule_error error;
    struct rule_set *shipped = rule_set_default(1, &error);

    if (!shipped)
        return 1;
    printf("{\n");
    for (size_t i = 0; i < 3; i++) {
        struct rule_set *set = rules_of(counts[i]);

        for (size_t k = 0; k < 4; k++)
            printf("  \"%s_%zu_bytes_%zu_rules_us\": %.2f,\n", texts[k].name, strlen(bodies[k]),
                   counts[i], measure(set, bodies[k], strlen(bodies[k])));
        rule_set_unref(set);
    }
    for (size_t k = 0; k < 4; k++) {
        size_t length;
        char *text = lengthen(bodies[k], &length);

        printf("  \"%s_%zu_bytes_shipped_rules_us\": %.2f,\n", texts[k].name, strlen(bodies[k]),
               measure(shipped, bodies[k], strlen(bodies[k])));
        printf("  \"%s_4000_characters_shipped_rules_us\": %.2f%s\n", texts[k].name,
               measure(shipped, text, length), k == 3 ? "" : ",");
        free(text);
    }
    printf("}\n");
    rule_set_unref(shipped);
    return 0;
}
