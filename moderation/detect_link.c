/* SPDX-License-Identifier: Apache-2.0 */
/* Links and bare host names
 *
 * A scheme or "www." makes a link of what follows. Without them there is only a dot between two
 * words, and lessons are full of those: forgotten blanks, file names, abbreviations, code. Then the
 * zone decides: one that people use for sites stands alone; a rare one needs a path, a digit or
 * hyphen in the name, or a word that points at it; one that is a word or a file ending first needs
 * more than one of these. Dots that were said or spaced count for less than typed ones.
 */
#include "moderation/detect_link.h"

#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/host_name.h"
#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/rule_compiled.h"
#include "moderation/word_view.h"

enum { NEAR_BEFORE = 4, NEAR_AFTER = 2, SCHEME_MAX = 10 };

enum certainty { NO_LINK, DOUBTFUL, CERTAIN };

struct finder {
    const struct address_view *line;
    const struct word_view *words;
    struct match_list *matches;
};

static void add(struct finder *finder, enum certainty certainty, size_t from, size_t to)
{
    const struct address_view *line = finder->line;
    const struct text_view *text = finder->words->text;

    if (certainty == NO_LINK || from >= to)
        return;
    match_list_add_detector(finder->matches,
                            certainty == CERTAIN ? DETECTOR_LINK : DETECTOR_LINK_DOUBTFUL,
                            &(struct match_place){.from = text_view_from(text, line->first[from]),
                                                  .to = text_view_to(text, line->last[to - 1])});
}

static bool is_path_char(uint8_t ch)
{
    return ch > ' ' && ch != ADDRESS_SYMBOL && ch != '"' && ch != '<' && ch != '>';
}

static size_t path_end(const struct address_view *line, size_t at)
{
    while (is_path_char(line->chars[at]))
        at++;
    while (at > 0 && (line->chars[at - 1] == '.' || line->chars[at - 1] == ',' ||
                      line->chars[at - 1] == ')' || line->chars[at - 1] == '!'))
        at--;
    return at;
}

/* The platform's own hosts, and what else a rule set lets pass. */
static bool is_allowed(const struct finder *finder, const char *host)
{
    const struct rule_set *rules = finder->matches->rules;

    for (size_t i = 0; i < rules->host_count; i++) {
        if (host_name_is_below(host, rules->hosts[i]))
            return true;
    }
    return false;
}

/* ---- schemes ---- */

static bool opens_anything(const char *scheme)
{
    static const char *const names[] = {
        "http",  "https",  "hxxp",      "hxxps",    "htpp",   "htp",   "ftp",     "ws",
        "wss",   "tg",     "viber",     "whatsapp", "skype",  "vk",    "discord", "zoommtg",
        "sgnl",  "fb",     "instagram", "line",     "mailto", "tel",   "sms",     "xttp",
        "xttps", "callto", "weixin",    "icq",      "steam",  "magnet"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], scheme) == 0)
            return true;
    }
    return false;
}

/* These need no slashes; messengers' need a question then: "skype:name?call". */
static bool opens_bare(const char *scheme, bool asks)
{
    static const char *const names[] = {"mailto", "tel", "callto", "sms", "skype", "viber", "tg"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], scheme) == 0)
            return i < 4 || asks;
    }
    return false;
}

static void check_scheme(struct finder *finder, size_t colon)
{
    const struct address_view *line = finder->line;
    size_t start = colon, after = colon + 1;
    char scheme[SCHEME_MAX + 1];
    struct host_name host;

    while (start > 0 && colon - start < SCHEME_MAX && alphabet_is_latin(line->chars[start - 1]))
        start--;
    if (start == colon || !address_view_text(line, start, colon, scheme, sizeof(scheme)) ||
        !opens_anything(scheme))
        return;
    while (line->chars[after] == '/' || line->chars[after] == '\\')
        after++;
    size_t end = path_end(line, after);
    bool asks = end > after && memchr(line->chars + after, '?', end - after) != NULL;
    if (after < colon + 3 &&
        !(opens_bare(scheme, asks) && address_is_letter_or_digit(line->chars[after])))
        return;
    if (end == after ||
        (host_name_read(&host, line, after, false) && is_allowed(finder, host.text)))
        return;
    add(finder, CERTAIN, start, end);
}

/* ---- bare names ---- */

/* What speaks for a name beside its zone. */
struct evidence {
    bool www, meeting, path, pointed, odd, said, code;
};

static bool has_digit_or_hyphen(const struct host_name *host)
{
    return strpbrk(host->text, "0123456789-") != NULL;
}

static bool has_path(const struct address_view *line, size_t at)
{
    return (line->chars[at] == '/' || line->chars[at] == '?' || line->chars[at] == '#') &&
           (address_is_letter_or_digit(line->chars[at + 1]) || line->chars[at + 1] == '+' ||
            line->chars[at + 1] == '@' || line->chars[at + 1] == '?');
}

static bool looks_like_code(const struct address_view *line, const struct host_name *host)
{
    uint8_t before = host->from > 0 ? line->chars[host->from - 1] : ' ';
    uint8_t after = line->chars[host->to];

    return after == '(' || after == '[' || after == '=' || after == '*' || after == ';' ||
           after == '.' || before == '/' || before == '.' || before == '(' || before == '$' ||
           before == '=' || before == '~' || before == '\\' || before == '<' || before == '&';
}

static struct evidence weigh(const struct finder *finder, const struct host_name *host)
{
    const struct address_view *line = finder->line;
    uint32_t near = word_view_signs_near(finder->words, line->first[host->from],
                                         line->last[host->to - 1], NEAR_BEFORE, NEAR_AFTER);

    return (struct evidence){
        .www = strncmp(host->text, "www.", 4) == 0 && host->labels > 2,
        .meeting = host_name_is_meeting_place(host->text),
        .path = has_path(line, host->to),
        .pointed = (near & SIGN_LINK) != 0,
        .odd = has_digit_or_hyphen(host),
        .said = (host->marks & (ADDRESS_SAID | ADDRESS_SPACED)) != 0 &&
                !(host->marks & ADDRESS_WRAPPED),
        .code = looks_like_code(line, host),
    };
}

static enum certainty judge_spoken(const struct evidence *evidence)
{
    bool supported = evidence->path || evidence->pointed || evidence->www || evidence->odd;

    return evidence->said && supported ? DOUBTFUL : NO_LINK;
}

static enum certainty judge(const struct host_name *host, const struct evidence *evidence)
{
    bool good = host->tld == TLD_COMMON;
    int points = evidence->path + evidence->pointed + evidence->odd - evidence->code;

    if (evidence->www)
        return CERTAIN;
    if (evidence->meeting)
        return evidence->said && !evidence->path ? DOUBTFUL : CERTAIN;
    switch (host->tld) {
    case TLD_NONE:
        return NO_LINK;
    case TLD_SPOKEN:
        return judge_spoken(evidence);
    case TLD_COMMON:
    case TLD_RARE:
        if (evidence->said)
            return points >= (good ? 0 : 1) ? DOUBTFUL : NO_LINK;
        if (points < (good ? 0 : 1))
            return NO_LINK;
        return good && (evidence->path || !evidence->code) ? CERTAIN : DOUBTFUL;
    case TLD_AMBIGUOUS:
        return points >= 2 ? DOUBTFUL : NO_LINK;
    }
    return NO_LINK;
}

/* One letter before the zone is an abbreviation, unless it is a known place ("t.me"); digits only
 * are a number. */
static bool is_name(const struct address_view *line, const struct host_name *host)
{
    size_t letters = 0, length = 0;

    for (size_t i = host->from; line->chars[i] != '.'; i++) {
        letters += !alphabet_is_digit(line->chars[i]);
        length++;
    }
    return letters > 0 && (length > 1 || host_name_is_meeting_place(host->text));
}

static bool starts_name(const struct address_view *line, size_t at)
{
    uint8_t before = at > 0 ? line->chars[at - 1] : ' ';

    return address_is_letter_or_digit(line->chars[at]) && !address_is_letter_or_digit(before) &&
           before != '-' && before != '_' && before != '.' && before != '@';
}

/* Returns the character to go on with. */
static size_t check_name(struct finder *finder, size_t at)
{
    const struct address_view *line = finder->line;
    struct host_name host;

    if (!host_name_read(&host, line, at, false) || line->chars[host.to] == '@' ||
        !is_name(line, &host))
        return at + 1;
    if (!is_allowed(finder, host.text)) {
        struct evidence evidence = weigh(finder, &host);
        size_t end = evidence.path ? path_end(line, host.to) : host.to;

        add(finder, judge(&host, &evidence), at, end);
    }
    return host.to;
}

/* ---- addresses in digits ---- */

/* 91.3.45.63 with a port or path, 0x5bc0ffee: nobody writes these by chance. */
static void check_numeric(struct finder *finder, size_t at)
{
    const struct address_view *line = finder->line;
    size_t end = at, dots = 0, run = 0;

    if (line->chars[at] == '0' && line->chars[at + 1] == 'x') {
        end = at + 2;
        while (alphabet_is_digit(line->chars[end]) ||
               (line->chars[end] >= 'a' && line->chars[end] <= 'f'))
            end++;
        if (end == at + 10 && line->chars[end] == '/')
            add(finder, DOUBTFUL, at, end + 1);
        return;
    }
    while (run <= 3 && (alphabet_is_digit(line->chars[end]) || line->chars[end] == '.')) {
        run = line->chars[end] == '.' ? 0 : run + 1;
        dots += line->chars[end++] == '.';
    }
    bool path = line->chars[end] == '/' && !alphabet_is_digit(line->chars[end + 1]);
    bool port = line->chars[end] == ':' && alphabet_is_digit(line->chars[end + 1]);
    if (dots == 3 && run > 0 && run <= 3 && (path || port))
        add(finder, DOUBTFUL, at, path_end(line, end));
}

void detect_link(const struct address_view *line, const struct word_view *words,
                 struct match_list *matches)
{
    struct finder finder = {.line = line, .words = words, .matches = matches};

    for (size_t i = 0; line->colons > 0 && i < line->count; i++) {
        if (line->chars[i] == ':')
            check_scheme(&finder, i);
    }
    for (size_t i = 0; i < line->count;) {
        if (!starts_name(line, i)) {
            i++;
            continue;
        }
        if (alphabet_is_digit(line->chars[i]))
            check_numeric(&finder, i);
        i = line->dots > 0 ? check_name(&finder, i) : i + 1;
    }
}
