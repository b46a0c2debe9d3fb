/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving without breaking conversations */
#pragma once

struct drain;
struct node;

/* Stops accepting, tells readiness, and closes the sessions (4000) spread over drain.window_s, each
 * with a hint when to come back. Calls `done` when nobody is left, or soon after the window. */
struct drain *drain_start(struct node *node, void (*done)(void *context), void *context);
struct drain *drain_free(struct drain *drain); /* takes NULL */
