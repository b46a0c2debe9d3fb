/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Senders take turns room by room and then member by member, so neighbours in time are strangers in
 * the database. Dialling is kept to a window, since opening ten thousand connections at once
 * measures something else; the herd has no window on purpose.
 */
#include "tests/bench/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/xalloc.h"
#include "tests/bench/plan.h"
#include "tests/bench/tally.h"

/* --- life --- */

static int by_id(const void *a, const void *b)
{
    return uuid_compare(&((const struct device_room *)a)->id, &((const struct device_room *)b)->id);
}

static size_t *rooms_per_client(const struct plan *plan)
{
    size_t *counts = xcalloc(plan->client_count + 1, sizeof(*counts));

    for (size_t i = 0; i < plan->room_count; i++)
        for (size_t j = 0; j < plan->rooms[i].client_count; j++)
            counts[plan->rooms[i].clients[j]]++;
    return counts;
}

static void make_devices(struct fleet *fleet)
{
    const struct plan *plan = fleet->plan;
    size_t *counts = rooms_per_client(plan);

    fleet->device_count = plan->client_count;
    fleet->devices = xcalloc(plan->client_count + 1, sizeof(*fleet->devices));
    for (size_t i = 0; i < plan->client_count; i++)
        device_init(&fleet->devices[i], fleet, &plan->clients[i],
                    xcalloc(counts[i] + 1, sizeof(struct device_room)), 0);
    free(counts);
}

static void enter_rooms(struct fleet *fleet)
{
    fleet->matches = xcalloc(fleet->plan->room_count + 1, sizeof(*fleet->matches));
    for (size_t i = 0; i < fleet->plan->room_count; i++) {
        const struct plan_room *room = &fleet->plan->rooms[i];
        fleet->matches[i].top = room->head;
        for (size_t j = 0; j < room->client_count; j++) {
            struct device *device = &fleet->devices[room->clients[j]];
            device->rooms[device->room_count++] =
                (struct device_room){room->id, &fleet->matches[i], room->head};
        }
    }
    for (size_t i = 0; i < fleet->device_count; i++)
        qsort(fleet->devices[i].rooms, fleet->devices[i].room_count, sizeof(struct device_room),
              by_id);
}

static size_t most_senders(const struct plan *plan)
{
    size_t most = 0;

    for (size_t i = 0; i < plan->room_count; i++)
        if (plan->rooms[i].sender_count > most)
            most = plan->rooms[i].sender_count;
    return most;
}

static void line_up_senders(struct fleet *fleet)
{
    const struct plan *plan = fleet->plan;
    size_t members = most_senders(plan);

    fleet->senders = xcalloc(members * plan->room_count + 1, sizeof(*fleet->senders));
    for (size_t member = 0; member < members; member++) {
        for (size_t i = 0; i < plan->room_count; i++) {
            const struct plan_room *room = &plan->rooms[i];
            if (member >= room->sender_count)
                continue;
            struct device *device = &fleet->devices[room->clients[member]];
            device->sends = true;
            fleet->senders[fleet->sender_count++] =
                (struct fleet_sender){device, device_room(device, &room->id)};
        }
    }
}

void fleet_init(struct fleet *fleet, uv_loop_t *loop, const struct plan *plan, struct tally *tally)
{
    *fleet = (struct fleet){.loop = loop, .plan = plan, .tally = tally};
    json_writer_init(&fleet->json);
    make_devices(fleet);
    enter_rooms(fleet);
    line_up_senders(fleet);
    tally->clients = fleet->device_count;
}

void fleet_deinit(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->device_count; i++)
        device_deinit(&fleet->devices[i]);
    for (size_t i = 0; i < fleet->plan->room_count; i++)
        match_deinit(&fleet->matches[i]);
    free(fleet->devices);
    free(fleet->matches);
    free(fleet->senders);
    json_writer_deinit(&fleet->json);
}

/* --- dialling --- */

static void dial_more(struct fleet *fleet)
{
    while (fleet->dialling < fleet->window && fleet->next_dial < fleet->last_dial) {
        struct device *device = &fleet->devices[fleet->next_dial++];
        if (device->state != DEVICE_AWAY)
            continue;
        fleet->dialling++;
        device_dial(device);
    }
}

void fleet_dial(struct fleet *fleet, size_t count, size_t window)
{
    fleet->window = window;
    fleet->next_dial = 0;
    fleet->last_dial = count;
    fleet->first_dial_ns = uv_hrtime();
    dial_more(fleet);
}

void fleet_device_live(struct fleet *fleet)
{
    fleet->live++;
    fleet->dialling--;
    dial_more(fleet);
    if (fleet->live == fleet->device_count)
        fleet->tally->all_live_us = (uv_hrtime() - fleet->first_dial_ns) / 1000;
}

void fleet_device_gone(struct fleet *fleet, bool comes_back)
{
    fleet->live--;
    fleet->dialling += comes_back;
}

/* --- leaving --- */

void fleet_drop_listeners(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->device_count; i++)
        if (!fleet->devices[i].sends)
            device_drop(&fleet->devices[i]);
}

void fleet_drop_all(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->device_count; i++)
        device_drop(&fleet->devices[i]);
}

/* --- talking --- */

void fleet_send_next(struct fleet *fleet, size_t text_bytes)
{
    if (!fleet->sender_count)
        return;
    const struct fleet_sender *sender = &fleet->senders[fleet->next_sender];
    fleet->next_sender = (fleet->next_sender + 1) % fleet->sender_count;
    device_send(sender->device, sender->room, text_bytes);
}

size_t fleet_unanswered(const struct fleet *fleet)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet->device_count; i++)
        count += fleet->devices[i].in_flight;
    return count;
}

uint64_t fleet_missing(const struct fleet *fleet)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < fleet->device_count; i++) {
        const struct device *device = &fleet->devices[i];
        for (size_t j = 0; j < device->room_count; j++)
            if (device->rooms[j].cursor < device->rooms[j].match->top)
                missing += (uint64_t)(device->rooms[j].match->top - device->rooms[j].cursor);
    }
    return missing;
}
