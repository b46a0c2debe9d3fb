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

void command_run_sync(const struct request *request, const struct command *command)
{
    const struct command_sync *said = &command->sync;
    struct session *session = request_session(request);

    if (!session)
        return;
    for (size_t i = 0; i < said->room_count; i++) {
        if (!resume_rewind(session, &said->rooms[i].room, said->rooms[i].after)) {
            request_fail(request, ERROR_NOT_FOUND, "room", 0);
            return;
        }
    }
    if (!resume_start(session, request->re, NULL))
        request_fail(request, ERROR_RATE_LIMITED, "sync", SYNC_RETRY_MS);
}
