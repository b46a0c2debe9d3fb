/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks: one that never jumps, for intervals; one that people read, for records. */
#pragma once

#include <stdint.h>

/* Monotonic time, from an arbitrary origin; the same origin as uv_now() and uv_hrtime(). */
uint64_t clock_now_ms(void);
uint64_t clock_now_us(void);

/* Microseconds since 1970-01-01 UTC. May jump; never subtract two of them to time something. */
int64_t clock_unix_us(void);
