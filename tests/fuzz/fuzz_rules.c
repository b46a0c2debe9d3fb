/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: a rules file, up to the words and phrases that it names */
#include <stdint.h>
#include <stdlib.h>

#include "moderation/pattern_syntax.h"
#include "moderation/phrase.h"
#include "moderation/rule_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(void *context, const struct word_pattern *pattern)
{
    if (pattern->length == 0 || pattern->length > WORD_PATTERN_MAX)
        abort();
}

static void read_item(const struct rule_item *item)
{
    struct phrase phrase;
    char expression[PATTERN_TEXT_MAX];

    switch (item->kind) {
    case ITEM_WORD:
    case ITEM_EXCEPT:
        word_pattern_parse(item->text, item->length, check_form, NULL);
        break;
    case ITEM_PHRASE:
        phrase_parse(&phrase, item->text, item->length);
        phrase_deinit(&phrase);
        break;
    case ITEM_PATTERN:
        pattern_syntax_translate(item->text, item->length, expression);
        break;
    case ITEM_DETECTOR:
    case ITEM_HOST:
    case ITEM_MATCH:
    case ITEM_CLEAN:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_source source = {.name = "fuzz", .text = (const char *)data, .length = size};
    struct rule_list list = {0};
    struct rule_error error;

    rule_file_parse(&list, &source, &error);
    for (size_t i = 0; i < list.count; i++) {
        for (size_t k = 0; k < list.rules[i].item_count; k++)
            read_item(&list.rules[i].items[k]);
    }
    rule_list_deinit(&list);
    return 0;
}
