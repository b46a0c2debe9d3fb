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
    char source[256];
    unsigned line;   /* from 1; 0 = the set as a whole */
    unsigned column; /* in characters, from 1 */
    char reason[192];
};

/* Compiled databases, kept by the caller between runs (moderation does no I/O). A database is found
 * by `key`, all that went into it. */
struct rule_cache {
    void *context;
    /* Returns what was stored under this very key, for free(), or NULL. */
    void *(*load)(void *context, const void *key, size_t key_length, size_t *length);
    void (*store)(void *context, const void *key, size_t key_length, const void *data,
                  size_t length);
};

/* Files that make one layer of rules. */
struct rule_layer {
    const struct rule_source *sources;
    size_t count;
};

/* Compiles the sources into one set that decisions will name by `version`. Runs every rule's own
 * examples against the finished set and compares the combined matcher with a naive one, so that a
 * rule that does not do what it says is refused. Takes a fraction of a second: never on the event
 * loop. Reads no globals that change; several threads may compile at once.
 * Returns a set with one reference, or NULL with `error` filled. */
struct rule_set *rule_set_compile(const struct rule_source *sources, size_t count, int64_t version,
                                  struct rule_error *error);

/* The same for the rules of an installation over those that ship: a rule of `own` takes the place
 * of the one with its id or is added; an override changes settings of one. An override without its
 * rule does nothing (rule_set_orphan()). `cache` may be NULL. */
struct rule_set *rule_set_compile_over(const struct rule_layer *base, const struct rule_layer *own,
                                       int64_t version, const struct rule_cache *cache,
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
    const char *name;   /* "" if it has none */
    const char *text;   /* as it was written, with the comments above it */
    const char *kind;   /* "words", "phrase", "pattern", "detector" */
    const char *label;  /* contact_phone, ..., spam (spec: Rules) */
    const char *reason; /* the code that the sender sees: "contact.phone" */
    const char *locale; /* "ru", "en" or "" */
    enum rule_action action;
    enum rule_state state;
    int severity;     /* 0 to 4 */
    unsigned ceiling; /* of 10,000 senders, above which it only holds; 0 = none */
    const char *source;
    unsigned line;
};

/* Overrides that name a rule which is not there. */
size_t rule_set_orphan_count(const struct rule_set *set);
const char *rule_set_orphan(const struct rule_set *set, size_t index);

size_t rule_set_count(const struct rule_set *set);

/* `index` < rule_set_count(). Order is that of the sources. */
struct rule_info rule_set_info(const struct rule_set *set, size_t index);
