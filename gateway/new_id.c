/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes by the page; each is used once and wiped. */
#include "gateway/new_id.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "protocol/uuid.h"

enum { ID_BYTES = 10, POOL_IDS = 400 };

void new_id(struct uuid *out)
{
    static unsigned char pool[POOL_IDS][ID_BYTES];
    static unsigned left;

    if (!left) {
        if (RAND_bytes(&pool[0][0], sizeof(pool)) != 1)
            abort(); /* no id is better than one that can be guessed */
        left = POOL_IDS;
    }
    unsigned char *random = pool[--left];
    uuid_v7(out, (uint64_t)(clock_unix_us() / 1000), random);
    explicit_bzero(random, ID_BYTES);
}
