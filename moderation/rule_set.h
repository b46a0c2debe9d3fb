/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled set of moderation rules: immutable, shared, safe to build on any thread */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rule_set;

/* One file of rules (format: moderation/RULES.md). All borrowed for the call only. */
struct rule_source {
    const char *name; /* shown in errors, such as "ru-profanity.rules" */
    const char *text; /* UTF-8 */
    size_t length;    /* bytes */
};

/* Where a bad rule is, and what is wrong with it. */
struct rule_error {
    char source[64];
    unsigned line; /* from 1; 0 = the set as a whole */
    char reason[192];
};

/* Compiles the sources into one set that decisions will name by `version`. Runs every rule's own
 * examples against the finished set and compares the combined matcher with a naive one, so that a
 * rule that does not do what it says is refused. Takes a fraction of a second: never on the event
 * loop. Reads no globals that change; several threads may compile at once.
 * Returns a set with one reference, or NULL with `error` filled. */
struct rule_set *rule_set_compile(const struct rule_source *sources, size_t count, int64_t version,
                                  struct rule_error *error);

/* The same for the rules that ship inside the program (Russian and English). */
struct rule_set *rule_set_default(int64_t version, struct rule_error *error);

/* The shipped sources themselves, to export, or to compile together with others. */
const struct rule_source *rule_set_default_sources(size_t *count);

struct rule_set *rule_set_ref(struct rule_set *set);

/* Drops one reference, frees the set with the last one. Takes NULL, returns NULL. */
struct rule_set *rule_set_unref(struct rule_set *set);

int64_t rule_set_version(const struct rule_set *set);

enum rule_action { RULE_FLAG, RULE_HOLD, RULE_BLOCK }; /* rising */
enum rule_state { RULE_OFF, RULE_SHADOW, RULE_ON };

/* What a console or a list shows of one rule. Borrowed from the set. */
struct rule_info {
    const char *id;     /* "ru.profanity.stem" */
    const char *kind;   /* "words", "phrase", "pattern", "detector" */
    const char *label;  /* contact_phone, ..., spam (spec: Rules) */
    const char *reason; /* the code that the sender sees: "contact.phone" */
    const char *locale; /* "ru", "en" or "" */
    enum rule_action action;
    enum rule_state state;
    int severity;     /* 0 to 4 */
    unsigned ceiling; /* hits per 10,000 messages above which it should only hold; 0 = none */
    const char *source;
    unsigned line;
};

size_t rule_set_count(const struct rule_set *set);

/* `index` < rule_set_count(). Order is that of the sources. */
struct rule_info rule_set_info(const struct rule_set *set, size_t index);
