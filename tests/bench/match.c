/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only the sender's devices see a cid, and a text must look like one, so what joins a send to its
 * deliveries is the room's number. The ok tells it, but a peer's message may come first: that one
 * waits. A number older than the ring was delivered to a device that is far behind, and is not
 * timed.
 */
#include "tests/bench/match.h"

#include <stdlib.h>

#include "protocol/xalloc.h"
#include "tests/bench/tally.h"

static void time_delivery(struct tally *tally, uint64_t sent_ns, uint64_t at_ns)
{
    if (tally_in_window(tally, sent_ns))
        histogram_add(&tally->delivery, (at_ns - sent_ns) / 1000);
}

void match_sent(struct match *match, struct tally *tally, int64_t seq, uint64_t sent_ns)
{
    size_t kept = 0;

    match->sends[seq % MATCH_SENDS] = (struct match_send){seq, sent_ns};
    if (seq > match->top)
        match->top = seq;
    for (size_t i = 0; i < match->early_count; i++) {
        if (match->early[i].seq == seq)
            time_delivery(tally, sent_ns, match->early[i].at_ns);
        else
            match->early[kept++] = match->early[i];
    }
    match->early_count = kept;
}

void match_arrived(struct match *match, struct tally *tally, int64_t seq, uint64_t at_ns)
{
    const struct match_send *send = &match->sends[seq % MATCH_SENDS];

    if (send->seq == seq) {
        time_delivery(tally, send->sent_ns, at_ns);
    } else if (send->seq < seq) {
        match->early = xreallocarray(match->early, match->early_count + 1, sizeof(*match->early));
        match->early[match->early_count++] = (struct match_arrival){seq, at_ns};
    }
}

void match_deinit(struct match *match)
{
    free(match->early);
    *match = (struct match){0};
}
