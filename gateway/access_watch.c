/* SPDX-License-Identifier: Apache-2.0 */
/* A poll of user_access by time, with a window that overlaps; applying a row twice is harmless. */
#include "gateway/access_watch.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/jwt.h"
#include "gateway/log.h"
#include "gateway/node.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "gateway/pg_row.h"
#include "gateway/session.h"
#include "gateway/timer_wheel.h"
#include "protocol/xalloc.h"
#include "sql/embedded.h"

/* A change is stamped by its statement and seen after its transaction, which may be a long one. */
enum { OVERLAP_S = 900 };

struct access_watch {
    struct node *node;
    struct timer_entry timer;
    int64_t since_us, next_since_us;
    bool reading, again, freed;
};

/* A token tells its age to the second only. One of the very second that ends the old ones may be
 * from before that moment, so it is not believed; login.c dates what it issues accordingly. */
bool access_allows(int64_t iat_s, int64_t valid_after_us, int64_t suspended_until_us)
{
    return iat_s * 1000000 >= valid_after_us && suspended_until_us <= clock_unix_us();
}

int64_t access_valid_from_s(int64_t valid_after_us)
{
    return (valid_after_us + 999999) / 1000000;
}

void access_set_role(struct user *user, enum user_role role)
{
    if (role != user->role)
        LIST_FOREACH (link, &user->sessions)
            session_close(container_of(link, struct session, user_link), CLOSE_REVOKED, 0);
    user->role = role;
}

/* The columns of sql/statements/access_changed.sql. */
enum column { USER, ROLE, DELETED, VALID_AFTER_US, SUSPENDED_UNTIL_US };

static void apply(struct node *node, const PGresult *result, int row)
{
    struct uuid id;
    enum user_role role = ROLE_STUDENT;

    pg_uuid(result, row, USER, &id);
    struct user *user = users_find(node->users, &id);
    if (!user)
        return;
    const char *name = pg_text(result, row, ROLE, NULL);
    bool gone = pg_bool(result, row, DELETED) || !name || !user_role_parse(&role, name);
    bool changed = gone || role != user->role;
    LIST_FOREACH (link, &user->sessions) {
        struct session *session = container_of(link, struct session, user_link);
        if (changed || !access_allows(session->grant.iat_s, pg_int8(result, row, VALID_AFTER_US),
                                      pg_int8(result, row, SUSPENDED_UNTIL_US)))
            session_close(session, CLOSE_REVOKED, 0);
    }
}

static void look(struct access_watch *watch);

static void handle_timer(struct timer_entry *entry)
{
    look(container_of(entry, struct access_watch, timer));
}

static void handle_changed(void *context, const struct pg_reply *reply)
{
    struct access_watch *watch = context;
    struct node *node = watch->node;

    watch->reading = false;
    if (watch->freed) {
        free(watch);
        return;
    }
    if (reply->outcome == PG_OK) {
        for (int row = 0; row < PQntuples(reply->result); row++)
            apply(node, reply->result, row);
        watch->since_us = watch->next_since_us;
    }
    timer_wheel_arm(node->wheel, &watch->timer,
                    watch->again ? 1 : (uint64_t)node->config->delivery.access_check_ms,
                    handle_timer);
    watch->again = false;
}

static void look(struct access_watch *watch)
{
    struct pg_params params = PG_PARAMS_INIT;

    watch->reading = true;
    watch->next_since_us = clock_unix_us() - (int64_t)OVERLAP_S * 1000000;
    pg_params_int8(&params, watch->since_us);
    pg_pool_query(watch->node->pool, &sql_access_changed, &params, handle_changed, watch);
}

void access_watch_now(struct access_watch *watch)
{
    if (watch->reading)
        watch->again = true;
    else
        timer_wheel_arm(watch->node->wheel, &watch->timer, 1, handle_timer);
}

struct access_watch *access_watch_new(struct node *node)
{
    struct access_watch *watch = xcalloc(1, sizeof(*watch));

    watch->node = node;
    watch->since_us = clock_unix_us() - (int64_t)OVERLAP_S * 1000000;
    timer_entry_init(&watch->timer);
    timer_wheel_arm(node->wheel, &watch->timer, (uint64_t)node->config->delivery.access_check_ms,
                    handle_timer);
    return watch;
}

struct access_watch *access_watch_free(struct access_watch *watch)
{
    if (!watch)
        return NULL;
    timer_wheel_cancel(&watch->timer);
    watch->freed = true;
    if (!watch->reading)
        free(watch);
    return NULL;
}
