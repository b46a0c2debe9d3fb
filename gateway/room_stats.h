/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of rooms that the database makes */
#pragma once

struct node;
struct room_stats;

/* Reads on every few seconds, from what happens after the start. */
struct room_stats *room_stats_new(struct node *node);
struct room_stats *room_stats_free(struct room_stats *stats); /* takes NULL */
