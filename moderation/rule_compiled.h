/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule set is inside the engine; for rule_set.c and the screener only */
#pragma once

#include <stdatomic.h>

#include "moderation/phrase.h"
#include "moderation/rule.h"
#include "moderation/rule_layers.h"
#include "moderation/word_matcher.h"

/* What a literal's tag means: kind in the top bits, an index below. */
enum tag_kind {
    TAG_WORD,   /* a rule */
    TAG_PHRASE, /* one of `phrases` */
    TAG_SIGN,   /* an entry of the lexicon */
};

enum { TAG_SHIFT = 28 };

/* The words of shipped rules, and the lexicon, are a database of their own: it stays as it is, and
 * comes from the cache, while people change theirs. A set of one layer has the first only. */
enum layer { LAYER_SHIPPED, LAYER_OWN, LAYER_COUNT };

struct rule_phrase {
    struct phrase phrase;
    uint32_t rule;
};

struct rule_excepts {
    struct word_pattern *patterns;
    size_t count;
};

/* Rules that ask for one detector. */
struct detector_rules {
    uint32_t *rules;
    size_t count;
};

struct rule_set {
    atomic_uint references;
    int64_t version;
    struct rule_list list;
    struct rule_orphans orphans;
    struct rule_excepts *excepts; /* one per rule */
    struct rule_phrase *phrases;
    size_t phrase_count;
    struct detector_rules detectors[DETECTOR_COUNT];
    char **hosts; /* link detectors leave these and what is below them alone */
    size_t host_count;
    struct word_matcher *matchers[LAYER_COUNT];
    struct pattern_matcher *patterns;
};
