/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery latency: when a room's numbers were sent, and when they arrived */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tally;

enum { MATCH_SENDS = 256 };

/* Of one room. Embedded; all zero is empty. */
struct match {
    struct match_send {
        int64_t seq;
        uint64_t sent_ns;
    } sends[MATCH_SENDS];
    struct match_arrival {
        int64_t seq;
        uint64_t at_ns;
    } * early; /* came before the ok that gives their number */
    size_t early_count;
    int64_t top; /* the highest number acknowledged */
};

/* An ok has told a message's number. */
void match_sent(struct match *match, struct tally *tally, int64_t seq, uint64_t sent_ns);

/* A device was given that number. */
void match_arrived(struct match *match, struct tally *tally, int64_t seq, uint64_t at_ns);

void match_deinit(struct match *match);
