/* SPDX-License-Identifier: Apache-2.0 */
/* The users who are connected to this node, each with all their devices here */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocol/list.h"
#include "protocol/message.h"
#include "protocol/uuid.h"

struct frame;
struct node;
struct users;
struct uuid_map;

enum user_role { ROLE_STUDENT, ROLE_TEACHER, ROLE_MODERATOR, ROLE_ADMIN };

/* Exists while a session of theirs does. Names and role are as the database last said. */
struct user {
    struct users *users;
    struct uuid id;
    char *names;               /* the first, NUL, the last; NULL until they were read */
    struct list_node sessions; /* session::user_link, live ones only */
    unsigned session_count;
    unsigned refs;
    enum user_role role;
};

const char *user_role_name(enum user_role role);
bool user_role_parse(enum user_role *out, const char *name);
bool user_role_is_staff(enum user_role role);

struct users *users_new(struct node *node);
struct users *users_free(struct users *users); /* nobody may be left. Takes NULL */

/* The user's object, made if need be, with a reference more. */
struct user *users_acquire(struct users *users, const struct uuid *id);
struct user *user_unref(struct user *user); /* takes NULL, returns NULL */

struct user *users_find(const struct users *users, const struct uuid *id); /* borrowed, or NULL */
const struct uuid_map *users_map(const struct users *users);               /* of struct user */

void user_set_names(struct user *user, const char *first_name, const char *last_name);
struct person user_person(const struct user *user); /* borrows the strings */

/* To every live session of the user. */
void user_send(struct user *user, struct frame *frame);

enum { USER_CHANNEL_BYTES = 2 + UUID_TEXT_BYTES + 1 };

/* The user's channel on the bus, "u:<id>". */
void user_channel(const struct uuid *id, char out[static USER_CHANNEL_BYTES]);
bool user_of_channel(struct uuid *out, const char *channel);
