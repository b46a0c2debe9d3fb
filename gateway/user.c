/* SPDX-License-Identifier: Apache-2.0 */
/* A registry by id, counted by reference. */
#include "gateway/user.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/node.h"
#include "gateway/session.h"
#include "gateway/uuid_map.h"
#include "protocol/xalloc.h"

struct users {
    struct node *node;
    struct uuid_map map;
};

static const char *const role_names[] = {
    [ROLE_STUDENT] = "student",
    [ROLE_TEACHER] = "teacher",
    [ROLE_MODERATOR] = "moderator",
    [ROLE_ADMIN] = "admin",
};

const char *user_role_name(enum user_role role)
{
    return role_names[role];
}

bool user_role_parse(enum user_role *out, const char *name)
{
    for (unsigned i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++) {
        if (!strcmp(name, role_names[i])) {
            *out = (enum user_role)i;
            return true;
        }
    }
    return false;
}

bool user_role_is_staff(enum user_role role)
{
    return role == ROLE_MODERATOR || role == ROLE_ADMIN;
}

struct users *users_new(struct node *node)
{
    struct users *users = xcalloc(1, sizeof(*users));
    users->node = node;
    uuid_map_init(&users->map);
    return users;
}

struct users *users_free(struct users *users)
{
    if (!users)
        return NULL;
    uuid_map_deinit(&users->map);
    free(users);
    return NULL;
}

struct user *users_find(const struct users *users, const struct uuid *id)
{
    return uuid_map_get(&users->map, id);
}

const struct uuid_map *users_map(const struct users *users)
{
    return &users->map;
}

struct user *users_acquire(struct users *users, const struct uuid *id)
{
    struct user *user = users_find(users, id);

    if (!user) {
        user = xcalloc(1, sizeof(*user));
        user->users = users;
        user->id = *id;
        list_init(&user->sessions);
        uuid_map_put(&users->map, id, user);
    }
    user->refs++;
    return user;
}

struct user *user_unref(struct user *user)
{
    if (!user || --user->refs)
        return NULL;
    uuid_map_remove(&user->users->map, &user->id);
    free(user->names);
    free(user);
    return NULL;
}

void user_set_names(struct user *user, const char *first_name, const char *last_name)
{
    const char *first = first_name ? first_name : "", *last = last_name ? last_name : "";
    size_t first_bytes = strlen(first) + 1, last_bytes = strlen(last) + 1;

    free(user->names);
    user->names = xmalloc(first_bytes + last_bytes);
    memcpy(user->names, first, first_bytes);
    memcpy(user->names + first_bytes, last, last_bytes);
}

struct person user_person(const struct user *user)
{
    return (struct person){
        .id = user->id,
        .role = user_role_name(user->role),
        .first_name = user->names ? user->names : "",
        .last_name = user->names ? user->names + strlen(user->names) + 1 : "",
    };
}

void user_send(struct user *user, struct frame *frame)
{
    LIST_FOREACH (node, &user->sessions)
        session_send(container_of(node, struct session, user_link), frame);
}

void user_channel(const struct uuid *id, char out[static USER_CHANNEL_BYTES])
{
    memcpy(out, "u:", 2);
    uuid_format(id, out + 2);
}

bool user_of_channel(struct uuid *out, const char *channel)
{
    return !strncmp(channel, "u:", 2) && uuid_parse(out, channel + 2, strlen(channel + 2));
}
