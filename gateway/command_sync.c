/* SPDX-License-Identifier: Apache-2.0 */
/* sync: resume more rooms, or again from a cursor that the client names */
#include <stdlib.h>

#include "gateway/command.h"
#include "gateway/node.h"
#include "gateway/request.h"
#include "gateway/resume.h"
#include "gateway/session.h"
#include "protocol/command.h"

enum { SYNC_RETRY_MS = 1000 };

/* All or nothing: a room that was rewound gets nothing live until it is resumed. */
static bool in_all(const struct session *session, const struct command_sync *said)
{
    for (size_t i = 0; i < said->room_count; i++)
        if (!resume_knows(session, &said->rooms[i].room))
            return false;
    return true;
}

void command_run_sync(const struct request *request, const struct command *command)
{
    const struct command_sync *said = &command->sync;
    struct session *session = request_session(request);

    if (!session)
        return;
    if (!in_all(session, said)) {
        request_fail(request, ERROR_NOT_FOUND, "room", 0);
        return;
    }
    for (size_t i = 0; i < said->room_count; i++)
        resume_rewind(session, &said->rooms[i].room, said->rooms[i].after);
    if (!resume_start(session, request->re, NULL))
        request_fail(request, ERROR_RATE_LIMITED, "sync", SYNC_RETRY_MS);
}
