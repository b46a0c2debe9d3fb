/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of rules files
 *
 * The format is for people who review rules as they review code: one statement a line, a keyword
 * and its arguments; a rule starts with "rule ID" and goes on to the next. Nothing is guessed: an
 * unknown keyword, a second label, a rule that could never match, each is an error with its line.
 * What words and phrases mean is not decided here, but where they are compiled.
 */
#include "moderation/rule_file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/screen.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum { LINE_MAX_BYTES = 4096, RULES_MAX = 100000, ITEMS_MAX = 20000, ID_MAX = 64 };

struct parser {
    struct rule_list *list;
    struct rule *rule; /* the one being read, or NULL */
    const char *source;
    unsigned line;
    struct rule_error *error;
};

bool rule_error_set(struct rule_error *error, const char *source, unsigned line, const char *format,
                    ...)
{
    va_list args;

    snprintf(error->source, sizeof(error->source), "%s", source);
    error->line = line;
    va_start(args, format);
    vsnprintf(error->reason, sizeof(error->reason), format, args);
    va_end(args);
    return false;
}

/* False in sight of the compiler, so that it sees that nothing unset is used behind a FAIL. */
#define FAIL(parser, ...)                                                                          \
    (rule_error_set((parser)->error, (parser)->source, (parser)->line, __VA_ARGS__), false)

static struct rule_item *add_item(struct parser *parser, enum rule_item_kind kind, const char *text,
                                  size_t length)
{
    struct rule *rule = parser->rule;

    if (rule->item_count == rule->item_capacity) {
        rule->item_capacity = rule->item_capacity ? rule->item_capacity * 2 : 8;
        rule->items = xreallocarray(rule->items, rule->item_capacity, sizeof(*rule->items));
    }
    rule->items[rule->item_count] = (struct rule_item){
        .kind = kind, .line = parser->line, .text = xmemdup(text, length), .length = length};
    return &rule->items[rule->item_count++];
}

static bool id_is_good(const char *id)
{
    size_t n = strlen(id);

    if (n == 0 || n > ID_MAX)
        return false;
    return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static bool start_rule(struct parser *parser, const char *id)
{
    struct rule_list *list = parser->list;

    if (!id_is_good(id))
        return FAIL(parser, "a rule's id is 1 to %d of a-z 0-9 . _ -", ID_MAX);
    if (list->count == RULES_MAX)
        return FAIL(parser, "more than %d rules", RULES_MAX);
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->rules = xreallocarray(list->rules, list->capacity, sizeof(*list->rules));
    }
    parser->rule = &list->rules[list->count++];
    *parser->rule = (struct rule){.id = xstrdup(id),
                                  .source = xstrdup(parser->source),
                                  .line = parser->line,
                                  .action = RULE_HOLD,
                                  .state = RULE_ON};
    return true;
}

/* ---- one function per keyword ---- */

static bool read_string(struct parser *parser, char **field, const char *value, const char *what)
{
    if (*field)
        return FAIL(parser, "a second %s", what);
    if (!*value)
        return FAIL(parser, "%s is empty", what);
    *field = xstrdup(value);
    return true;
}

static bool read_name(struct parser *parser, char *value)
{
    return read_string(parser, &parser->rule->name, value, "name");
}

static bool read_locale(struct parser *parser, char *value)
{
    return read_string(parser, &parser->rule->locale, value, "locale");
}

static bool read_reason(struct parser *parser, char *value)
{
    return read_string(parser, &parser->rule->reason, value, "reason");
}

static bool read_label(struct parser *parser, char *value)
{
    if (parser->rule->has_label)
        return FAIL(parser, "a second label");
    if (!label_parse(&parser->rule->label, value))
        return FAIL(parser, "unknown label '%.40s'", value);
    parser->rule->has_label = true;
    return true;
}

static bool read_choice(struct parser *parser, const char *value, const char *const names[],
                        size_t count, const char *what, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], value) == 0) {
            *out = (int)i;
            return true;
        }
    }
    return FAIL(parser, "unknown %s '%.40s'", what, value);
}

static bool read_action(struct parser *parser, char *value)
{
    static const char *const names[] = {"flag", "hold", "block"};
    int choice = 0;

    if (!read_choice(parser, value, names, 3, "action", &choice))
        return false;
    parser->rule->action = (enum rule_action)choice;
    parser->rule->has_action = true;
    return true;
}

static bool read_state(struct parser *parser, char *value)
{
    static const char *const names[] = {"off", "shadow", "on"};
    int choice = 0;

    if (!read_choice(parser, value, names, 3, "state", &choice))
        return false;
    parser->rule->state = (enum rule_state)choice;
    return true;
}

static bool read_number(struct parser *parser, const char *value, long most, long *out)
{
    char *end;

    if (!isdigit((unsigned char)*value))
        return FAIL(parser, "'%.40s' is no number", value);
    *out = strtol(value, &end, 10);
    if (*end || *out > most)
        return FAIL(parser, "'%.40s' is not a number from 0 to %ld", value, most);
    return true;
}

static bool read_severity(struct parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 4, &number))
        return false;
    parser->rule->severity = (int)number;
    parser->rule->has_severity = true;
    return true;
}

static bool read_ceiling(struct parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 10000, &number))
        return false;
    parser->rule->ceiling = (unsigned)number;
    return true;
}

/* Calls `each` for every blank-separated part of `value`. */
static bool read_parts(struct parser *parser, char *value,
                       bool (*each)(struct parser *parser, char *part))
{
    char *save = NULL;

    for (char *part = strtok_r(value, " \t", &save); part; part = strtok_r(NULL, " \t", &save)) {
        if (!each(parser, part))
            return false;
    }
    return true;
}

static bool read_one_role(struct parser *parser, char *part)
{
    static const char *const names[] = {"student", "teacher", "other"};
    int choice = 0;

    if (!read_choice(parser, part, names, 3, "role", &choice))
        return false;
    parser->rule->conditions.roles |= 1U << choice;
    return true;
}

static bool read_role(struct parser *parser, char *value)
{
    return read_parts(parser, value, read_one_role);
}

static bool read_booked(struct parser *parser, char *value)
{
    static const char *const names[] = {"no", "yes"};
    int choice = 0;

    if (!read_choice(parser, value, names, 2, "answer to booked", &choice))
        return false;
    parser->rule->conditions.if_not_booked = choice == 0;
    parser->rule->conditions.if_booked = choice == 1;
    return true;
}

static bool read_first_messages(struct parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000, &number))
        return false;
    parser->rule->conditions.first_messages = (uint32_t)number;
    return true;
}

static bool read_room_younger(struct parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000000, &number))
        return false;
    parser->rule->conditions.room_younger_s = number;
    return true;
}

static bool read_word(struct parser *parser, char *part)
{
    add_item(parser, ITEM_WORD, part, strlen(part));
    return true;
}

static bool read_words(struct parser *parser, char *value)
{
    return read_parts(parser, value, read_word);
}

static bool read_one_except(struct parser *parser, char *part)
{
    add_item(parser, ITEM_EXCEPT, part, strlen(part));
    return true;
}

static bool read_except(struct parser *parser, char *value)
{
    return read_parts(parser, value, read_one_except);
}

static bool read_one_host(struct parser *parser, char *part)
{
    add_item(parser, ITEM_HOST, part, strlen(part));
    return true;
}

static bool read_hosts(struct parser *parser, char *value)
{
    return read_parts(parser, value, read_one_host);
}

static bool read_phrase(struct parser *parser, char *value)
{
    add_item(parser, ITEM_PHRASE, value, strlen(value));
    return true;
}

static bool read_pattern(struct parser *parser, char *value)
{
    add_item(parser, ITEM_PATTERN, value, strlen(value));
    return true;
}

static bool read_offences(struct parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000, &number))
        return false;
    parser->rule->conditions.offences = (uint32_t)number;
    return true;
}

static bool read_detector(struct parser *parser, char *value)
{
    enum detector detector;

    if (!detector_parse(&detector, value))
        return FAIL(parser, "unknown detector '%.40s'", value);
    add_item(parser, ITEM_DETECTOR, value, strlen(value));
    return true;
}

static bool read_match(struct parser *parser, char *value)
{
    add_item(parser, ITEM_MATCH, value, strlen(value));
    return true;
}

static bool read_clean(struct parser *parser, char *value)
{
    add_item(parser, ITEM_CLEAN, value, strlen(value));
    return true;
}

static const struct keyword {
    const char *name;
    bool (*read)(struct parser *parser, char *value);
} keywords[] = {
    {"name", read_name},
    {"label", read_label},
    {"reason", read_reason},
    {"action", read_action},
    {"severity", read_severity},
    {"state", read_state},
    {"locale", read_locale},
    {"ceiling", read_ceiling},
    {"role", read_role},
    {"booked", read_booked},
    {"first-messages", read_first_messages},
    {"room-younger", read_room_younger},
    {"offences", read_offences},
    {"words", read_words},
    {"except", read_except},
    {"hosts", read_hosts},
    {"phrase", read_phrase},
    {"pattern", read_pattern},
    {"detector", read_detector},
    {"match", read_match},
    {"clean", read_clean},
};

/* ---- lines ---- */

static bool has_matcher(const struct rule *rule)
{
    for (size_t i = 0; i < rule->item_count; i++) {
        switch (rule->items[i].kind) {
        case ITEM_WORD:
        case ITEM_PHRASE:
        case ITEM_PATTERN:
        case ITEM_DETECTOR:
            return true;
        case ITEM_EXCEPT:
        case ITEM_HOST:
        case ITEM_MATCH:
        case ITEM_CLEAN:
            break;
        }
    }
    return false;
}

/* Checks a rule that is complete, and fills in what it left to its label. */
static bool finish_rule(struct parser *parser)
{
    struct rule *rule = parser->rule;

    if (!rule)
        return true;
    if (!rule->has_label)
        return rule_error_set(parser->error, parser->source, rule->line, "rule %s has no label",
                              rule->id);
    if (!has_matcher(rule))
        return rule_error_set(
            parser->error, parser->source, rule->line,
            "rule %s matches nothing: it has no words, phrase, pattern or detector", rule->id);
    if (rule->item_count > ITEMS_MAX)
        return rule_error_set(parser->error, parser->source, rule->line,
                              "rule %s has more than %d lines", rule->id, ITEMS_MAX);
    if (rule->action > label_highest_action(rule->label))
        return rule_error_set(parser->error, parser->source, rule->line,
                              "rule %s: label %s only ever holds", rule->id,
                              label_name(rule->label));
    if (!rule->has_severity)
        rule->severity = label_severity(rule->label);
    return true;
}

static bool parse_statement(struct parser *parser, char *line)
{
    char *value = line + strcspn(line, " \t");

    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    if (strcmp(line, "rule") == 0)
        return finish_rule(parser) && start_rule(parser, value);
    if (!parser->rule)
        return FAIL(parser, "'%.40s' before the first rule", line);
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(keywords[i].name, line) == 0)
            return keywords[i].read(parser, value);
    }
    return FAIL(parser, "unknown keyword '%.40s'", line);
}

/* `line` is a copy without its end. */
static bool parse_line(struct parser *parser, char *line)
{
    char *end = line + strlen(line);

    line += strspn(line, " \t");
    if (*line == '#')
        return true;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = '\0';
    return *line == '\0' || parse_statement(parser, line);
}

bool rule_file_parse(struct rule_list *list, const struct rule_source *source,
                     struct rule_error *error)
{
    struct parser parser = {.list = list, .source = source->name, .error = error};
    const char *text = source->text;
    size_t left = source->length;

    if (!utf8_valid(text, left))
        return rule_error_set(error, source->name, 0, "not UTF-8");
    while (left > 0) {
        const char *newline = memchr(text, '\n', left);
        size_t length = newline ? (size_t)(newline - text) : left;
        char line[LINE_MAX_BYTES + 1];

        parser.line++;
        if (length > LINE_MAX_BYTES || memchr(text, '\0', length))
            return FAIL(&parser, "longer than %d bytes, or has a NUL", LINE_MAX_BYTES);
        memcpy(line, text, length);
        line[length] = '\0';
        if (!parse_line(&parser, line))
            return false;
        text += length + (newline ? 1 : 0);
        left -= length + (newline ? 1 : 0);
    }
    return finish_rule(&parser);
}
