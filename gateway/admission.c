/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many clients are let in a second.
 *
 * When a node or a network comes back, all its clients do, each with a token to verify and rooms to
 * read. The bucket bounds that work. Who finds it empty is told when to come: each refusal books
 * the next place behind the ones given away before, so ten thousand return at the rate at which
 * they can be served, instead of being refused again and again. A booking is a hint, not a right.
 * The jitter of up to a second keeps those of one millisecond apart. Bookings end at a minute
 * ahead: if more wait than can be served in it, they share that minute.
 */
#include "gateway/admission.h"

enum { JITTER_MS = 1000, BOOKED_MAX_MS = 60000 };

int64_t admission_take(struct admission *admission, int64_t now_ms, double rate_per_s, double burst,
                       uint32_t random)
{
    int64_t wait_ms = rate_limit_take(&admission->bucket, now_ms, rate_per_s, burst, 1);
    double now = (double)now_ms;

    if (wait_ms == 0)
        return 0;
    if (admission->booked_ms < now)
        admission->booked_ms = now;
    if (admission->booked_ms < now + BOOKED_MAX_MS)
        admission->booked_ms += 1000 / rate_per_s;
    int64_t place_ms = (int64_t)(admission->booked_ms - now);
    if (place_ms >= BOOKED_MAX_MS)
        place_ms = (int64_t)(random >> 10) % BOOKED_MAX_MS;
    return wait_ms + place_ms + random % JITTER_MS;
}
