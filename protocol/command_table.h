/* SPDX-License-Identifier: Apache-2.0 */
/* Every request that a client can make: COMMAND_ROW(NAME, member, "wire name", id, who)
 *
 * `member` is its member of struct command's union and names its parser. `id`: REQUIRED where an
 * answer always comes, OPTIONAL where one comes if asked for. `who`: ANYONE signed in, or STAFF
 * (moderator, admin). LOGIN exists over REST only: its id is ABSENT, and its name is no `t`. */
/* clang-format off */
COMMAND_ROW(HELLO,         hello,         "hello",         REQUIRED, ANYONE)
COMMAND_ROW(SYNC,          sync,          "sync",          REQUIRED, ANYONE)
COMMAND_ROW(OPEN,          open,          "open",          REQUIRED, ANYONE)
COMMAND_ROW(SEND,          send,          "send",          REQUIRED, ANYONE)
COMMAND_ROW(HISTORY,       history,       "history",       REQUIRED, ANYONE)
COMMAND_ROW(ROOMS,         rooms,         "rooms",         REQUIRED, ANYONE)
COMMAND_ROW(READ,          read,          "read",          OPTIONAL, ANYONE)
COMMAND_ROW(TYPING,        typing,        "typing",        OPTIONAL, ANYONE)
COMMAND_ROW(REFRESH,       refresh,       "refresh",       REQUIRED, ANYONE)
COMMAND_ROW(QUEUE_WATCH,   queue_watch,   "queue.watch",   REQUIRED, STAFF)
COMMAND_ROW(QUEUE_UNWATCH, queue_unwatch, "queue.unwatch", REQUIRED, STAFF)
COMMAND_ROW(QUEUE_CLAIM,   queue_claim,   "queue.claim",   REQUIRED, STAFF)
COMMAND_ROW(QUEUE_RELEASE, queue_release, "queue.release", REQUIRED, STAFF)
COMMAND_ROW(QUEUE_DECIDE,  queue_decide,  "queue.decide",  REQUIRED, STAFF)
COMMAND_ROW(QUEUE_UNDO,    queue_undo,    "queue.undo",    REQUIRED, STAFF)
COMMAND_ROW(QUEUE_REMOVE,  queue_remove,  "queue.remove",  REQUIRED, STAFF)
COMMAND_ROW(QUEUE_CONTEXT, queue_context, "queue.context", REQUIRED, STAFF)
COMMAND_ROW(QUEUE_STATS,   queue_stats,   "queue.stats",   REQUIRED, STAFF)
COMMAND_ROW(LOGIN,         login,         "login",         ABSENT,   ANYONE)
/* clang-format on */
