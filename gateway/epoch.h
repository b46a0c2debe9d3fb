/* SPDX-License-Identifier: Apache-2.0 */
/* Which history of the database the node serves, and what happens when it is another one. */
#pragma once

struct node;

/* Watches the database's connections: node::fence. */
void epoch_watch(struct node *node);

/* What the database says its epoch is. Sessions of another one are closed, with their rooms. */
void epoch_set(struct node *node, const char *epoch);
