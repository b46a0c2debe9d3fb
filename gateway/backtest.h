/* SPDX-License-Identifier: Apache-2.0 */
/* Rules tried on stored messages: hits, what people had decided, samples */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct backtest;
struct rule_set;

/* A message as it is stored; all borrowed for the call. */
struct backtest_message {
    const char *id, *sender, *role, *status; /* role "" = unknown */
    int64_t at_us;
    bool by_person, overturned; /* a person decided; undid a verdict */
    const char *text;
    size_t length; /* bytes */
};

/* Counts hits of the rules named by `ids` (copied), and keeps the first `samples` of each. Takes a
 * reference to the set. */
struct backtest *backtest_new(struct rule_set *set, const char *const *ids, size_t count,
                              size_t samples, bool booked);
struct backtest *backtest_free(struct backtest *backtest);

/* The first id that is no rule of the set, or NULL. */
const char *backtest_unknown(const struct backtest *backtest);

void backtest_try(struct backtest *backtest, const struct backtest_message *message);

/* For people, matches marked by colour or [[brackets]]; and for programs. */
void backtest_print(const struct backtest *backtest, FILE *out, bool colors);
void backtest_print_json(const struct backtest *backtest, FILE *out);
