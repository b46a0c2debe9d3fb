/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of rules files, one function each
 *
 * What words and phrases mean is not decided here, but where they are compiled. */
#include "moderation/rule_keyword.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/screen.h"
#include "protocol/xalloc.h"

enum { REASON_MAX = 40 };

static struct rule_item *add_item(struct rule_parser *parser, enum rule_item_kind kind,
                                  const char *text, size_t length)
{
    struct rule *rule = parser->rule;

    if (rule->item_count == rule->item_capacity) {
        rule->item_capacity = rule->item_capacity ? rule->item_capacity * 2 : 8;
        rule->items = xreallocarray(rule->items, rule->item_capacity, sizeof(*rule->items));
    }
    rule->items[rule->item_count] = (struct rule_item){.kind = kind,
                                                       .line = parser->line,
                                                       .column = parser->column,
                                                       .text = xmemdup(text, length),
                                                       .length = length};
    return &rule->items[rule->item_count++];
}

static bool read_string(struct rule_parser *parser, char **field, const char *value,
                        const char *what)
{
    if (*field)
        return RULE_FAIL(parser, "a second %s", what);
    if (!*value)
        return RULE_FAIL(parser, "%s is empty", what);
    *field = xstrdup(value);
    return true;
}

static bool read_name(struct rule_parser *parser, char *value)
{
    return read_string(parser, &parser->rule->name, value, "name");
}

static bool read_locale(struct rule_parser *parser, char *value)
{
    return read_string(parser, &parser->rule->locale, value, "locale");
}

static bool read_reason(struct rule_parser *parser, char *value)
{
    if (strlen(value) > REASON_MAX ||
        value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789._")] != '\0')
        return RULE_FAIL(parser, "a reason is a code of up to %d of a-z 0-9 . _", REASON_MAX);
    return read_string(parser, &parser->rule->reason, value, "reason");
}

static bool read_label(struct rule_parser *parser, char *value)
{
    if (parser->rule->has_label)
        return RULE_FAIL(parser, "a second label");
    if (!label_parse(&parser->rule->label, value))
        return RULE_FAIL(parser, "unknown label '%.40s'", value);
    parser->rule->has_label = true;
    return true;
}

static bool read_choice(struct rule_parser *parser, const char *value, const char *const names[],
                        size_t count, const char *what, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], value) == 0) {
            *out = (int)i;
            return true;
        }
    }
    return RULE_FAIL(parser, "unknown %s '%.40s'", what, value);
}

static bool read_action(struct rule_parser *parser, char *value)
{
    static const char *const names[] = {"flag", "hold", "block"};
    int choice = 0;

    if (!read_choice(parser, value, names, 3, "action", &choice))
        return false;
    parser->rule->action = (enum rule_action)choice;
    parser->rule->has_action = true;
    return true;
}

static bool read_state(struct rule_parser *parser, char *value)
{
    static const char *const names[] = {"off", "shadow", "on"};
    int choice = 0;

    if (!read_choice(parser, value, names, 3, "state", &choice))
        return false;
    parser->rule->state = (enum rule_state)choice;
    parser->rule->has_state = true;
    return true;
}

static bool read_number(struct rule_parser *parser, const char *value, long most, long *out)
{
    char *end;

    if (!isdigit((unsigned char)*value))
        return RULE_FAIL(parser, "'%.40s' is no number", value);
    *out = strtol(value, &end, 10);
    if (*end || *out > most)
        return RULE_FAIL(parser, "'%.40s' is not a number from 0 to %ld", value, most);
    return true;
}

static bool read_severity(struct rule_parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 4, &number))
        return false;
    parser->rule->severity = (int)number;
    parser->rule->has_severity = true;
    return true;
}

static bool read_ceiling(struct rule_parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 10000, &number))
        return false;
    parser->rule->ceiling = (unsigned)number;
    parser->rule->has_ceiling = true;
    return true;
}

/* Calls `each` for every blank-separated part of `value`. */
static bool read_parts(struct rule_parser *parser, char *value,
                       bool (*each)(struct rule_parser *parser, char *part))
{
    char *save = NULL;

    for (char *part = strtok_r(value, " \t", &save); part; part = strtok_r(NULL, " \t", &save)) {
        rule_parser_at(parser, part);
        if (!each(parser, part))
            return false;
    }
    return true;
}

static bool read_one_role(struct rule_parser *parser, char *part)
{
    static const char *const names[] = {"student", "teacher", "other"};
    int choice = 0;

    if (!read_choice(parser, part, names, 3, "role", &choice))
        return false;
    parser->rule->conditions.roles |= 1U << choice;
    return true;
}

static bool read_role(struct rule_parser *parser, char *value)
{
    return read_parts(parser, value, read_one_role);
}

static bool read_booked(struct rule_parser *parser, char *value)
{
    static const char *const names[] = {"no", "yes"};
    int choice = 0;

    if (!read_choice(parser, value, names, 2, "answer to booked", &choice))
        return false;
    parser->rule->conditions.if_not_booked = choice == 0;
    parser->rule->conditions.if_booked = choice == 1;
    return true;
}

static bool read_first_messages(struct rule_parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000, &number))
        return false;
    parser->rule->conditions.first_messages = (uint32_t)number;
    return true;
}

static bool read_room_younger(struct rule_parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000000, &number))
        return false;
    parser->rule->conditions.room_younger_s = number;
    return true;
}

static bool read_word(struct rule_parser *parser, char *part)
{
    add_item(parser, ITEM_WORD, part, strlen(part));
    return true;
}

static bool read_words(struct rule_parser *parser, char *value)
{
    return read_parts(parser, value, read_word);
}

static bool read_one_except(struct rule_parser *parser, char *part)
{
    add_item(parser, ITEM_EXCEPT, part, strlen(part));
    return true;
}

static bool read_except(struct rule_parser *parser, char *value)
{
    return read_parts(parser, value, read_one_except);
}

static bool read_one_host(struct rule_parser *parser, char *part)
{
    add_item(parser, ITEM_HOST, part, strlen(part));
    return true;
}

static bool read_hosts(struct rule_parser *parser, char *value)
{
    return read_parts(parser, value, read_one_host);
}

static bool read_phrase(struct rule_parser *parser, char *value)
{
    add_item(parser, ITEM_PHRASE, value, strlen(value));
    return true;
}

static bool read_pattern(struct rule_parser *parser, char *value)
{
    add_item(parser, ITEM_PATTERN, value, strlen(value));
    return true;
}

static bool read_offences(struct rule_parser *parser, char *value)
{
    long number;

    if (!read_number(parser, value, 1000000, &number))
        return false;
    parser->rule->conditions.offences = (uint32_t)number;
    return true;
}

static bool read_detector(struct rule_parser *parser, char *value)
{
    enum detector detector;

    if (!detector_parse(&detector, value))
        return RULE_FAIL(parser, "unknown detector '%.40s'", value);
    add_item(parser, ITEM_DETECTOR, value, strlen(value));
    return true;
}

static bool read_match(struct rule_parser *parser, char *value)
{
    add_item(parser, ITEM_MATCH, value, strlen(value));
    return true;
}

static bool read_clean(struct rule_parser *parser, char *value)
{
    add_item(parser, ITEM_CLEAN, value, strlen(value));
    return true;
}

static const struct keyword {
    const char *name;
    bool (*read)(struct rule_parser *parser, char *value);
    bool in_override; /* a setting, which an override may change */
} keywords[] = {
    {"name", read_name, false},
    {"label", read_label, false},
    {"reason", read_reason, false},
    {"action", read_action, true},
    {"severity", read_severity, true},
    {"state", read_state, true},
    {"locale", read_locale, false},
    {"ceiling", read_ceiling, true},
    {"role", read_role, false},
    {"booked", read_booked, false},
    {"first-messages", read_first_messages, false},
    {"room-younger", read_room_younger, false},
    {"offences", read_offences, false},
    {"words", read_words, false},
    {"except", read_except, false},
    {"hosts", read_hosts, false},
    {"phrase", read_phrase, false},
    {"pattern", read_pattern, false},
    {"detector", read_detector, false},
    {"match", read_match, false},
    {"clean", read_clean, false},
};

bool rule_keyword_read(struct rule_parser *parser, const char *name, char *value)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(keywords[i].name, name) != 0)
            continue;
        if (parser->rule->override && !keywords[i].in_override)
            return RULE_FAIL(parser, "an override changes state, action, severity or ceiling only");
        rule_parser_at(parser, value);
        return keywords[i].read(parser, value);
    }
    return RULE_FAIL(parser, "unknown keyword '%.40s'", name);
}
