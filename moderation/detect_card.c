/* SPDX-License-Identifier: Apache-2.0 */
/* Payment card numbers
 *
 * A card number starts with the range of an issuer, has the length that this issuer uses, and ends
 * with a check digit (ISO/IEC 7812, Luhn). One in ten numbers passes the check by chance, so the
 * way it is written, or the words around, must speak of a card, too; else it is only held.
 */
#include "moderation/detect_card.h"

#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/number_window.h"
#include "moderation/word_view.h"

enum {
    CARD_MIN = 12,
    CARD_MAX = 19,
    SPOKEN_MIN = 13,
    ISSUER_DIGITS = 4,
    NEAR_BEFORE = 5,
    NEAR_AFTER = 3
};

/* First four digits, and the lengths of numbers that start so. */
static const struct issuer {
    uint16_t low, high;
    uint8_t shortest, longest;
} issuers[] = {
    {2200, 2204, 16, 19}, /* Mir */
    {2221, 2720, 16, 16}, /* Mastercard */
    {3000, 3059, 14, 19}, /* Diners Club */
    {3095, 3095, 14, 19}, /* Diners Club */
    {3400, 3499, 15, 15}, /* American Express */
    {3528, 3589, 16, 19}, /* JCB */
    {3600, 3699, 14, 19}, /* Diners Club */
    {3700, 3799, 15, 15}, /* American Express */
    {3800, 3999, 14, 19}, /* Diners Club */
    {4000, 4999, 16, 19}, /* Visa; the old length of 13 is long gone */
    {5000, 5099, 12, 19}, /* Maestro */
    {5100, 5599, 16, 16}, /* Mastercard */
    {5600, 5899, 12, 19}, /* Maestro */
    {6011, 6011, 16, 19}, /* Discover */
    {6040, 6049, 16, 16}, /* Ukrcard, Prostir */
    {6200, 6299, 16, 19}, /* UnionPay */
    {6300, 6399, 12, 19}, /* Maestro */
    {6440, 6599, 16, 19}, /* Discover */
    {6700, 6799, 12, 19}, /* Maestro */
    {8600, 8600, 16, 16}, /* Uzcard */
    {9112, 9112, 16, 16}, /* Belkart */
    {9792, 9792, 16, 16}, /* Troy */
    {9860, 9860, 16, 16}, /* Humo */
};

static bool passes_luhn(const uint8_t *digits, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned value = digits[count - 1 - i];

        if (i % 2 == 1)
            value = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += value;
    }
    return sum % 10 == 0;
}

static bool has_issuer(const uint8_t *digits, size_t count)
{
    unsigned head = 0;

    for (size_t i = 0; i < ISSUER_DIGITS; i++)
        head = head * 10 + digits[i];
    for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
        if (head >= issuers[i].low && head <= issuers[i].high)
            return count >= issuers[i].shortest && count <= issuers[i].longest;
    }
    return false;
}

enum certainty { NOT_A_CARD, DOUBTFUL, CERTAIN };

/* Number words can be put together in more than one way ("sixty one" is 61 or 60 1), and only the
 * speaker knows which gives the check digit. */
static bool said_as_words(const struct number_window *window, bool said)
{
    return window->whole && window->spoken && window->count >= SPOKEN_MIN &&
           (said || window->digits[0] == 2 || window->digits[0] == 4 || window->digits[0] == 5) &&
           !passes_luhn(window->digits, window->count);
}

/* 2.718281828459045: a digit or few, one point, and all the rest. */
static bool is_decimal(const struct number_window *window)
{
    return window->group_count == 2 && window->groups[0] < 4 &&
           (window->gaps & (GAP_DOT | GAP_COMMA)) != 0 && (window->gaps & GAP_SPACE) == 0;
}

static enum certainty judge(const struct number_window *window, const struct word_view *words)
{
    static const char *const shapes[] = {"4444", "44443", "465", "g", "f", "88", "4c", "c4",
                                         "e",    "444",   "464", "j", "i", "h",  "66", "444444"};
    size_t n = window->count;

    bool said = (number_window_signs(window, words, NEAR_BEFORE, NEAR_AFTER) & SIGN_CARD) != 0;
    if (said_as_words(window, said))
        return DOUBTFUL;
    if (!has_issuer(window->digits, n) || (is_decimal(window) && !said))
        return NOT_A_CARD;
    bool shaped = number_window_shaped(window, shapes, sizeof(shapes) / sizeof(shapes[0]));
    bool listed =
        (window->gaps & (GAP_COMMA | GAP_LINE)) != 0 || ((window->gaps & GAP_WORD) != 0 && !shaped);
    if (!passes_luhn(window->digits, n))
        return said && window->whole && n == 16 && !listed ? DOUBTFUL : NOT_A_CARD;
    if (said && window->whole)
        return CERTAIN;
    if (shaped && n >= 15)
        return said || window->group_count > 1 ? CERTAIN : DOUBTFUL;
    if (listed || !window->whole)
        return said && shaped ? CERTAIN : NOT_A_CARD;
    return n >= 15 ? DOUBTFUL : NOT_A_CARD;
}

/* The first four digits are an issuer's, or all of the run was spoken. */
static bool may_be_card(const struct digit_run *run, const struct digit *first, size_t count)
{
    uint8_t head[ISSUER_DIGITS];

    if (count == run->count && first[0].spoken)
        return true;
    for (size_t i = 0; i < ISSUER_DIGITS; i++)
        head[i] = first[i].value;
    return has_issuer(head, count);
}

/* Windows start and end between groups; sub-windows only where they are shaped like a card. */
bool detect_card(const struct digit_view *digits, const struct digit_run *run,
                 const struct word_view *words, struct match_list *matches)
{
    const struct digit *all = &digits->digits[run->first];
    size_t longest = run->count < CARD_MAX ? run->count : CARD_MAX;

    for (size_t from = 0; from + CARD_MIN <= run->count; from++) {
        if (from > 0 && all[from].gap == 0)
            continue;
        for (size_t n = longest; n >= CARD_MIN; n--) {
            struct number_window window;

            if (from + n > run->count || (from + n < run->count && all[from + n].gap == 0) ||
                !may_be_card(run, all + from, n))
                continue;
            number_window_read(&window, digits, run, from, n);
            enum certainty certainty = judge(&window, words);
            if (certainty == NOT_A_CARD)
                continue;
            match_list_add_detector(
                matches, certainty == CERTAIN ? DETECTOR_CARD : DETECTOR_CARD_DOUBTFUL,
                &(struct match_place){.from = text_view_from(words->text, window.first),
                                      .to = text_view_to(words->text, window.last)});
            return true;
        }
    }
    return false;
}
