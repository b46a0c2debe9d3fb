/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a session's rooms up to their heads, in pages, as fast as the client reads */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/uuid.h"

struct resume;
struct session;

/* Puts the session into a room whose head is `head`, from the client's cursor on (-1: from the
 * head). A cursor too far behind, ahead of the head, or of another epoch gets `reset`. */
void resume_join(struct session *session, const struct uuid *room, const struct uuid *teacher,
                 const struct uuid *student, int64_t head, int64_t cursor, bool same_epoch);

bool resume_knows(const struct session *session, const struct uuid *room); /* it is in that room */

/* For a room in which the session is already: what follows `cursor` is sent once more, after
 * resume_start(). */
void resume_rewind(struct session *session, const struct uuid *room, int64_t cursor);

/* Sends what follows the cursors, then own messages that have no number (those still pending; and
 * since *own_since_us, if not NULL, those decided), then `synced` with `re`. One at a time: a
 * second start waits for the first. False: too many wait already. */
bool resume_start(struct session *session, int64_t re, const int64_t *own_since_us);

/* The client has read what was sent. */
void resume_continue(struct session *session);

struct resume *resume_free(struct resume *resume); /* takes NULL, returns NULL */
