/* SPDX-License-Identifier: Apache-2.0 */
/* Which history of the database a process believes in.
 *
 * A standby that takes over goes on under a new timeline, and may lack what the old primary had
 * committed. So its numbers can't be set beside those that sessions have seen, and every connection
 * says which history it found before it carries a statement. The first to find another one ends the
 * others: no answer of one history meets a session of another.
 *
 * Timelines of one system only grow. A server with a smaller one is a primary that was left behind
 * and doesn't know; what is written to it is lost when it is told. We may be the only ones who can
 * see that, so it is refused for as long as this process lives. Another system's timelines can't be
 * compared: a restored dump, or a move. The latest one found is believed.
 *
 * Nothing here replaces fencing by whoever promotes: a process that keeps its connections to the
 * old primary hears of no other. With a synchronous standby such a primary can't commit.
 */
#include "gateway/pg_fence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pg_fence_init(struct pg_fence *fence)
{
    *fence = (struct pg_fence){0};
    list_init(&fence->conns);
}

enum pg_fence_verdict pg_fence_judge(struct pg_fence *fence, const struct pg_history *history)
{
    bool first = fence->known.timeline == 0;

    if (!first && strcmp(history->system, fence->known.system) == 0) {
        if (history->timeline == fence->known.timeline)
            return PG_FENCE_SAME;
        if (history->timeline < fence->known.timeline)
            return PG_FENCE_PAST;
    }
    fence->known = *history;
    if (first)
        return PG_FENCE_SAME;
    fence->generation++;
    return PG_FENCE_OTHER;
}

bool pg_history_parse(struct pg_history *history, const char *system, const char *timeline)
{
    char *end;
    size_t length = strlen(system);

    if (length == 0 || length >= PG_SYSTEM_BYTES || strspn(system, "0123456789") != length)
        return false;
    errno = 0;
    unsigned long number = strtoul(timeline, &end, 16);
    if (errno || *end != '\0' || end == timeline || number == 0 || number > UINT32_MAX)
        return false;
    memcpy(history->system, system, length + 1);
    history->timeline = (uint32_t)number;
    return true;
}
