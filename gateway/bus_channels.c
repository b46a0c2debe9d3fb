/* SPDX-License-Identifier: Apache-2.0 */
/* Which channels are wanted, and which Redis has confirmed.
 *
 *              next()              confirm()               next()
 *     ABSENT ---------> JOINING -------------> PRESENT ------------> LEAVING
 *        ^_____________________________________________________________|   confirm()
 *
 * A channel has at most one command under way. If it is wanted no more while it is JOINING, or
 * wanted again while it is LEAVING, that waits until Redis has confirmed, so that a confirmation
 * can only belong to the latest command. Otherwise, after unsubscribe and subscribe in quick
 * succession, the confirmation of the first subscription would be taken for the second's, and what
 * is published in between would be missed by one who had been told that he missed nothing.
 *
 * A channel whose state isn't what it should be is on the list of changes. It is forgotten when
 * nobody wants it and it is ABSENT.
 */

#include "gateway/bus_channels.h"

#include "protocol/list.h"
#include "protocol/xalloc.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 256 };

enum state { STATE_ABSENT, STATE_JOINING, STATE_PRESENT, STATE_LEAVING };

struct waiter {
    struct list_node link; /* channel::waiters, then bus_channels::finished */
    bus_channels_done_fn done;
    void *context;
    bool ok;
};

struct channel {
    struct channel *next;     /* in the bucket */
    struct list_node change;  /* bus_channels::changes */
    struct list_node waiters; /* waiter::link */
    size_t users;             /* how many want it */
    enum state state;
    uint64_t hash;
    char name[];
};

struct bus_channels {
    struct channel **buckets; /* a power of two of them */
    size_t bucket_count, count;
    size_t awaiting; /* confirmations */
    bool connected;
    struct list_node changes;  /* channel::change */
    struct list_node finished; /* waiter::link */
};

/* FNV-1a; names are made by ourselves, from ids that the server made. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

static struct channel **find_place(const struct bus_channels *channels, const char *name,
                                   uint64_t hash)
{
    struct channel **place = &channels->buckets[hash & (channels->bucket_count - 1)];

    while (*place && ((*place)->hash != hash || strcmp((*place)->name, name) != 0))
        place = &(*place)->next;
    return place;
}

static struct channel *find(const struct bus_channels *channels, const char *name)
{
    return *find_place(channels, name, hash_name(name));
}

static void grow(struct bus_channels *channels)
{
    size_t old_count = channels->bucket_count;
    struct channel **old = channels->buckets;

    channels->bucket_count = 2 * old_count;
    channels->buckets = xcalloc(channels->bucket_count, sizeof(*channels->buckets));
    for (size_t i = 0; i < old_count; i++) {
        for (struct channel *channel = old[i], *next; channel; channel = next) {
            struct channel **bucket =
                &channels->buckets[channel->hash & (channels->bucket_count - 1)];

            next = channel->next;
            channel->next = *bucket;
            *bucket = channel;
        }
    }
    free(old);
}

static struct channel *find_or_make(struct bus_channels *channels, const char *name)
{
    uint64_t hash = hash_name(name);
    struct channel *channel = *find_place(channels, name, hash);
    size_t length = strlen(name);

    if (channel)
        return channel;
    assert(length > 0 && length <= BUS_CHANNEL_BYTES);
    if (channels->count == channels->bucket_count)
        grow(channels);
    channel = xcalloc(1, sizeof(*channel) + length + 1);
    memcpy(channel->name, name, length);
    channel->hash = hash;
    list_init(&channel->change);
    list_init(&channel->waiters);
    *find_place(channels, name, hash) = channel;
    channels->count++;
    return channel;
}

static void forget(struct bus_channels *channels, struct channel *channel)
{
    assert(list_empty(&channel->waiters));
    list_remove(&channel->change);
    *find_place(channels, channel->name, channel->hash) = channel->next;
    channels->count--;
    free(channel);
}

/* Puts the channel on the list of changes or takes it off. It may be gone afterwards. */
static void review(struct bus_channels *channels, struct channel *channel)
{
    bool wanted = channel->users > 0, change = false;

    switch (channel->state) {
    case STATE_ABSENT:
        if (!wanted) {
            forget(channels, channel);
            return;
        }
        change = true;
        break;
    case STATE_PRESENT:
        change = !wanted;
        break;
    case STATE_JOINING:
    case STATE_LEAVING:
        break;
    }
    if (change && !list_linked(&channel->change))
        list_append(&channels->changes, &channel->change);
    else if (!change)
        list_remove(&channel->change);
}

static void finish_waiters(struct bus_channels *channels, struct channel *channel, bool ok)
{
    LIST_FOREACH (node, &channel->waiters)
        container_of(node, struct waiter, link)->ok = ok;
    list_splice(&channels->finished, &channel->waiters);
}

struct bus_channels *bus_channels_new(void)
{
    struct bus_channels *channels = xcalloc(1, sizeof(*channels));

    channels->bucket_count = BUCKETS_MIN;
    channels->buckets = xcalloc(BUCKETS_MIN, sizeof(*channels->buckets));
    list_init(&channels->changes);
    list_init(&channels->finished);
    return channels;
}

struct bus_channels *bus_channels_free(struct bus_channels *channels)
{
    if (!channels)
        return NULL;
    assert(list_empty(&channels->finished));
    for (size_t i = 0; i < channels->bucket_count; i++)
        while (channels->buckets[i])
            forget(channels, channels->buckets[i]);
    free(channels->buckets);
    free(channels);
    return NULL;
}

void bus_channels_add(struct bus_channels *channels, const char *name, bus_channels_done_fn done,
                      void *context)
{
    struct channel *channel = find_or_make(channels, name);

    channel->users++;
    if (done) {
        struct waiter *waiter = xcalloc(1, sizeof(*waiter));

        list_init(&waiter->link);
        waiter->done = done;
        waiter->context = context;
        list_append(&channel->waiters, &waiter->link);
    }
    if (channel->state == STATE_PRESENT || !channels->connected)
        finish_waiters(channels, channel, channels->connected);
    review(channels, channel);
}

void bus_channels_remove(struct bus_channels *channels, const char *name)
{
    struct channel *channel = find(channels, name);

    assert(channel && channel->users > 0);
    if (--channel->users > 0)
        return;
    finish_waiters(channels, channel, false);
    review(channels, channel);
}

bool bus_channels_wanted(const struct bus_channels *channels, const char *name)
{
    const struct channel *channel = find(channels, name);

    return channel && channel->users > 0;
}

static struct channel *first_change(const struct bus_channels *channels)
{
    return list_empty(&channels->changes)
               ? NULL
               : container_of(list_first(&channels->changes), struct channel, change);
}

size_t bus_channels_next(struct bus_channels *channels, enum bus_channels_command *command,
                         const char **names, size_t max)
{
    struct channel *channel = first_change(channels);
    size_t n = 0;

    if (!channel || !channels->connected)
        return 0;
    enum state from = channel->state;
    *command = from == STATE_ABSENT ? BUS_CHANNELS_SUBSCRIBE : BUS_CHANNELS_UNSUBSCRIBE;
    while (n < max && (channel = first_change(channels)) && channel->state == from) {
        list_remove(&channel->change);
        channel->state = from == STATE_ABSENT ? STATE_JOINING : STATE_LEAVING;
        names[n++] = channel->name;
    }
    channels->awaiting += n;
    return n;
}

void bus_channels_confirm(struct bus_channels *channels, enum bus_channels_command command,
                          const char *name)
{
    struct channel *channel = find(channels, name);
    enum state expected = command == BUS_CHANNELS_SUBSCRIBE ? STATE_JOINING : STATE_LEAVING;

    if (!channel || channel->state != expected)
        return;
    channels->awaiting--;
    channel->state = command == BUS_CHANNELS_SUBSCRIBE ? STATE_PRESENT : STATE_ABSENT;
    if (channel->state == STATE_PRESENT)
        finish_waiters(channels, channel, true);
    review(channels, channel);
}

size_t bus_channels_awaiting(const struct bus_channels *channels)
{
    return channels->awaiting;
}

bool bus_channels_settled(const struct bus_channels *channels)
{
    return channels->connected && channels->awaiting == 0 && list_empty(&channels->changes);
}

void bus_channels_connected(struct bus_channels *channels)
{
    channels->connected = true;
}

void bus_channels_disconnected(struct bus_channels *channels)
{
    channels->connected = false;
    channels->awaiting = 0;
    for (size_t i = 0; i < channels->bucket_count; i++) {
        for (struct channel *channel = channels->buckets[i], *next; channel; channel = next) {
            next = channel->next;
            channel->state = STATE_ABSENT;
            finish_waiters(channels, channel, false);
            review(channels, channel);
        }
    }
}

bool bus_channels_has_finished(const struct bus_channels *channels)
{
    return !list_empty(&channels->finished);
}

void bus_channels_finish(struct bus_channels *channels)
{
    struct list_node due = LIST_INIT(due);

    /* What the callbacks finish is called in the next turn. */
    list_splice(&due, &channels->finished);
    while (!list_empty(&due)) {
        struct waiter *waiter = container_of(list_first(&due), struct waiter, link);

        list_remove(&waiter->link);
        waiter->done(waiter->context, waiter->ok);
        free(waiter);
    }
}
