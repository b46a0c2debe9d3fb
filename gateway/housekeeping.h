/* SPDX-License-Identifier: Apache-2.0 */
/* What a node does every few seconds: epoch, gauges, stray rows, the watchdog */
#pragma once

#include <stdbool.h>

struct housekeeping;
struct node;

/* Reads the epoch at once, and then, with the rest, in steps. A database that was restored or
 * failed over to another history shows another epoch: every session is closed and resumes with
 * resets. */
struct housekeeping *housekeeping_new(struct node *node);
struct housekeeping *housekeeping_free(struct housekeeping *housekeeping); /* takes NULL */

/* Whether this node should be sent clients: the database answers and nothing is draining. */
bool housekeeping_ready(const struct node *node);
