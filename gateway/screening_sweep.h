/* SPDX-License-Identifier: Apache-2.0 */
/* Screens the messages that other programs of the platform write as pending */
#pragma once

struct node;
struct screening_sweep;

/* Looks for them every two seconds, and when the database hints at one. */
struct screening_sweep *screening_sweep_new(struct node *node);
struct screening_sweep *screening_sweep_free(struct screening_sweep *sweep); /* takes NULL */

/* A message is pending somewhere: look soon. */
void screening_sweep_hint(struct screening_sweep *sweep);
