/* SPDX-License-Identifier: Apache-2.0 */
/* A client's WebSocket conversation, from the upgrade to the close */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/handle_table.h"
#include "gateway/jwt.h"
#include "gateway/outbound.h"
#include "gateway/pages.h"
#include "gateway/rate_limit.h"
#include "gateway/request.h"
#include "gateway/timer_wheel.h"
#include "protocol/close_code.h"
#include "protocol/list.h"
#include "protocol/uuid.h"

struct connection;
struct frame;
struct hello;
struct json_writer;
struct node;
struct resume;
struct user;

enum session_state {
    SESSION_AUTHENTICATING, /* waits for hello */
    SESSION_LOADING,        /* token accepted; user, rooms and subscription are on their way */
    SESSION_LIVE,           /* welcome was sent */
    SESSION_CLOSED,         /* a close frame is queued; nothing is taken or sent any more */
};

/* Owned by its connection and freed when the socket is gone. Whoever waits for an answer keeps
 * `handle`, never the pointer. */
struct session {
    struct node *node;
    struct connection *connection;
    struct handle handle;
    enum session_state state;
    struct user *user;          /* set from SESSION_LOADING on; a reference */
    struct list_node user_link; /* user::sessions, while live */
    struct list_node rooms;     /* room_member::session_link */
    struct outbound outbound;
    struct timer_entry deadline; /* hello's; then the heartbeat's */
    struct timer_entry expiry;   /* of the token: the warning, then the end */
    struct rate_limit requests;
    struct jwt_grant grant; /* of the token that was accepted last */
    struct hello *hello;    /* while loading, NULL otherwise; owned (hello.h) */
    struct resume *resume;  /* while rooms are behind, NULL otherwise; owned (resume.h) */
    struct pages pages;     /* requests that wait (pages.h) */
    int64_t last_id;        /* highest request id so far */
    uint64_t heard_ms;      /* when anything last came in */
    uint16_t bad_requests;  /* malformed frames, forgiven up to a number */
    uint16_t floods;        /* requests refused by rate limits */
    bool awaiting_pong;
    bool expiry_warned;
    bool subscribed;             /* to the user's channel */
    struct list_node watch_link; /* moderators.h: watches the queue */
    struct uuid id;              /* told in welcome, for logs */
};

/* A socket was upgraded. Takes connection->grant where the upgrade brought a token. */
struct session *session_new(struct connection *connection);

/* The socket is gone. Takes NULL and returns NULL. */
struct session *session_free(struct session *session);

/* One whole text message of the client, valid UTF-8, not terminated. */
void session_receive(struct session *session, const char *text, size_t length);

/* Anything at all came in, a pong too. */
void session_heard(struct session *session);

/* The outbound queue ran empty: a resume may go on. */
void session_drained(struct session *session);

/* A request of this session's user; `re` is its id. */
struct request session_request(const struct session *session, int64_t re);

/* Gives up its place in all rooms: no event of theirs reaches it any more. */
void session_leave_rooms(struct session *session);

/* Queues a frame (a reference of its own). A queue that is full closes the session as slow. */
void session_send(struct session *session, struct frame *frame);

/* Makes a frame of what the writer holds, queues it and resets the writer. */
void session_send_json(struct session *session, struct json_writer *writer);

/* Ends the session, once, for this reason; later calls do nothing. */
void session_close(struct session *session, enum close_code code, int64_t retry_after_ms);

void session_set_state(struct session *session, enum session_state state);

/* Pings from now on. */
void session_start_heartbeat(struct session *session);

/* Warns before the token ends (once), and closes when it has. Call again after a refresh. */
void session_watch_expiry(struct session *session);

/* A limit refused a request. One that goes on and on is closed (4005). Takes NULL. */
void session_refused(struct session *session, int64_t retry_after_ms);

struct session *session_get(struct node *node, struct handle handle); /* NULL if closed or gone */
