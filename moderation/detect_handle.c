/* SPDX-License-Identifier: Apache-2.0 */
/* Names in messengers and networks
 *
 * A name looks like nothing in particular ("lera2007", "ivan.petrov"), so it needs a word beside it
 * that says where it is a name: a messenger, "my nick". How plain the word and how strange the name
 * must be depend on each other: after "telegram:" any Latin word is a name, after "вк" only one
 * with digits or signs in it.
 */
#include "moderation/detect_handle.h"

#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/host_name.h"
#include "moderation/lexicon.h"
#include "moderation/match_list.h"
#include "moderation/word_view.h"

enum {
    NAME_MIN = 4,
    NAME_MAX = 40,
    ODD_LETTERS_MIN = 2,
    WORD_MIN = 5,      /* letters of a name that could be a word */
    LONG_WORD_MIN = 8, /* of one that hardly is, in a text of few words */
    SHORT_TEXT = 3,
    NEAR = 4,
    CLOSE = 3,
};

enum certainty { NO_NAME, DOUBTFUL, CERTAIN };

struct name {
    size_t from, to; /* characters, without the at sign */
    size_t letters, digits, signs;
    bool at;                       /* an at sign before it */
    bool colon;                    /* a colon before it */
    bool tag;                      /* #1234 behind it */
    bool foreign;                  /* right after a messenger's name in Cyrillic */
    size_t words;                  /* of the whole text */
    uint32_t own;                  /* signs of its own words */
    uint32_t before, after, close; /* signs of the words around */
    uint32_t anywhere;             /* signs of the whole text */
};

static bool is_name_char(uint8_t ch)
{
    return address_is_alnum(ch) || ch == '_' || ch == '.' || ch == '-';
}

static bool is_in(const char *text, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

/* Names of files are no names of people. */
static bool is_file(const char *text)
{
    static const char *const endings[] = {
        "pdf",  "doc",  "docx", "jpg",  "jpeg", "png",  "txt",  "mp3", "mp4",  "zip", "rar",
        "xls",  "xlsx", "ppt",  "pptx", "py",   "js",   "html", "css", "java", "cpp", "exe",
        "json", "csv",  "md",   "h",    "c",    "conf", "log",  "sh",  "gif",  "svg", "so"};
    const char *dot = strrchr(text, '.');

    return dot && is_in(dot + 1, endings, sizeof(endings) / sizeof(endings[0]));
}

/* Words that stand beside a messenger's name, or after an at sign, and are nobody. */
static bool is_product_word(const char *text)
{
    static const char *const words[] = {
        "desktop",  "premium", "web",          "nitro",       "server",     "messenger", "business",
        "online",   "beta",    "lite",         "channel",     "channels",   "stories",   "reels",
        "group",    "groups",  "chat",         "chats",       "call",       "calls",     "video",
        "meeting",  "lesson",  "lessons",      "today",       "tomorrow",   "later",     "please",
        "about",    "because", "which",        "there",       "their",      "where",     "would",
        "could",    "should",  "doesn",        "works",       "working",    "group",     "instead",
        "during",   "after",   "before",       "param",       "return",     "returns",   "override",
        "media",    "import",  "author",       "since",       "deprecated", "property",  "include",
        "everyone", "channel", "staticmethod", "classmethod", "angular",    "types",     "iphone",
        "android",  "windows", "linux",        "account",     "accounts",   "message",   "messages",
        "number",   "profile", "contact",      "contacts",    "username",   "login",     "password",
        "email",    "phone",   "english",      "math",        "maths",      "grammar",   "homework",
        "student",  "teacher", "teachers",     "students",
    };

    return is_in(text, words, sizeof(words) / sizeof(words[0]));
}

static bool measure(const struct address_view *line, struct name *name)
{
    char text[NAME_MAX + 1];

    for (size_t i = name->from; i < name->to; i++) {
        uint8_t ch = line->chars[i];

        name->letters += alphabet_is_latin(ch);
        name->digits += alphabet_is_digit(ch);
        name->signs += ch == '_' || ch == '.';
    }
    if (name->letters < ODD_LETTERS_MIN ||
        !address_view_text(line, name->from, name->to, text, sizeof(text)))
        return false;
    return !is_file(text) && !is_product_word(text);
}

/* No word of any language looks like this. A hyphen alone proves nothing. */
static bool is_odd(const struct name *name)
{
    return name->tag || name->digits + name->signs > 0;
}

static enum certainty judge_at(const struct name *name)
{
    uint32_t around = name->before | name->after;

    if (around & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK | SIGN_NICK))
        return CERTAIN;
    if (name->digits + name->signs > 0)
        return around & (SIGN_REACH | SIGN_PERSON) ? CERTAIN : DOUBTFUL;
    return name->letters >= WORD_MIN ? DOUBTFUL : NO_NAME;
}

static enum certainty judge_word(const struct name *name)
{
    uint32_t around = name->before | name->after;
    bool asked = (around & (SIGN_PERSON | SIGN_REACH | SIGN_NICK)) != 0;

    if (is_odd(name)) {
        if (around & SIGN_MESSENGER)
            return CERTAIN;
        if (name->close & SIGN_MESSENGER_WEAK)
            return name->colon || asked ? CERTAIN : DOUBTFUL;
        return (name->close & SIGN_NICK) && (name->before & SIGN_PERSON) ? CERTAIN : NO_NAME;
    }
    if (name->letters < WORD_MIN)
        return NO_NAME;
    if (name->colon && (name->close & SIGN_MESSENGER))
        return CERTAIN;
    if ((name->close & SIGN_NICK) && (name->anywhere & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK)))
        return DOUBTFUL;
    bool alone = name->letters >= LONG_WORD_MIN && name->words <= SHORT_TEXT;
    return (name->close & SIGN_MESSENGER) && (asked || alone || name->foreign) ? DOUBTFUL : NO_NAME;
}

/* The character before the name, blanks aside. */
static uint8_t char_before(const struct address_view *line, size_t at)
{
    while (at > 0 && line->chars[at - 1] == ' ')
        at--;
    return at > 0 ? line->chars[at - 1] : '\n';
}

static void look_around(const struct address_view *line, const struct word_view *words,
                        struct name *name)
{
    uint32_t first = line->first[name->from], last = line->last[name->to - 1];
    size_t from = word_view_token_at(words, first), to = word_view_token_at(words, last);

    name->before = word_view_signs_near(words, first, last, NEAR, 0);
    name->after = word_view_signs_near(words, first, last, 0, NEAR);
    name->close = word_view_signs_near(words, first, last, CLOSE, CLOSE);
    name->foreign = from > 0 && (words->tokens[from - 1].signs & SIGN_MESSENGER) &&
                    alphabet_is_cyrillic(words->text->units[words->tokens[from - 1].first].own);
    for (size_t i = from; i <= to && i < words->token_count; i++)
        name->own |= words->tokens[i].signs;
}

static bool has_tag(const struct address_view *line, size_t at)
{
    if (line->chars[at] != '#')
        return false;
    for (size_t i = 1; i <= 4; i++) {
        if (!alphabet_is_digit(line->chars[at + i]))
            return false;
    }
    return true;
}

/* "телеграм собака ivan_77" is a name in Telegram, not an address there. */
static bool is_said_after_messenger(const struct address_view *line, const struct word_view *words,
                                    size_t at)
{
    size_t token = word_view_token_at(words, line->first[at]);

    return (line->marks[at] & ADDRESS_SAID) && token > 0 &&
           (words->tokens[token - 1].signs & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK));
}

static void check_name(const struct address_view *line, size_t from, size_t to,
                       const struct word_view *words, struct match_list *matches)
{
    uint8_t before = from > 0 ? line->chars[from - 1] : ' ';
    bool address = before == '@' && from > 1 && address_is_letter_or_digit(line->chars[from - 2]) &&
                   !is_said_after_messenger(line, words, from - 1);
    struct name name = {.from = from,
                        .to = to,
                        .at = before == '@' && !(line->marks[from - 1] & ADDRESS_SAID),
                        .colon = char_before(line, from) == ':',
                        .tag = has_tag(line, to),
                        .words = words->token_count,
                        .anywhere = words->signs};

    if (to - from < NAME_MIN || to - from > NAME_MAX || address || before == '/' ||
        line->chars[to] == '@' || line->chars[to] == '/' || line->chars[to] == '(' ||
        !measure(line, &name))
        return;
    look_around(line, words, &name);
    if (name.own & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK))
        return;
    enum certainty certainty = name.at ? judge_at(&name) : judge_word(&name);
    if (certainty != NO_NAME)
        match_list_add_detector(
            matches, certainty == CERTAIN ? DETECTOR_HANDLE : DETECTOR_HANDLE_DOUBTFUL,
            &(struct match_place){.from = text_view_from(words->text, line->first[from - name.at]),
                                  .to = text_view_to(words->text, line->last[to - 1])});
}

void detect_handle(const struct address_view *line, const struct word_view *words,
                   struct match_list *matches)
{
    if (line->at_signs == 0 && !(words->signs & (SIGN_MESSENGER | SIGN_MESSENGER_WEAK | SIGN_NICK)))
        return;
    for (size_t i = 0; i < line->count;) {
        size_t end = i;

        while (is_name_char(line->chars[end]))
            end++;
        size_t next = end + 1;
        while (i < end && !address_is_alnum(line->chars[i]))
            i++;
        while (end > i && !address_is_alnum(line->chars[end - 1]) && line->chars[end - 1] != '_')
            end--;
        if (end > i)
            check_name(line, i, end, words, matches);
        i = next;
    }
}
