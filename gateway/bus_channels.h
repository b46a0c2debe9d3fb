/* SPDX-License-Identifier: Apache-2.0 */
/* Which channels are wanted, and which Redis has confirmed. No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { BUS_CHANNEL_BYTES = 255 };

struct bus_channels;

/* As bus_done_fn. */
typedef void (*bus_channels_done_fn)(void *context, bool ok);

enum bus_channels_command { BUS_CHANNELS_SUBSCRIBE, BUS_CHANNELS_UNSUBSCRIBE };

struct bus_channels *bus_channels_new(void);
struct bus_channels *bus_channels_free(struct bus_channels *channels); /* nobody may wait */

/* One more, or one less, wants the channel. `done` (may be NULL) is finished when it is confirmed,
 * or given up. */
void bus_channels_add(struct bus_channels *channels, const char *name, bus_channels_done_fn done,
                      void *context);
void bus_channels_remove(struct bus_channels *channels, const char *name);

/* Whether somebody wants it. */
bool bus_channels_wanted(const struct bus_channels *channels, const char *name);

/* What to tell Redis next: up to `max` names for one command. Returns how many; 0 if nothing is
 * left to tell. They now await confirmation, and are borrowed until it comes or the connection is
 * lost. */
size_t bus_channels_next(struct bus_channels *channels, enum bus_channels_command *command,
                         const char **names, size_t max);

/* Redis has confirmed this command for this channel. */
void bus_channels_confirm(struct bus_channels *channels, enum bus_channels_command command,
                          const char *name);

size_t bus_channels_awaiting(const struct bus_channels *channels); /* confirmations */

/* Whether Redis knows and has confirmed all that is wanted, and nothing else. */
bool bus_channels_settled(const struct bus_channels *channels);

/* A new connection: what is wanted is to be told. To begin with there is none. */
void bus_channels_connected(struct bus_channels *channels);

/* The connection is lost, and Redis' memory of it: who waits gets false, as does who adds until
 * there is a new one. */
void bus_channels_disconnected(struct bus_channels *channels);

/* Calls the done functions that are due; they may call back into this module. */
bool bus_channels_has_finished(const struct bus_channels *channels);
void bus_channels_finish(struct bus_channels *channels);
