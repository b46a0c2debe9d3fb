/* SPDX-License-Identifier: Apache-2.0 */
/* Vectorscan's working memory of one thread */
#include "moderation/matcher_scratch.h"

#include <errno.h>

int matcher_scratch_fit(struct matcher_scratch *scratch, const hs_database_t *database)
{
    if (!database)
        return 0;
    return hs_alloc_scratch(database, &scratch->scratch) == HS_SUCCESS ? 0 : -EIO;
}

void matcher_scratch_deinit(struct matcher_scratch *scratch)
{
    hs_free_scratch(scratch->scratch);
    scratch->scratch = NULL;
}
