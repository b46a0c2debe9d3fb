/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4: a hash for tables whose keys strangers choose */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_BYTES = 16 };

/* J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. */
uint64_t siphash24(const uint8_t key[static SIPHASH_KEY_BYTES], const void *data, size_t bytes);
