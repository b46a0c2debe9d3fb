/* SPDX-License-Identifier: Apache-2.0 */
/* When the next batch may leave.
 *
 * A call of the writing function costs Postgres a fixed part that is as much as eight messages, and
 * a commit. Batches that leave whenever a connection is free stay small for as long as Postgres
 * keeps up, and then nearly all that it does is the fixed part. So there is an allowance: one batch
 * every GAP, and BURST of them in advance. Who sends less than that (a few hundred messages a
 * second) is never held up; above it, a message waits for half a GAP on average, and batches grow
 * with the load.
 *
 * Kept as the virtual time of a leaky bucket (the generic cell rate algorithm): each batch pushes
 * it a GAP ahead, and it may be BURST of them ahead of the clock. */
#include "gateway/write_pace.h"

uint64_t write_pace_wait_us(const struct write_pace *pace, uint64_t now_us)
{
    const uint64_t credit_us = (uint64_t)WRITE_PACE_GAP_US * (WRITE_PACE_BURST - 1);

    return pace->due_us > now_us + credit_us ? pace->due_us - now_us - credit_us : 0;
}

void write_pace_spend(struct write_pace *pace, uint64_t now_us)
{
    pace->due_us = (pace->due_us > now_us ? pace->due_us : now_us) + WRITE_PACE_GAP_US;
}
