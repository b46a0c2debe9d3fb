/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of rules files
 *
 * The format is for people who review rules as they review code: one statement a line, a keyword
 * and its arguments; a rule starts with "rule ID" and goes on to the next. Nothing is guessed: an
 * unknown keyword, a second label, a rule that could never match, each is an error with its line
 * and column. A rule keeps its own text, with the comments above it, so that what was imported can
 * be exported as it was written.
 */
#include "moderation/rule_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/rule_keyword.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum { LINE_MAX_BYTES = 4096, RULES_MAX = 100000, ITEMS_MAX = 20000, ID_MAX = 64 };

bool rule_error_set(struct rule_error *error, const char *source, unsigned line, unsigned column,
                    const char *format, ...)
{
    va_list args;

    snprintf(error->source, sizeof(error->source), "%s", source);
    error->line = line;
    error->column = column;
    va_start(args, format);
    vsnprintf(error->reason, sizeof(error->reason), format, args);
    va_end(args);
    return false;
}

void rule_parser_at(struct rule_parser *parser, const char *place)
{
    size_t before = (size_t)(place - parser->line_text);

    parser->column = (unsigned)utf8_count(parser->line_text, before) + 1;
}

/* ---- the text of a rule ---- */

/* A rule's text goes from behind the last statement of the one before to its own last one. */
struct block {
    const char *source;
    size_t from, to; /* bytes */
};

static char *block_text(const struct block *block)
{
    size_t from = block->from, to = block->to;
    const char *text = block->source;

    /* Blank lines around it are nobody's. */
    for (size_t i = from; i < to && strchr(" \t\r\n", text[i]); i++) {
        if (text[i] == '\n')
            from = i + 1;
    }
    while (to > from && strchr(" \t\r\n", text[to - 1]))
        to--;
    char *out = xmalloc(to - from + 2);
    memcpy(out, text + from, to - from);
    out[to - from] = '\n';
    out[to - from + 1] = '\0';
    return out;
}

/* ---- rules ---- */

static bool id_is_good(const char *id)
{
    size_t n = strlen(id);

    if (n == 0 || n > ID_MAX)
        return false;
    return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static bool start_rule(struct rule_parser *parser, const char *id, bool override, unsigned column)
{
    struct rule_list *list = parser->list;

    rule_parser_at(parser, id);
    if (!id_is_good(id))
        return RULE_FAIL(parser, "a rule's id is 1 to %d of a-z 0-9 . _ -", ID_MAX);
    if (list->count == RULES_MAX)
        return RULE_FAIL(parser, "more than %d rules", RULES_MAX);
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->rules = xreallocarray(list->rules, list->capacity, sizeof(*list->rules));
    }
    parser->rule = &list->rules[list->count++];
    *parser->rule = (struct rule){.id = xstrdup(id),
                                  .override = override,
                                  .source = xstrdup(parser->source),
                                  .line = parser->line,
                                  .column = column,
                                  .action = RULE_HOLD,
                                  .state = RULE_ON};
    return true;
}

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

#define FAIL_RULE(parser, ...)                                                                     \
    rule_error_set((parser)->error, (parser)->source, (parser)->rule->line,                        \
                   (parser)->rule->column, __VA_ARGS__)

static bool finish_override(struct rule_parser *parser)
{
    const struct rule *rule = parser->rule;

    if (rule->has_state || rule->has_action || rule->has_severity || rule->has_ceiling)
        return true;
    return FAIL_RULE(parser, "override %s changes nothing", rule->id);
}

/* Checks a rule that is complete, and fills in what it left to its label. */
static bool finish_rule(struct rule_parser *parser, const struct block *block)
{
    struct rule *rule = parser->rule;

    if (!rule)
        return true;
    rule->text = block_text(block);
    if (rule->override)
        return finish_override(parser);
    if (!rule->has_label)
        return FAIL_RULE(parser, "rule %s has no label", rule->id);
    if (!has_matcher(rule))
        return FAIL_RULE(parser,
                         "rule %s matches nothing: it has no words, phrase, pattern or detector",
                         rule->id);
    if (rule->item_count > ITEMS_MAX)
        return FAIL_RULE(parser, "rule %s has more than %d lines", rule->id, ITEMS_MAX);
    if (rule->action > label_highest_action(rule->label))
        return FAIL_RULE(parser, "rule %s: label %s only ever holds", rule->id,
                         label_name(rule->label));
    if (!rule->has_severity)
        rule->severity = label_severity(rule->label);
    return true;
}

/* ---- lines ---- */

static bool is_statement(const char *line)
{
    line += strspn(line, " \t\r");
    return *line != '\0' && *line != '#';
}

/* `line` is a copy without its end, and is written into. */
static bool read_statement(struct rule_parser *parser, struct block *block, char *line)
{
    char *end = line + strlen(line), *name = line + strspn(line, " \t");
    bool override;

    while (end > name && strchr(" \t\r", end[-1]))
        *--end = '\0';
    char *value = name + strcspn(name, " \t");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    rule_parser_at(parser, name);
    override = strcmp(name, "override") == 0;
    if (override || strcmp(name, "rule") == 0) {
        unsigned column = parser->column;

        if (!finish_rule(parser, block))
            return false;
        if (parser->rule)
            block->from = block->to;
        return start_rule(parser, value, override, column);
    }
    if (!parser->rule)
        return RULE_FAIL(parser, "'%.40s' before the first rule", name);
    return rule_keyword_read(parser, name, value);
}

static bool read_line(struct rule_parser *parser, struct block *block, const char *text,
                      size_t length)
{
    char line[LINE_MAX_BYTES + 1];

    parser->line++;
    parser->line_text = line;
    parser->column = 1;
    if (length > LINE_MAX_BYTES || memchr(text, '\0', length))
        return RULE_FAIL(parser, "longer than %d bytes, or has a NUL", LINE_MAX_BYTES);
    memcpy(line, text, length);
    line[length] = '\0';
    if (!is_statement(line))
        return true;
    if (!read_statement(parser, block, line))
        return false;
    block->to = (size_t)(text - block->source) + length;
    return true;
}

bool rule_file_parse(struct rule_list *list, const struct rule_source *source,
                     struct rule_error *error)
{
    struct rule_parser parser = {.list = list, .source = source->name, .error = error};
    struct block block = {.source = source->text};
    size_t at = 0;

    if (!utf8_valid(source->text, source->length))
        return rule_error_set(error, source->name, 0, 0, "not UTF-8");
    while (at < source->length) {
        const char *text = source->text + at;
        const char *newline = memchr(text, '\n', source->length - at);
        size_t length = newline ? (size_t)(newline - text) : source->length - at;

        if (!read_line(&parser, &block, text, length))
            return false;
        at += length + (newline ? 1 : 0);
    }
    block.to = source->length;
    return finish_rule(&parser, &block);
}
