/* SPDX-License-Identifier: Apache-2.0 */
/* Floods
 *
 * Pupils do repeat themselves: "да" ten times in a lesson is no flood, the same sentence five times
 * is. A short answer may come fast; a dozen in five seconds comes from no keyboard.
 */
#include "moderation/detect_flood.h"

#include "moderation/match_list.h"
#include "moderation/screen.h"
#include "moderation/word_view.h"

enum {
    REPEATS_MAX = 4,        /* earlier messages with the same text */
    REPEATS_MAX_SHORT = 12, /* where it is a short one */
    SHORT_WEIGHT = 8,       /* letters and digits */
    ROOMS_MAX = 3,          /* other rooms with the same text */
    ROOMS_WEIGHT = 20,
    REPEAT_WINDOW_MS = 600000,
    RATE_MESSAGES = 12,
    RATE_WINDOW_MS = 5000,
    WALL_UNITS = 300,
    WALL_WORDS = 60,
    LAG_MAX = 8,
    WALL_PERCENT = 90,
    NOISE_MARKS = 100,  /* invisible characters and marks, more than ... */
    NOISE_PER_UNIT = 3, /* ... so many for each visible one */
};

struct window {
    const struct screen_trace *traces;
    size_t count;
};

static struct window last_traces(const struct screen_input *input)
{
    size_t count = input->earlier_count;

    if (count <= SCREEN_WINDOW_MAX)
        return (struct window){.traces = input->earlier, .count = count};
    return (struct window){.traces = input->earlier + (count - SCREEN_WINDOW_MAX),
                           .count = SCREEN_WINDOW_MAX};
}

static bool is_recent(const struct screen_trace *earlier, int64_t now_ms, int64_t window_ms)
{
    return now_ms == 0 || earlier->at_ms == 0 || now_ms - earlier->at_ms <= window_ms;
}

static void check_repeats(const struct window *window, const struct screen_trace *trace,
                          const struct match_place *place, struct match_list *matches)
{
    size_t same = 0, rooms = 0;
    uint32_t earlier = 0;

    for (size_t i = 0; i < window->count; i++) {
        const struct screen_trace *other = &window->traces[i];

        if (other->hash != trace->hash || !is_recent(other, trace->at_ms, REPEAT_WINDOW_MS))
            continue;
        if (other->other_room) {
            rooms++;
            continue;
        }
        same++;
        earlier |= 1U << (window->count - 1 - i);
    }
    size_t most = trace->weight < SHORT_WEIGHT ? REPEATS_MAX_SHORT : REPEATS_MAX;
    struct match_place repeated = *place;
    repeated.earlier = earlier;
    if (same >= most || (rooms >= ROOMS_MAX && trace->weight >= ROOMS_WEIGHT))
        match_list_add_detector(matches, DETECTOR_FLOOD_REPEAT, &repeated);
}

static void check_rate(const struct window *window, const struct screen_trace *trace,
                       const struct match_place *place, struct match_list *matches)
{
    size_t near = 0;

    for (size_t i = 0; trace->at_ms != 0 && i < window->count; i++) {
        const struct screen_trace *other = &window->traces[i];

        near += other->at_ms != 0 && trace->at_ms - other->at_ms <= RATE_WINDOW_MS;
    }
    if (near >= RATE_MESSAGES)
        match_list_add_detector(matches, DETECTOR_FLOOD_RATE, place);
}

static bool repeats_units(const struct text_view *text)
{
    for (size_t lag = 1; lag <= LAG_MAX; lag++) {
        size_t most = text->count * (100 - WALL_PERCENT) / 100, others = 0;

        for (size_t i = lag; i < text->count && others <= most; i++)
            others += text->units[i].ch != text->units[i - lag].ch;
        if (others <= most)
            return true;
    }
    return false;
}

static bool same_word(const struct word_view *words, size_t a, size_t b)
{
    const struct token *s = &words->tokens[a], *t = &words->tokens[b];

    return s->length == t->length && words->bytes[s->line] == words->bytes[t->line] &&
           words->bytes[s->line + s->length - 1] == words->bytes[t->line + t->length - 1];
}

static bool repeats_words(const struct word_view *words)
{
    for (size_t lag = 1; lag <= LAG_MAX; lag++) {
        size_t most = words->token_count * (100 - WALL_PERCENT) / 100, others = 0;

        for (size_t i = lag; i < words->token_count && others <= most; i++)
            others += !same_word(words, i, i - lag);
        if (others <= most)
            return true;
    }
    return false;
}

static bool is_noise(const struct word_view *words)
{
    size_t hidden = words->text->hidden;

    return words->full || (hidden > NOISE_MARKS && hidden > NOISE_PER_UNIT * words->text->count);
}

void detect_flood(const struct word_view *words, const struct screen_input *input,
                  const struct screen_trace *trace, struct match_list *matches)
{
    const struct match_place place = {.to = (uint32_t)input->length};
    struct window window = last_traces(input);

    if (input->length == 0)
        return;
    check_repeats(&window, trace, &place, matches);
    check_rate(&window, trace, &place, matches);
    if ((words->text->count >= WALL_UNITS && repeats_units(words->text)) ||
        (words->token_count >= WALL_WORDS && repeats_words(words)))
        match_list_add_detector(matches, DETECTOR_FLOOD_WALL, &place);
    if (is_noise(words))
        match_list_add_detector(matches, DETECTOR_FLOOD_NOISE, &place);
}
