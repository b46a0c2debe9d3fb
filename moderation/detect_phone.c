/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbers
 *
 * Three things together make a telephone number: a numbering plan that its digits fit, the way it
 * is written, and what is said around it. A lesson is full of numbers, so one of the three alone is
 * never enough, and the less there is of the others, the more must speak for it:
 *
 *   a Russian mobile, or + and a country    needs nothing else
 *   fits a plan, or is written like a phone is held; blocked if words say so
 *   any other number of that length         only if words say so
 *
 * Numbers that are counted ("вариант", "стр.", "ISBN") and lists with commas are none.
 */
#include "moderation/detect_phone.h"

#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/number_window.h"
#include "moderation/phone_plan.h"
#include "moderation/word_view.h"

enum {
    PHONE_MIN = 5,
    PHONE_MAX = 15,
    LOCAL_MAX = 8, /* digits of a number without its area */
    NEAR_BEFORE = 5,
    NEAR_AFTER = 4,
    COUNTED_BEFORE = 2,
    SPOKEN_GROUPS_MIN = 8,
};

enum certainty { NOT_A_PHONE, DOUBTFUL, CERTAIN };

/* How people group the digits of a full number, with its area code. */
static const char *const full_shapes[] = {
    "13322", "1334",  "137",   "1a",   "b",     "47",   "4322", "434",  "4331",
    "1433",  "1343",  "33322", "3322", "334",   "37",   "343",  "3223", "23322",
    "2334",  "12322", "2234",  "2322", "1332",  "3334", "3a",   "3233", "32322",
    "1352",  "1442",  "24322", "2442", "13223", "1532", "3332", "3323",
};

/* And of a local one. */
static const char *const local_shapes[] = {"322", "34", "232", "222", "2222", "43", "44", "122"};

static bool is_full(const struct number_window *window)
{
    return number_window_shaped(window, full_shapes, sizeof(full_shapes) / sizeof(full_shapes[0]));
}

static bool is_local(const struct number_window *window)
{
    return number_window_shaped(window, local_shapes,
                                sizeof(local_shapes) / sizeof(local_shapes[0]));
}

/* Brackets or dashes, as phones have them and lists of numbers have not. */
static bool has_phone_marks(const struct number_window *window)
{
    return (window->gaps & (GAP_BRACKET | GAP_DASH)) != 0 &&
           (window->gaps & (GAP_COMMA | GAP_LINE | GAP_SLASH)) == 0;
}

/* In one piece, or in pieces that no list of numbers has. */
static bool is_unbroken(const struct number_window *window)
{
    return window->whole && (window->group_count == 1 || number_window_singles(window) ||
                             window->spoken || window->disguised);
}

struct context {
    bool said;     /* words speak of a phone */
    bool personal; /* of the sender, at least */
    bool counted;  /* of something else that has a number */
};

static struct context read_context(const struct number_window *window,
                                   const struct word_view *words)
{
    uint32_t near = number_window_signs(window, words, NEAR_BEFORE, NEAR_AFTER);
    uint32_t before = number_window_signs(window, words, COUNTED_BEFORE, 0);
    bool numbered = (near & SIGN_NUMBER) && (near & (SIGN_PERSON | SIGN_REACH));

    return (struct context){
        .said = (near & SIGN_PHONE) != 0 || numbered || (near & SIGN_MESSENGER) != 0,
        .personal = (near & (SIGN_REACH | SIGN_PERSON | SIGN_MESSENGER_WEAK)) != 0,
        .counted = (before & SIGN_COUNTED) != 0 && !(before & SIGN_PHONE),
    };
}

static enum certainty judge_possible(const struct number_window *window,
                                     const struct context *context)
{
    size_t n = window->count;
    bool listed = (window->gaps & (GAP_COMMA | GAP_LINE)) != 0;

    if (context->counted || listed || !window->whole)
        return NOT_A_PHONE;
    if (n > LOCAL_MAX && context->said)
        return CERTAIN;
    if (n >= 7 && context->said)
        return is_local(window) || window->group_count > 1 ? CERTAIN : DOUBTFUL;
    if (n >= 5 && context->said)
        return is_local(window) && has_phone_marks(window) ? DOUBTFUL : NOT_A_PHONE;
    if (n > LOCAL_MAX && is_full(window) && has_phone_marks(window))
        return DOUBTFUL;
    return n > LOCAL_MAX && context->personal && window->group_count > 1 ? DOUBTFUL : NOT_A_PHONE;
}

static enum certainty judge_likely(const struct number_window *window,
                                   const struct context *context)
{
    bool listed = (window->gaps & (GAP_COMMA | GAP_LINE)) != 0;

    if (context->said && !listed)
        return CERTAIN;
    if (context->counted || listed)
        return NOT_A_PHONE;
    if (is_full(window) && has_phone_marks(window))
        return CERTAIN;
    return is_unbroken(window) || is_full(window) ? DOUBTFUL : NOT_A_PHONE;
}

static enum certainty judge_certain(const struct number_window *window,
                                    const struct context *context)
{
    if (context->said || (window->plus && window->group_count <= 6))
        return CERTAIN;
    if (context->counted || (window->gaps & (GAP_COMMA | GAP_LINE)))
        return is_unbroken(window) ? DOUBTFUL : NOT_A_PHONE;
    if (is_full(window) || window->disguised || window->spoken)
        return CERTAIN;
    return window->whole ? DOUBTFUL : NOT_A_PHONE;
}

/* Number words can be put together in more than one way, so a spoken number may be a digit or two
 * short of what was meant. */
static bool is_spoken_mobile(const struct number_window *window)
{
    return window->whole && window->spoken && window->count >= 9 && window->count <= 12 &&
           (window->digits[0] == 7 || window->digits[0] == 8) && window->digits[1] == 9;
}

static bool is_counting(const struct number_window *window)
{
    for (size_t i = 1; i < window->count; i++) {
        if (window->digits[i] != (window->digits[i - 1] + 1) % 10)
            return false;
    }
    return true;
}

/* "four one five eight six seven five three double oh": nobody says ten digits nearly one by one in
 * a lesson but to count. Area codes and exchanges start with 2 to 9 (North American Numbering
 * Plan). */
static bool is_spoken_american(const struct number_window *window)
{
    return window->whole && window->spoken && window->count == 10 &&
           window->group_count >= SPOKEN_GROUPS_MIN && window->digits[0] >= 2 &&
           window->digits[3] >= 2 && !is_counting(window);
}

static enum certainty judge(const struct number_window *window, const struct word_view *words)
{
    enum phone_fit fit = phone_plan_fit(window->digits, window->count, window->plus);
    struct context context;

    if (fit == PHONE_NONE || (!window->whole && !is_full(window)))
        return NOT_A_PHONE;
    /* With words between the pieces it may as well be a list. */
    if (window->gaps & GAP_WORD)
        return fit != PHONE_POSSIBLE && is_full(window) ? DOUBTFUL : NOT_A_PHONE;
    context = read_context(window, words);
    if ((is_spoken_mobile(window) || is_spoken_american(window)) && fit == PHONE_POSSIBLE &&
        !context.said && !context.counted)
        return DOUBTFUL;
    switch (fit) {
    case PHONE_POSSIBLE:
        return judge_possible(window, &context);
    case PHONE_LIKELY:
        return judge_likely(window, &context);
    case PHONE_CERTAIN:
        return judge_certain(window, &context);
    case PHONE_NONE:
        break;
    }
    return NOT_A_PHONE;
}

/* A part of a run can only be a phone if it fits a plan; most parts of a list of numbers don't even
 * start like one. */
static bool may_be_phone(const struct digit_view *digits, const struct digit_run *run, size_t from,
                         size_t count)
{
    uint8_t digit = digits->digits[run->first + from].value;

    if (digit_run_stands_alone(digits, run, from, count) || (run->plus && from == 0))
        return true;
    if (count == 11 && (digit == 7 || digit == 8))
        return true;
    if (count == 10 && digit == 9)
        return true;
    return (count == 11 || count == 12) && (digit == 3 || digit == 9);
}

bool detect_phone(const struct digit_view *digits, const struct digit_run *run,
                  const struct word_view *words, struct match_list *matches)
{
    const struct digit *all = &digits->digits[run->first];
    size_t longest = run->count < PHONE_MAX ? run->count : PHONE_MAX;

    for (size_t from = 0; from + PHONE_MIN <= run->count; from++) {
        if (from > 0 && all[from].gap == 0)
            continue;
        for (size_t n = longest; n >= PHONE_MIN; n--) {
            struct number_window window;

            if (from + n > run->count || !may_be_phone(digits, run, from, n) ||
                (from + n < run->count && all[from + n].gap == 0))
                continue;
            number_window_read(&window, digits, run, from, n);
            enum certainty certainty = judge(&window, words);
            if (certainty == NOT_A_PHONE)
                continue;
            match_list_add_detector(
                matches, certainty == CERTAIN ? DETECTOR_PHONE : DETECTOR_PHONE_DOUBTFUL,
                &(struct match_place){.from = text_view_from(words->text, window.first),
                                      .to = text_view_to(words->text, window.last)});
            return true;
        }
    }
    return false;
}
