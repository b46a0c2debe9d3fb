/* SPDX-License-Identifier: Apache-2.0 */
/* Screening one text
 *
 *   text_view    what a reader sees: one unit a character, disguises of form undone
 *   word_view    its words, in every reading that a disguise allows
 *   word_matcher one pass for the words of all rules; hits become matches, start a look at a
 *                phrase, or mark a word that a detector knows
 *   detect_*     phones, cards, addresses, names: code where a pattern would lie
 *   match_list   what was found, and the verdict
 *
 * All memory is the screener's, made once for the longest text; a screening allocates nothing and
 * reads nothing but its arguments, so the same input gives the same output for ever.
 */
#include "moderation/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/address_view.h"
#include "moderation/alphabet.h"
#include "moderation/detect_card.h"
#include "moderation/detect_email.h"
#include "moderation/detect_flood.h"
#include "moderation/detect_handle.h"
#include "moderation/detect_link.h"
#include "moderation/detect_phone.h"
#include "moderation/digit_view.h"
#include "moderation/joined_text.h"
#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/matcher_scratch.h"
#include "moderation/pattern_matcher.h"
#include "moderation/rule_compiled.h"
#include "moderation/screen_views.h"
#include "moderation/text_view.h"
#include "moderation/trace.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum { SPACED_SURE = 4 /* letters spaced apart that can't be chance */ };

struct screener {
    struct rule_set *rules; /* the last one used, with a reference */
    struct matcher_scratch scratch;
    struct text_view text;
    struct word_view words;
    struct digit_view digits;
    struct address_view line;
    struct joined_text joined;
    struct match_list matches;
};

struct screener *screener_new(void)
{
    struct screener *screener = xcalloc(1, sizeof(*screener));

    screener->scratch = MATCHER_SCRATCH_INIT;
    text_view_init(&screener->text, SCREEN_TEXT_BYTES_MAX);
    word_view_init(&screener->words, SCREEN_TEXT_BYTES_MAX);
    digit_view_init(&screener->digits, SCREEN_TEXT_BYTES_MAX);
    address_view_init(&screener->line, SCREEN_TEXT_BYTES_MAX);
    return screener;
}

struct screener *screener_free(struct screener *screener)
{
    if (!screener)
        return NULL;
    address_view_deinit(&screener->line);
    digit_view_deinit(&screener->digits);
    word_view_deinit(&screener->words);
    text_view_deinit(&screener->text);
    matcher_scratch_deinit(&screener->scratch);
    rule_set_unref(screener->rules);
    free(screener);
    return NULL;
}

/* ---- hits of the word matcher ---- */

/* The first token of the word, or of the reading, that holds this byte. */
static size_t token_of(const struct word_view *words, const struct segment *segment, uint32_t byte)
{
    return segment ? segment->first : word_view_token_at(words, words->first[byte]);
}

/* A hit, widened to the word around it. */
struct word_hit {
    uint32_t start, end;           /* bytes of the word view */
    const struct segment *segment; /* the reading, or NULL for the plain one */
};

static const struct segment *segment_at(const struct word_view *words, uint32_t byte)
{
    size_t low = 0, high = words->segment_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (words->segments[middle].start <= byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &words->segments[low - 1];
}

static struct word_hit widen(const struct word_view *words, uint32_t start, uint32_t end)
{
    struct word_hit hit = {.start = start, .end = end, .segment = segment_at(words, start)};

    while (words->bytes[hit.start - 1] != ALPHABET_EDGE)
        hit.start--;
    while (words->bytes[hit.end] != ALPHABET_EDGE)
        hit.end++;
    return hit;
}

static bool is_excepted(const struct rule_excepts *excepts, const struct word_view *words,
                        uint32_t start, uint32_t length)
{
    for (size_t i = 0; i < excepts->count; i++) {
        if (word_pattern_fits(&excepts->patterns[i], words->bytes + start, words->run + start,
                              length))
            return true;
    }
    return false;
}

/* The word as read, or as written, is one that the rule leaves alone. */
static bool hit_is_excepted(const struct rule_set *rules, uint32_t rule,
                            const struct word_view *words, const struct word_hit *hit)
{
    const struct rule_excepts *excepts = &rules->excepts[rule];

    if (is_excepted(excepts, words, hit->start, hit->end - hit->start))
        return true;
    if (!hit->segment || hit->segment->first != hit->segment->last)
        return false;
    const struct token *token = &words->tokens[hit->segment->first];
    return is_excepted(excepts, words, token->line, token->length);
}

static bool is_doubtful(const struct segment *segment)
{
    if (!segment)
        return false;
    if (segment->kind == SEGMENT_MASKED)
        return true;
    return segment->joined && segment->last - segment->first + 1 < SPACED_SURE;
}

static void handle_word(struct screener *screener, uint32_t rule, uint32_t start, uint32_t end)
{
    const struct word_view *words = &screener->words;
    struct word_hit hit = widen(words, start, end);

    if (hit_is_excepted(screener->rules, rule, words, &hit))
        return;
    match_list_add(&screener->matches, rule,
                   &(struct match_place){
                       .from = text_view_from(&screener->text, words->first[hit.start]),
                       .to = text_view_to(&screener->text, words->last[hit.end - 1]),
                       .doubtful = is_doubtful(hit.segment),
                   });
}

static void handle_pattern(void *context, uint32_t rule, uint32_t start, uint32_t end)
{
    handle_word(context, rule, start, end);
}

static void handle_phrase(struct screener *screener, uint32_t index, uint32_t start)
{
    const struct word_view *words = &screener->words;
    const struct rule_phrase *phrase = &screener->rules->phrases[index];
    const struct segment *segment = segment_at(words, start);
    size_t first = token_of(words, segment, start);
    size_t last = segment ? segment->last : first;

    if (!phrase_check(&phrase->phrase, words, &first, &last))
        return;
    match_list_add(&screener->matches, phrase->rule,
                   &(struct match_place){
                       .from = text_view_from(&screener->text, words->tokens[first].first),
                       .to = text_view_to(&screener->text, words->tokens[last].last),
                   });
}

static void handle_sign(struct screener *screener, uint32_t index, uint32_t start)
{
    struct word_view *words = &screener->words;
    const struct segment *segment = segment_at(words, start);
    size_t first = token_of(words, segment, start), last = segment ? segment->last : first;

    /* A guess is good for a messenger's name, which needs another name beside it anyway. */
    if (segment && segment->kind == SEGMENT_MASKED && !(lexicon[index].signs & SIGN_MESSENGER))
        return;
    for (size_t i = first; i <= last; i++)
        words->tokens[i].signs |= lexicon[index].signs;
    words->signs |= lexicon[index].signs;
    if (lexicon[index].number >= 0) {
        words->tokens[first].number = lexicon[index].number;
        words->numbers = true;
    }
}

static void handle_hit(void *context, uint32_t tag, uint32_t start, uint32_t end)
{
    struct screener *screener = context;
    uint32_t index = tag & ((1U << TAG_SHIFT) - 1);

    switch ((enum tag_kind)(tag >> TAG_SHIFT)) {
    case TAG_WORD:
        handle_word(screener, index, start, end);
        break;
    case TAG_PHRASE:
        handle_phrase(screener, index, start);
        break;
    case TAG_SIGN:
        handle_sign(screener, index, start);
        break;
    }
}

/* ---- one screening ---- */

static void detect_numbers(struct screener *screener)
{
    const struct word_view *words = &screener->words;
    struct digit_view *digits = &screener->digits;

    digits->count = digits->run_count = 0;
    if ((screener->text.features & TEXT_DIGIT) || words->numbers)
        digit_view_build(digits, words);
    for (size_t i = 0; i < digits->run_count; i++) {
        const struct digit_run *run = &digits->runs[i];

        if (!detect_card(digits, run, words, &screener->matches))
            detect_phone(digits, run, words, &screener->matches);
    }
}

/* An address needs a sign that is typed or said, a name needs a messenger. "At" is a common word,
 * so it counts only with a dot or a word for mail. */
static bool may_have_address(const struct screener *screener)
{
    unsigned features = screener->text.features;
    uint32_t signs = screener->words.signs;

    if (features & (TEXT_AT | TEXT_DOT | TEXT_COLON | TEXT_SLASH))
        return true;
    if (signs & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK | SIGN_NICK | SIGN_DOT))
        return true;
    return (signs & SIGN_AT) && (signs & SIGN_MAIL);
}

static void detect_addresses(struct screener *screener)
{
    const struct word_view *words = &screener->words;
    struct address_view *line = &screener->line;

    if (!may_have_address(screener))
        return;
    address_view_build(line, words);
    detect_email(line, words, &screener->matches);
    detect_link(line, words, &screener->matches);
    detect_handle(line, words, &screener->matches);
}

static int use_rules(struct screener *screener, struct rule_set *rules)
{
    if (screener->rules == rules)
        return 0;
    rule_set_unref(screener->rules);
    screener->rules = rule_set_ref(rules);
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        int error = word_matcher_fit(rules->matchers[i], &screener->scratch);

        if (error)
            return error;
    }
    return pattern_matcher_fit(rules->patterns, &screener->scratch);
}

/* Reads a text into all views, and runs what looks at one text alone. */
static int look(struct screener *screener, const char *text, size_t length)
{
    int error = text_view_read(&screener->text, text, length);

    if (error)
        return error;
    word_view_build(&screener->words, &screener->text);
    for (size_t i = 0; !error && i < LAYER_COUNT; i++)
        error = word_matcher_scan(screener->rules->matchers[i], &screener->scratch,
                                  &screener->words, handle_hit, screener);
    if (!error)
        error = pattern_matcher_scan(screener->rules->patterns, &screener->scratch,
                                     &screener->words, handle_pattern, screener);
    if (error)
        return error;
    detect_numbers(screener);
    detect_addresses(screener);
    return 0;
}

/* ---- contacts split over messages ---- */

static bool is_contact(const char *label)
{
    return strncmp(label, "contact_", 8) == 0 || strcmp(label, "payment_card") == 0;
}

/* What the joined text holds and the message alone did not, as far as it reaches into it. */
static void take_joined(struct screener *screener, const struct match_list *found,
                        const struct joined_text *joined)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct screen_match *match = &found->items[i];

        if (!is_contact(match->label) || match->to <= joined->start)
            continue;
        match_list_add(
            &screener->matches, match->rule_index,
            &(struct match_place){
                .from = match->from > joined->start ? match->from - (uint32_t)joined->start : 0,
                .to = match->to - (uint32_t)joined->start,
                .earlier = joined_text_pieces(joined, match->from),
                .doubtful = true,
            });
    }
}

static int look_joined(struct screener *screener, const struct screen_input *input,
                       enum joined_kind kind)
{
    struct match_list alone;

    if (!joined_text_make(&screener->joined, input, kind))
        return 0;
    alone = screener->matches;
    match_list_begin(&screener->matches, screener->rules, input);
    int error = look(screener, screener->joined.text, screener->joined.length);
    struct match_list found = screener->matches;
    screener->matches = alone;
    if (!error)
        take_joined(screener, &found, &screener->joined);
    return error;
}

static int screen(struct screener *screener, struct rule_set *rules,
                  const struct screen_input *input, struct screen_trace *trace)
{
    int error = use_rules(screener, rules);

    match_list_begin(&screener->matches, rules, input);
    if (!error)
        error = look(screener, input->text, input->length);
    if (error)
        return error;
    bool numeric = screener->digits.count > 0;
    trace_make(&screener->text, input, numeric, trace);
    detect_flood(&screener->words, input, trace, &screener->matches);
    if (numeric)
        error = look_joined(screener, input, JOINED_NUMERIC);
    return error ? error : look_joined(screener, input, JOINED_LAST);
}

int screener_run(struct screener *screener, struct rule_set *rules,
                 const struct screen_input *input, struct screen_result *out)
{
    int error = screen(screener, rules, input, &out->trace);

    out->rule_set_version = rule_set_version(rules);
    if (error) {
        out->trace = (struct screen_trace){.at_ms = input->at_ms};
        out->match_count = 0;
        out->verdict = SCREEN_HOLD;
        out->reason = "engine.error";
        return error;
    }
    match_list_finish(&screener->matches, out);
    return 0;
}

struct screen_views screener_views(const struct screener *screener)
{
    return (struct screen_views){
        .words = &screener->words,
        .digits = &screener->digits,
        .line = may_have_address(screener) ? &screener->line : NULL,
    };
}

const char *screen_verdict_name(enum screen_verdict verdict)
{
    static const char *const names[] = {"deliver", "hold", "block"};

    return names[verdict];
}
