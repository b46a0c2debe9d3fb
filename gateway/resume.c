/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resuming.
 *
 * A member that is behind gets nothing live: its events are read from the database, a few rooms and
 * a page of each at a time, and the next read waits until the client has taken the last. When a
 * member's cursor has reached the room's head it is live again. Own messages that have no number
 * follow, in pages too. So a long absence never fills the outbound queue, and order holds without
 * any buffering of live events.
 *
 * A page takes half of the outbound queue at most, since the rest belongs to what is live. What
 * finds no room is dropped and read again when the queue is empty, in smaller pages: long messages
 * cost a few reads more, and no page is ever kept.
 */
#include "gateway/resume.h"

#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/event_page.h"
#include "gateway/log.h"
#include "gateway/message_row.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/own_sweep.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/room.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "gateway/user.h"
#include "protocol/event.h"
#include "protocol/frame.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

enum {
    RESUME_ROOMS = 16,  /* in one read */
    RESUME_EVENTS = 50, /* of each, in one read */
    OWN_ROWS = 100,     /* in one read */
    SHRINK_MAX = 3,     /* times that a page is halved while pages find no room */
    RESUME_FAR = 10000, /* further behind than this: history pages serve better */
    WAITERS_MAX = 32,
    LOW_WATER_BYTES = 16384, /* read on when the queue is below this */
    RETRY_MS = 500,
    /* A verdict is stamped before its transaction commits, and clocks differ: the next resume asks
     * from before this one's read, and may tell a verdict twice. */
    OWN_OVERLAP_S = 60,
};

/* A hello or sync that waits for its `synced`, and how far it is with the own messages. */
struct waiter {
    int64_t re;
    bool has_since;
    int64_t since_us;
    int64_t read_at_us; /* when the first page was asked for, 0 = not yet */
    int64_t after_us;   /* the last one told: when it was written */
    struct uuid after;  /* and its id */
};

struct resume {
    struct session *session; /* the owner */
    bool reading;
    bool full;       /* the last page found no room: go on when the queue is empty */
    unsigned shrink; /* pages are halved so often */
    struct timer_entry retry;
    struct waiter *waiters;
    size_t waiter_count;
};

/* A read's way back. */
struct step {
    struct node *node;
    struct handle session;
    size_t count;
    struct uuid rooms[RESUME_ROOMS];
    int64_t asked[RESUME_ROOMS]; /* the cursors of the read */
};

static void go_on(struct resume *resume);

/* --- joining --- */

static struct room_member *member_in(const struct session *session, const struct uuid *id)
{
    struct room *room = rooms_find(session->node->rooms, id);
    return room ? room_member_of(room, session) : NULL;
}

static void send_reset(struct session *session, const struct uuid *room, int64_t head)
{
    metrics_add(METRIC_RESETS, 1);
    event_reset(&session->node->json, room, head);
    session_send_json(session, &session->node->json);
}

static bool usable(int64_t cursor, int64_t head)
{
    return cursor <= head && head - cursor <= RESUME_FAR;
}

void resume_join(struct session *session, const struct uuid *room, const struct uuid *teacher,
                 const struct uuid *student, int64_t head, int64_t cursor, bool same_epoch)
{
    bool resumes = cursor >= 0 && same_epoch && usable(cursor, head);

    rooms_join(session->node->rooms, session, room, teacher, student, head, resumes ? cursor : -1);
    if (cursor >= 0 && !resumes)
        send_reset(session, room, head);
}

bool resume_knows(const struct session *session, const struct uuid *id)
{
    return member_in(session, id) != NULL;
}

void resume_rewind(struct session *session, const struct uuid *id, int64_t cursor)
{
    struct room_member *member = member_in(session, id);

    if (usable(cursor, member->room->head)) {
        member->cursor = cursor;
        member->behind = cursor < member->room->head;
    } else {
        send_reset(session, id, member->room->head);
    }
}

/* --- life --- */

static void handle_retry(struct timer_entry *entry)
{
    go_on(container_of(entry, struct resume, retry));
}

static struct resume *resume_of(struct session *session)
{
    if (!session->resume) {
        struct resume *resume = xcalloc(1, sizeof(*resume));
        resume->session = session;
        timer_entry_init(&resume->retry);
        session->resume = resume;
    }
    return session->resume;
}

struct resume *resume_free(struct resume *resume)
{
    if (!resume)
        return NULL;
    timer_wheel_cancel(&resume->retry);
    free(resume->waiters);
    free(resume);
    return NULL;
}

bool resume_start(struct session *session, int64_t re, const int64_t *own_since_us)
{
    struct resume *resume = resume_of(session);

    if (resume->waiter_count == WAITERS_MAX)
        return false;
    resume->waiters =
        xreallocarray(resume->waiters, resume->waiter_count + 1, sizeof(*resume->waiters));
    resume->waiters[resume->waiter_count++] = (struct waiter){
        .re = re,
        .has_since = own_since_us != NULL,
        .since_us = own_since_us ? *own_since_us : 0,
    };
    go_on(resume);
    return true;
}

void resume_continue(struct session *session)
{
    session->resume->full = false;
    go_on(session->resume);
}

/* Whether a page may put so many bytes more on the queue. An empty queue takes anything. */
static bool has_room(const struct session *session, size_t bytes)
{
    size_t limit = (size_t)session->node->config->limits.outbound_bytes;

    return outbound_empty(&session->outbound) || session->outbound.bytes + bytes <= limit / 2;
}

/* A page was read. Long messages make the next ones smaller. */
static void end_page(struct resume *resume, bool full)
{
    resume->full = full;
    if (!full)
        resume->shrink = 0;
    else if (resume->shrink < SHRINK_MAX)
        resume->shrink++;
}

static void retry_later(struct resume *resume)
{
    timer_wheel_arm(resume->session->node->wheel, &resume->retry, RETRY_MS, handle_retry);
}

static struct step *step_new(const struct session *session)
{
    struct step *step = xcalloc(1, sizeof(*step));
    step->node = session->node;
    step->session = session->handle;
    return step;
}

/* The session's resume, if it is still there, no longer reading. */
static struct resume *step_resume(const struct step *step)
{
    struct session *session = session_get(step->node, step->session);

    if (!session || !session->resume)
        return NULL;
    session->resume->reading = false;
    return session->resume;
}

/* --- rooms --- */

struct page {
    struct session *session;
    bool full;
};

/* Only what follows the cursor at once: it may have moved while the page was read, and what found
 * no room leaves no hole. */
static void give_event(void *context, struct room_event *event)
{
    struct page *page = context;
    struct session *session = page->session;
    struct room_member *member = member_in(session, &event->room);

    if (!member || !member->behind || event->number != member->cursor + 1)
        return;
    struct frame *frame = room_event_frame(event, &session->user->id);
    if (!has_room(session, frame_length(frame))) {
        page->full = true;
        return;
    }
    member->cursor = event->number;
    session_send(session, frame);
    rooms_saw_head(session->node->rooms, &event->room, event->number);
}

/* A read that brought nothing that follows, though there was room, says that it will never come. */
static void settle_member(const struct page *page, const struct uuid *id, int64_t asked)
{
    struct session *session = page->session;
    struct room_member *member = member_in(session, id);

    if (!member || !member->behind)
        return;
    if (!page->full && member->cursor == asked && member->cursor < member->room->head) {
        log_error("numbers are missing in a room; its members read it anew", LOG_UUID("room", id),
                  LOG_INT("after", asked));
        send_reset(session, id, member->room->head);
        member->cursor = member->room->head;
    }
    member->behind = member->cursor < member->room->head;
}

static void handle_events(void *context, const struct pg_reply *reply)
{
    struct step *step = context;
    struct resume *resume = step_resume(step);

    if (resume && reply->outcome == PG_OK) {
        struct page page = {.session = resume->session};
        event_page_read(step->node, reply->result, give_event, &page);
        for (size_t i = 0; i < step->count; i++)
            settle_member(&page, &step->rooms[i], step->asked[i]);
        end_page(resume, page.full);
        go_on(resume);
    } else if (resume) {
        retry_later(resume);
    }
    free(step);
}

/* False: no room is behind. */
static bool read_rooms(struct resume *resume)
{
    struct session *session = resume->session;
    struct step *step = step_new(session);

    LIST_FOREACH (node, &session->rooms) {
        struct room_member *member = container_of(node, struct room_member, session_link);
        if (!member->behind || step->count == (size_t)RESUME_ROOMS >> resume->shrink)
            continue;
        step->rooms[step->count] = member->room->id;
        step->asked[step->count++] = member->cursor;
    }
    if (!step->count) {
        free(step);
        return false;
    }
    resume->reading = true;
    struct pg_params params = PG_PARAMS_INIT;
    pg_params_uuid_array(&params, step->rooms, step->count);
    pg_params_int8_array(&params, step->asked, step->count);
    pg_params_int4(&params, RESUME_EVENTS >> resume->shrink);
    pg_pool_query(session->node->pool, &sql_events_after, &params, handle_events, step);
    return true;
}

/* --- own messages, and the end --- */

static void finish_waiter(struct resume *resume)
{
    struct session *session = resume->session;
    struct waiter first = resume->waiters[0];

    resume->waiter_count--;
    for (size_t i = 0; i < resume->waiter_count; i++)
        resume->waiters[i] = resume->waiters[i + 1];
    event_synced(&session->node->json, first.re,
                 first.read_at_us - (int64_t)OWN_OVERLAP_S * 1000000);
    session_send_json(session, &session->node->json);
}

/* Unless a later version was told meanwhile. False: there is no room for it now. */
static bool tell_own(struct session *session, const struct message_row *row)
{
    const struct message *message = &row->message;
    struct json_writer *json = &session->node->json;

    if (own_sweep_outdated(session->node->own_sweep, &message->id, row->version))
        return true;

    json_writer_reset(json);
    if (message->status == MESSAGE_DELIVERED)
        event_status(json, message);
    else
        event_own(json, message);
    bool room = has_room(session, json_length(json));
    if (room)
        session_send_json(session, json);
    json_writer_reset(json);
    return room;
}

/* Whether that was the last page. */
static bool tell_page(struct resume *resume, const PGresult *result)
{
    struct waiter *waiter = &resume->waiters[0];
    bool full = false;

    for (int i = 0; i < PQntuples(result) && !full; i++) {
        struct message_row row;
        message_row_read(result, i, &row);
        full = !tell_own(resume->session, &row);
        if (!full) {
            waiter->after_us = row.message.at_us;
            waiter->after = row.message.id;
        }
    }
    bool last = !full && PQntuples(result) < OWN_ROWS >> resume->shrink;
    end_page(resume, full);
    return last;
}

static void handle_own(void *context, const struct pg_reply *reply)
{
    struct step *step = context;
    struct resume *resume = step_resume(step);

    if (resume && reply->outcome != PG_OK) {
        retry_later(resume);
    } else if (resume) {
        if (tell_page(resume, reply->result))
            finish_waiter(resume);
        go_on(resume);
    }
    free(step);
}

static void read_own(struct resume *resume)
{
    struct session *session = resume->session;
    struct waiter *waiter = &resume->waiters[0];
    struct pg_params params = PG_PARAMS_INIT;

    resume->reading = true;
    if (!waiter->read_at_us)
        waiter->read_at_us = clock_unix_us();
    pg_params_uuid(&params, &session->user->id);
    pg_params_int8_or_null(&params, waiter->has_since ? &waiter->since_us : NULL);
    pg_params_int8(&params, waiter->after_us);
    pg_params_uuid(&params, &waiter->after);
    pg_params_int4(&params, OWN_ROWS >> resume->shrink);
    pg_pool_query(session->node->pool, &sql_own_since, &params, handle_own, step_new(session));
}

static void go_on(struct resume *resume)
{
    struct session *session = resume->session;

    if (session->state != SESSION_LIVE || resume->reading || resume->full ||
        session->outbound.bytes > LOW_WATER_BYTES)
        return;
    if (read_rooms(resume))
        return;
    if (resume->waiter_count)
        read_own(resume);
    else
        session->resume = resume_free(resume);
}
