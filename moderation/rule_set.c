/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled set of moderation rules
 *
 * Compilation takes the parsed files and makes one literal database of everything that is looked
 * for: the words of all rules, the key words of phrases, and the engine's own lexicon. A set is
 * immutable once it is made, so that threads and in-flight screenings share it by reference, and a
 * new one replaces it in one assignment; no message is ever screened by half of one.
 *
 * A set is only handed out when every example in it behaves (rule_check.c).
 */
#include "moderation/rule_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/lexicon.h"
#include "moderation/pattern_matcher.h"
#include "moderation/rule_check.h"
#include "moderation/rule_compiled.h"
#include "moderation/rule_file.h"
#include "moderation/rule_golden.h"
#include "protocol/xalloc.h"

struct compiler {
    struct rule_set *set;
    struct word_matcher_builder *builders[LAYER_COUNT], *builder; /* one of them */
    bool layered;
    const struct rule_cache *cache;
    struct rule_error *error;
    uint32_t rule;
};

static void add_literal(void *context, const struct word_pattern *pattern)
{
    const struct compiler *compiler = context;

    word_matcher_add(compiler->builder, pattern, compiler->rule);
}

static void add_except(void *context, const struct word_pattern *pattern)
{
    const struct compiler *compiler = context;
    struct rule_excepts *excepts = &compiler->set->excepts[compiler->rule];

    if ((excepts->count & (excepts->count - 1)) == 0)
        excepts->patterns = xreallocarray(
            excepts->patterns, excepts->count ? excepts->count * 2 : 1, sizeof(*excepts->patterns));
    excepts->patterns[excepts->count++] = *pattern;
}

static const char *add_phrase(struct compiler *compiler, const struct rule_item *item)
{
    struct rule_set *set = compiler->set;

    if ((set->phrase_count & (set->phrase_count - 1)) == 0)
        set->phrases = xreallocarray(set->phrases, set->phrase_count ? set->phrase_count * 2 : 1,
                                     sizeof(*set->phrases));
    struct rule_phrase *phrase = &set->phrases[set->phrase_count++];
    phrase->rule = compiler->rule;
    const char *why = phrase_parse(&phrase->phrase, item->text, item->length);
    if (why)
        return why;
    const struct phrase_element *key = &phrase->phrase.elements[phrase->phrase.key];
    for (size_t i = 0; i < key->count; i++)
        word_matcher_add(compiler->builder, &key->patterns[i],
                         (uint32_t)TAG_PHRASE << TAG_SHIFT | (uint32_t)(set->phrase_count - 1));
    return NULL;
}

static const char *add_detector(struct compiler *compiler, const struct rule_item *item)
{
    enum detector detector;

    if (!detector_parse(&detector, item->text))
        return "unknown detector";
    struct detector_rules *rules = &compiler->set->detectors[detector];
    rules->rules = xreallocarray(rules->rules, rules->count + 1, sizeof(*rules->rules));
    rules->rules[rules->count++] = compiler->rule;
    return NULL;
}

static const char *add_host(struct compiler *compiler, const struct rule_item *item)
{
    struct rule_set *set = compiler->set;

    set->hosts = xreallocarray(set->hosts, set->host_count + 1, sizeof(*set->hosts));
    set->hosts[set->host_count++] = xstrdup(item->text);
    return NULL;
}

static const char *compile_item(struct compiler *compiler, const struct rule_item *item)
{
    switch (item->kind) {
    case ITEM_WORD:
        return word_pattern_parse(item->text, item->length, add_literal, compiler);
    case ITEM_EXCEPT:
        return word_pattern_parse(item->text, item->length, add_except, compiler);
    case ITEM_PHRASE:
        return add_phrase(compiler, item);
    case ITEM_PATTERN:
        return pattern_matcher_add(compiler->set->patterns, item->text, item->length,
                                   compiler->rule);
    case ITEM_DETECTOR:
        return add_detector(compiler, item);
    case ITEM_HOST:
        return add_host(compiler, item);
    case ITEM_MATCH:
    case ITEM_CLEAN:
        break;
    }
    return NULL;
}

static bool compile_rule(struct compiler *compiler, const struct rule *rule)
{
    if (rule->state == RULE_OFF)
        return true;
    for (size_t i = 0; i < rule->item_count; i++) {
        const char *why = compile_item(compiler, &rule->items[i]);

        if (why)
            return rule_error_set(compiler->error, rule->source, rule->items[i].line,
                                  rule->items[i].column, "rule %s: '%.40s': %s", rule->id,
                                  rule->items[i].text, why);
    }
    return true;
}

static bool compile_rules(struct compiler *compiler)
{
    const struct rule_list *list = &compiler->set->list;

    for (size_t i = 0; i < list->count; i++) {
        compiler->rule = (uint32_t)i;
        compiler->builder =
            compiler->builders[compiler->layered && list->rules[i].own ? LAYER_OWN : LAYER_SHIPPED];
        if (!compile_rule(compiler, &list->rules[i]))
            return false;
    }
    return true;
}

static bool compile_lexicon(struct compiler *compiler)
{
    compiler->builder = compiler->builders[LAYER_SHIPPED];
    for (size_t i = 0; i < lexicon_count; i++) {
        const char *word = lexicon[i].words;

        compiler->rule = (uint32_t)TAG_SIGN << TAG_SHIFT | (uint32_t)i;
        while (*word) {
            size_t n = strcspn(word, " ");
            const char *why = n ? word_pattern_parse(word, n, add_literal, compiler) : NULL;

            if (why)
                return rule_error_set(compiler->error, "lexicon", 0, 0, "'%.*s': %s", (int)n, word,
                                      why);
            word += n + (word[n] == ' ');
        }
    }
    return true;
}

static bool compile_matchers(struct compiler *compiler)
{
    char why[sizeof(compiler->error->reason)];

    for (size_t i = 0; i < LAYER_COUNT; i++) {
        compiler->set->matchers[i] =
            word_matcher_compile(compiler->builders[i], compiler->cache, why, sizeof(why));
        if (!compiler->set->matchers[i])
            return rule_error_set(compiler->error, "", 0, 0, "%s", why);
    }
    const char *patterns_why = pattern_matcher_compile(compiler->set->patterns);
    if (patterns_why)
        return rule_error_set(compiler->error, "", 0, 0, "the patterns together: %s", patterns_why);
    return true;
}

static bool parse_layer(struct rule_list *list, const struct rule_layer *layer,
                        struct rule_error *error)
{
    for (size_t i = 0; i < layer->count; i++) {
        if (!rule_file_parse(list, &layer->sources[i], error))
            return false;
    }
    return true;
}

static bool parse_layers(struct rule_set *set, const struct rule_layer *base,
                         const struct rule_layer *own, struct rule_error *error)
{
    struct rule_list over = {0};

    if (parse_layer(&set->list, base, error) && parse_layer(&over, own, error))
        return rule_layers_merge(&set->list, &over, &set->orphans, error);
    rule_list_deinit(&over);
    return false;
}

struct rule_set *rule_set_compile_over(const struct rule_layer *base, const struct rule_layer *own,
                                       int64_t version, const struct rule_cache *cache,
                                       struct rule_error *error)
{
    struct rule_set *set = xcalloc(1, sizeof(*set));
    struct compiler compiler = {
        .set = set, .layered = base->count > 0, .cache = cache, .error = error};

    for (size_t i = 0; i < LAYER_COUNT; i++)
        compiler.builders[i] = word_matcher_builder_new();
    atomic_init(&set->references, 1);
    set->version = version;
    set->patterns = pattern_matcher_new();
    bool good = parse_layers(set, base, own, error);
    set->excepts = xcalloc(set->list.count + 1, sizeof(*set->excepts));
    good = good && compile_rules(&compiler) && compile_lexicon(&compiler) &&
           compile_matchers(&compiler) && rule_golden_check(set, error) &&
           rule_check_examples(set, error);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        word_matcher_builder_free(compiler.builders[i]);
    return good ? set : rule_set_unref(set);
}

struct rule_set *rule_set_compile(const struct rule_source *sources, size_t count, int64_t version,
                                  struct rule_error *error)
{
    const struct rule_layer none = {.count = 0}, all = {.sources = sources, .count = count};
    struct rule_set *set = rule_set_compile_over(&none, &all, version, NULL, error);

    if (!set || set->orphans.count == 0)
        return set;
    rule_error_set(error, "", 0, 0, "override %s: there is no such rule", set->orphans.ids[0]);
    return rule_set_unref(set);
}

struct rule_set *rule_set_default(int64_t version, struct rule_error *error)
{
    size_t count;
    const struct rule_source *sources = rule_set_default_sources(&count);

    return rule_set_compile(sources, count, version, error);
}

struct rule_set *rule_set_ref(struct rule_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

static void free_parts(struct rule_set *set)
{
    for (size_t i = 0; set->excepts && i < set->list.count; i++)
        free(set->excepts[i].patterns);
    free(set->excepts);
    for (size_t i = 0; i < set->phrase_count; i++)
        phrase_deinit(&set->phrases[i].phrase);
    free(set->phrases);
    for (size_t i = 0; i < DETECTOR_COUNT; i++)
        free(set->detectors[i].rules);
    for (size_t i = 0; i < set->host_count; i++)
        free(set->hosts[i]);
    free(set->hosts);
}

struct rule_set *rule_set_unref(struct rule_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return NULL;
    free_parts(set);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        word_matcher_free(set->matchers[i]);
    pattern_matcher_free(set->patterns);
    rule_list_deinit(&set->list);
    rule_orphans_deinit(&set->orphans);
    free(set);
    return NULL;
}

int64_t rule_set_version(const struct rule_set *set)
{
    return set->version;
}

size_t rule_set_orphan_count(const struct rule_set *set)
{
    return set->orphans.count;
}

const char *rule_set_orphan(const struct rule_set *set, size_t index)
{
    return set->orphans.ids[index];
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->list.count;
}

struct rule_info rule_set_info(const struct rule_set *set, size_t index)
{
    const struct rule *rule = &set->list.rules[index];

    return (struct rule_info){
        .id = rule->id,
        .name = rule->name ? rule->name : "",
        .text = rule->text,
        .kind = rule_kind(rule),
        .label = label_name(rule->label),
        .reason = rule->reason ? rule->reason : label_reason(rule->label),
        .locale = rule->locale ? rule->locale : "",
        .action = rule->action,
        .state = rule->state,
        .severity = rule->severity,
        .ceiling = rule->ceiling,
        .source = rule->source,
        .line = rule->line,
    };
}
