/* SPDX-License-Identifier: Apache-2.0 */
/* The database's NOTIFY hints: who should look at what, sooner than the sweeps would */
#pragma once

struct node;
struct pg_conn;

/* Opens the connection that listens. Hints may be lost or repeated: nothing depends on them. */
struct pg_conn *hints_open(struct node *node);
