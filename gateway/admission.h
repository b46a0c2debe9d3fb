/* SPDX-License-Identifier: Apache-2.0 */
/* How many clients are let in a second. No I/O. */
#pragma once

#include <stdint.h>

#include "gateway/rate_limit.h"

/* Embedded. All zero: nobody has come yet. */
struct admission {
    struct rate_limit bucket;
    double booked_ms; /* until when the places to come are given away */
};

/* Lets one in: 0. Or not: the milliseconds after which it should ask again, spread so that those
 * who are refused together come back one by one. `now_ms` is of a clock that does not go back,
 * `rate_per_s` and `burst` above 0, `random` uniform. */
int64_t admission_take(struct admission *admission, int64_t now_ms, double rate_per_s, double burst,
                       uint32_t random);
