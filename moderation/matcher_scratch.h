/* SPDX-License-Identifier: Apache-2.0 */
/* Vectorscan's working memory of one thread */
#pragma once

#include <hs/hs.h>

/* It only ever grows: scratch that was made to fit several databases fits each of them. */
struct matcher_scratch {
    hs_scratch_t *scratch;
};

#define MATCHER_SCRATCH_INIT                                                                       \
    (struct matcher_scratch)                                                                       \
    {                                                                                              \
        NULL                                                                                       \
    }

/* `database` may be NULL. Returns 0 or -EIO. */
int matcher_scratch_fit(struct matcher_scratch *scratch, const hs_database_t *database);
void matcher_scratch_deinit(struct matcher_scratch *scratch);
