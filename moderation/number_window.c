/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of digits that could be one number */
#include "moderation/number_window.h"

#include <string.h>

#include "moderation/word_view.h"

void number_window_read(struct number_window *window, const struct digit_view *view,
                        const struct digit_run *run, size_t from, size_t count)
{
    const struct digit *digits = &view->digits[run->first + from];

    *window = (struct number_window){
        .count = count,
        .plus = run->plus && from == 0,
        .whole = digit_run_stands_alone(view, run, from, count),
        .first = digits[0].first,
        .last = digits[count - 1].last,
    };
    for (size_t i = 0; i < count; i++) {
        bool apart = i == 0 || digits[i].gap != 0;

        window->digits[i] = digits[i].value;
        window->spoken |= digits[i].spoken;
        window->disguised |= digits[i].disguised;
        if (i > 0)
            window->gaps |= digits[i].gap;
        if (apart)
            window->group_count++;
        window->groups[window->group_count - 1]++;
    }
}

bool number_window_singles(const struct number_window *window)
{
    return window->group_count == window->count;
}

bool number_window_shaped(const struct number_window *window, const char *const shapes[],
                          size_t count)
{
    char shape[NUMBER_DIGITS_MAX + 1] = "";

    for (size_t i = 0; i < window->group_count; i++)
        shape[i] = "0123456789abcdefghijk"[window->groups[i]];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(shape, shapes[i]) == 0)
            return true;
    }
    return false;
}

uint32_t number_window_signs(const struct number_window *window, const struct word_view *words,
                             size_t before, size_t after)
{
    return word_view_signs_near(words, window->first, window->last, before, after);
}
