/* SPDX-License-Identifier: Apache-2.0 */
/* What a run counts, and how it is reported */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/bench/histogram.h"

/* Embedded; all zero is empty. Rates and latencies are of the window; what must be zero is counted
 * over the whole run. */
struct tally {
    const char *mode;
    uint64_t clients;
    double rate;                           /* wanted messages a second */
    uint64_t window_from_ns, window_to_ns; /* 0 while there is none */
    uint64_t cpu_us;                       /* the generator's own, in the window */

    uint64_t sent, acks, deliveries; /* in the window */
    struct histogram ack, delivery;  /* of messages sent in the window */
    struct histogram lag;            /* how late the generator itself was */
    struct histogram connect, live;  /* to the upgrade's answer, to synced; from the dial */
    uint64_t all_live_us;            /* from the first dial to the last synced */

    uint64_t held;                   /* acked, but not delivered: moderation */
    uint64_t gaps, repeats, missing; /* numbers skipped, seen again, never come */
    uint64_t resets, resumed;        /* resumed: events that came before synced */
    uint64_t refusals, unanswered;   /* errors; sends without any answer */
    uint64_t closes, retries;        /* connections lost without being asked; dials repeated */
    char first_refusal[200];
};

/* Whether a moment lies in the window; one without an end is still open. */
bool tally_in_window(const struct tally *tally, uint64_t at_ns);

void tally_open_window(struct tally *tally);
void tally_close_window(struct tally *tally);

/* A refusal or a close; the first one's words are kept. */
void tally_note(struct tally *tally, const char *what, size_t length);

/* True if nothing was lost, repeated, refused or closed. */
bool tally_clean(const struct tally *tally);

void tally_print_json(const struct tally *tally, FILE *out);
void tally_print_table(const struct tally *tally, FILE *out);
