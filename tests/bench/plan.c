/* SPDX-License-Identifier: Apache-2.0 */
/* A plan is made by a program, so its reader is strict and says no more than the line. */
#include "tests/bench/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"

static const char blanks[] = " \n";

/* Room for one more, zeroed. Capacities are powers of two. */
static void *append(void *array, size_t *count, size_t bytes)
{
    if ((*count & (*count - 1)) == 0)
        array = xreallocarray(array, *count ? *count * 2 : 1, bytes);
    memset((char *)array + *count * bytes, 0, bytes);
    (*count)++;
    return array;
}

static bool next_number(char **rest, int64_t limit, int64_t *out)
{
    char *word = strtok_r(NULL, blanks, rest), *stop;

    if (!word)
        return false;
    *out = strtoll(word, &stop, 10);
    return !*stop && *out >= 0 && *out < limit;
}

static bool next_index(char **rest, size_t count, size_t *out)
{
    int64_t number;

    if (!next_number(rest, (int64_t)count, &number))
        return false;
    *out = (size_t)number;
    return true;
}

static bool next_uuid(char **rest, struct uuid *out)
{
    const char *word = strtok_r(NULL, blanks, rest);
    return word && uuid_parse(out, word, strlen(word));
}

static bool read_node(struct plan *plan, char **rest)
{
    char *host = strtok_r(NULL, ":\n", rest);
    int64_t port;

    plan->nodes = append(plan->nodes, &plan->node_count, sizeof(*plan->nodes));
    struct sockaddr_in *node = &plan->nodes[plan->node_count - 1];
    if (!host || !next_number(rest, UINT16_MAX + 1, &port))
        return false;
    node->sin_family = AF_INET;
    node->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &node->sin_addr) == 1;
}

static bool read_client(struct plan *plan, char **rest)
{
    plan->clients = append(plan->clients, &plan->client_count, sizeof(*plan->clients));
    struct plan_client *client = &plan->clients[plan->client_count - 1];
    if (!next_index(rest, plan->node_count, &client->node) || !next_uuid(rest, &client->user))
        return false;
    const char *token = strtok_r(NULL, blanks, rest);
    client->token = token ? xstrdup(token) : NULL;
    return token != NULL;
}

static bool read_room(struct plan *plan, char **rest)
{
    plan->rooms = append(plan->rooms, &plan->room_count, sizeof(*plan->rooms));
    struct plan_room *room = &plan->rooms[plan->room_count - 1];
    size_t client;

    if (!next_uuid(rest, &room->id) || !next_number(rest, INT64_MAX, &room->head) ||
        !next_index(rest, SIZE_MAX >> 1, &room->sender_count))
        return false;
    while (next_index(rest, plan->client_count, &client)) {
        room->clients = append(room->clients, &room->client_count, sizeof(*room->clients));
        room->clients[room->client_count - 1] = client;
    }
    return room->sender_count <= room->client_count;
}

static bool read_line(struct plan *plan, char *line)
{
    char *rest = NULL;
    const char *kind = strtok_r(line, blanks, &rest);

    if (!kind || *kind == '#')
        return true;
    if (!strcmp(kind, "node"))
        return read_node(plan, &rest);
    if (!strcmp(kind, "client"))
        return read_client(plan, &rest);
    if (!strcmp(kind, "room"))
        return read_room(plan, &rest);
    return false;
}

int plan_read(struct plan *plan, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    int number = 0, wrong = 0;

    *plan = (struct plan){0};
    if (!file)
        return -errno;
    while (!wrong && getline(&line, &capacity, file) >= 0) {
        number++;
        if (!read_line(plan, line))
            wrong = number;
    }
    free(line);
    fclose(file);
    return wrong;
}

void plan_deinit(struct plan *plan)
{
    for (size_t i = 0; i < plan->client_count; i++)
        free(plan->clients[i].token);
    for (size_t i = 0; i < plan->room_count; i++)
        free(plan->rooms[i].clients);
    free(plan->nodes);
    free(plan->clients);
    free(plan->rooms);
    *plan = (struct plan){0};
}
