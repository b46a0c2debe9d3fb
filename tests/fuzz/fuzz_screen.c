/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: messages of one sender, screened in order under the shipped rules
 *
 * The input is split at NUL bytes. Every answer must have its spans at character edges; what is no
 * UTF-8 must be refused and held.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/rule_set.h"
#include "moderation/screen.h"
#include "protocol/utf8.h"

enum { MESSAGES_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rule_set *rules;
static struct screener *screener;

static void prepare(void)
{
    struct rule_error error;

    rules = rule_set_default(1, &error);
    screener = screener_new();
    if (!rules)
        abort();
}

static void check_edge(const struct screen_input *input, uint32_t at)
{
    if (at > input->length)
        abort();
    if (at < input->length && ((unsigned char)input->text[at] & 0xC0) == 0x80)
        abort();
}

static void check(const struct screen_input *input, int error, const struct screen_result *result)
{
    if ((error == 0) != utf8_valid(input->text, input->length))
        abort();
    if (error && result->verdict != SCREEN_HOLD)
        abort();
    for (size_t i = 0; i < result->match_count; i++) {
        check_edge(input, result->matches[i].from);
        check_edge(input, result->matches[i].to);
        if (result->matches[i].from >= result->matches[i].to)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct screen_trace traces[MESSAGES_MAX];
    static struct screen_result result;
    const char *text = (const char *)data;

    if (!rules)
        prepare();
    if (size > SCREEN_TEXT_BYTES_MAX)
        return 0;
    for (size_t count = 0; count < MESSAGES_MAX; count++) {
        const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
        size_t length = end ? (size_t)(end - text) : size;
        struct screen_input input = {.text = text,
                                     .length = length,
                                     .at_ms = (int64_t)count * 250,
                                     .earlier = traces,
                                     .earlier_count = count};

        check(&input, screener_run(screener, rules, &input, &result), &result);
        traces[count] = result.trace;
        if (!end)
            break;
        text += length + 1;
        size -= length + 1;
    }
    return 0;
}
