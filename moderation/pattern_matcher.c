/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of all rules at once over the words of a text
 *
 * A database of its own beside that of the literals, so that literals stay as fast as they are and
 * a set without patterns pays nothing. Each pattern is compiled alone first: then a fault has its
 * place, and one that would make the automaton too big is refused, instead of all of them.
 */
#include "moderation/pattern_matcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hs/hs.h>

#include "moderation/alphabet.h"
#include "moderation/matcher_scratch.h"
#include "moderation/pattern_syntax.h"
#include "moderation/word_view.h"
#include "protocol/xalloc.h"

enum { FLAGS = HS_FLAG_SOM_LEFTMOST, WHY_BYTES = 160 };

struct pattern_matcher {
    char **expressions;
    uint32_t *tags;
    size_t count;
    hs_database_t *database; /* NULL if there are no patterns */
    char why[WHY_BYTES];
};

struct pattern_matcher *pattern_matcher_new(void)
{
    return xcalloc(1, sizeof(struct pattern_matcher));
}

struct pattern_matcher *pattern_matcher_free(struct pattern_matcher *matcher)
{
    if (!matcher)
        return NULL;
    for (size_t i = 0; i < matcher->count; i++)
        free(matcher->expressions[i]);
    free(matcher->expressions);
    free(matcher->tags);
    hs_free_database(matcher->database);
    free(matcher);
    return NULL;
}

static const char *explain(struct pattern_matcher *matcher, hs_compile_error_t *error)
{
    snprintf(matcher->why, sizeof(matcher->why), "Vectorscan: %s",
             error ? error->message : "failed");
    hs_free_compile_error(error);
    return matcher->why;
}

const char *pattern_matcher_add(struct pattern_matcher *matcher, const char *text, size_t length,
                                uint32_t tag)
{
    char expression[PATTERN_TEXT_MAX];
    const char *why = pattern_syntax_translate(text, length, expression);
    hs_database_t *alone = NULL;
    hs_compile_error_t *error = NULL;

    if (why)
        return why;
    if (hs_compile(expression, FLAGS, HS_MODE_BLOCK, NULL, &alone, &error) != HS_SUCCESS)
        return explain(matcher, error);
    hs_free_database(alone);
    size_t count = matcher->count + 1;
    matcher->expressions = xreallocarray(matcher->expressions, count, sizeof(char *));
    matcher->tags = xreallocarray(matcher->tags, count, sizeof(uint32_t));
    matcher->expressions[matcher->count] = xstrdup(expression);
    matcher->tags[matcher->count++] = tag;
    return NULL;
}

const char *pattern_matcher_compile(struct pattern_matcher *matcher)
{
    size_t count = matcher->count;
    unsigned *ids = xreallocarray(NULL, count + 1, sizeof(*ids));
    unsigned *flags = xreallocarray(NULL, count + 1, sizeof(*flags));
    hs_compile_error_t *error = NULL;
    const char *why = NULL;

    for (size_t i = 0; i < count; i++) {
        ids[i] = (unsigned)i;
        flags[i] = FLAGS;
    }
    if (count > 0 &&
        hs_compile_multi((const char *const *)matcher->expressions, flags, ids, (unsigned)count,
                         HS_MODE_BLOCK, NULL, &matcher->database, &error) != HS_SUCCESS)
        why = explain(matcher, error);
    free(flags);
    free(ids);
    return why;
}

int pattern_matcher_fit(const struct pattern_matcher *matcher, struct matcher_scratch *scratch)
{
    return matcher_scratch_fit(scratch, matcher->database);
}

struct scan {
    const struct pattern_matcher *matcher;
    const struct word_view *view;
    word_hit_fn hit;
    void *context;
};

/* The edges around a match are part of the expression, but not of the place. */
static int handle_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void *context)
{
    const struct scan *scan = context;
    uint32_t start = (uint32_t)from, end = (uint32_t)to;

    while (start < end && scan->view->bytes[start] == ALPHABET_EDGE)
        start++;
    while (end > start && scan->view->bytes[end - 1] == ALPHABET_EDGE)
        end--;
    if (start < end)
        scan->hit(scan->context, scan->matcher->tags[id], start, end);
    return 0;
}

int pattern_matcher_scan(const struct pattern_matcher *matcher,
                         const struct matcher_scratch *scratch, const struct word_view *view,
                         word_hit_fn hit, void *context)
{
    struct scan scan = {.matcher = matcher, .view = view, .hit = hit, .context = context};

    if (!matcher->database)
        return 0;
    hs_error_t error = hs_scan(matcher->database, (const char *)view->bytes, (unsigned)view->length,
                               0, scratch->scratch, handle_match, &scan);
    return error == HS_SUCCESS ? 0 : -EIO;
}
