/* SPDX-License-Identifier: Apache-2.0 */
/* E-mail addresses
 *
 * An at sign, a name before it and a host in a known zone after it. Where the sign or a dot was
 * said or spaced, the host must be one where people have mail boxes, or its dots must have been
 * told in the same way: "look at example.com" is no address.
 */
#include "moderation/detect_email.h"

#include "moderation/alphabet.h"
#include "moderation/host_name.h"
#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/word_view.h"

enum { LOCAL_MAX = 64, NEAR_BEFORE = 5, NEAR_AFTER = 2, PROVIDER_BYTES = 64 };

enum certainty { NO_ADDRESS, DOUBTFUL, CERTAIN };

static bool is_local_char(uint8_t ch)
{
    return address_is_letter_or_digit(ch) || ch == '.' || ch == '_' || ch == '-' || ch == '+' ||
           ch == '%';
}

static size_t local_start(const struct address_view *line, size_t at)
{
    size_t start = at;

    while (start > 0 && at - start < LOCAL_MAX && is_local_char(line->chars[start - 1]))
        start--;
    while (start < at && !address_is_letter_or_digit(line->chars[start]))
        start++;
    return start;
}

/* Said without brackets. "At" is any word then; "собака" after a Latin name is not. */
static bool is_said_only(unsigned marks)
{
    return (marks & ADDRESS_SAID) && !(marks & ADDRESS_WRAPPED);
}

static bool is_russian_at(const struct address_view *line, size_t at, const struct word_view *words)
{
    return at > 0 && address_is_alnum(line->chars[at - 1]) &&
           alphabet_is_cyrillic(words->text->units[line->first[at]].own);
}

static enum certainty judge(const struct host_name *host, unsigned at_marks, bool has_local,
                            bool told)
{
    bool provider = host_name_is_mail_provider(host->text);

    if (!has_local)
        return provider && !(at_marks & ADDRESS_SAID) ? DOUBTFUL : NO_ADDRESS;
    if (host->tld == TLD_SPOKEN && !provider && !(host->marks & ADDRESS_SAID) && !told)
        return NO_ADDRESS;
    if (at_marks == 0)
        return host->tld == TLD_COMMON || host->marks == 0 || provider ? CERTAIN : DOUBTFUL;
    if (provider || told)
        return CERTAIN;
    if (is_said_only(at_marks))
        return host->marks & ADDRESS_SAID ? DOUBTFUL : NO_ADDRESS;
    return host->tld == TLD_COMMON || host->marks != 0 ? CERTAIN : DOUBTFUL;
}

/* A provider's name without its zone: "ivan@gmail". Returns its end, or 0. */
static size_t provider_end(const struct address_view *line, size_t from)
{
    char text[PROVIDER_BYTES];
    size_t end = from;

    while (address_is_letter_or_digit(line->chars[end]))
        end++;
    if (end == from || !address_view_text(line, from, end, text, sizeof(text)))
        return 0;
    return host_name_is_mail_provider(text) ? end : 0;
}

/* Words speak of mail, or the sign itself does. */
static bool is_told(const struct address_view *line, size_t at, const struct word_view *words)
{
    return is_russian_at(line, at, words) ||
           (word_view_signs_near(words, line->first[at], line->last[at], NEAR_BEFORE, NEAR_AFTER) &
            SIGN_MAIL) != 0;
}

static void check_at(const struct address_view *line, size_t at, const struct word_view *words,
                     struct match_list *matches)
{
    size_t local = local_start(line, at), end;
    enum certainty certainty;
    struct host_name host;

    if (host_name_read(&host, line, at + 1, true)) {
        end = host.to;
        if (local == at && at > 0 && line->chars[at - 1] == ' ' &&
            host_name_is_mail_provider(host.text))
            local = local_start(line, at - 1);
        certainty =
            judge(&host, line->marks[at] & ~ADDRESS_SPACED, local < at, is_told(line, at, words));
    } else {
        end = provider_end(line, at + 1);
        if (end == 0 || local == at)
            return;
        certainty =
            is_said_only(line->marks[at]) && !is_told(line, at, words) ? NO_ADDRESS : DOUBTFUL;
    }
    if (certainty == NO_ADDRESS)
        return;
    match_list_add_detector(
        matches, certainty == CERTAIN ? DETECTOR_EMAIL : DETECTOR_EMAIL_DOUBTFUL,
        &(struct match_place){.from = text_view_from(words->text, line->first[local]),
                              .to = text_view_to(words->text, line->last[end - 1])});
}

void detect_email(const struct address_view *line, const struct word_view *words,
                  struct match_list *matches)
{
    for (size_t i = 0; line->at_signs > 0 && i < line->count; i++) {
        if (line->chars[i] == '@')
            check_at(line, i, words, matches);
    }
}
