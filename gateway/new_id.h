/* SPDX-License-Identifier: Apache-2.0 */
/* New ids for messages, sessions and requests */
#pragma once

struct uuid;

/* A version 7 UUID of this moment. For the loop's thread: it draws on a pool of random bytes that
 * is refilled now and then, since one call of the system's generator for each id costs a
 * microsecond. */
void new_id(struct uuid *out);
