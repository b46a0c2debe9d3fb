/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket of our own, with SO_REUSEPORT or handed down by systemd */
#pragma once

#include <stdbool.h>

struct listener;
struct node;

/* Listens, or takes over systemd's socket of that name ("public", "admin"; sd_listen_fds(3)).
 * Accepts only after listener_start(). NULL with errno set if the address can't be had. */
struct listener *listener_new(struct node *node, const char *address, int port, bool admin);

void listener_start(struct listener *listener);
int listener_port(const struct listener *listener);

/* Stops accepting and closes the socket. Freed when the loop has closed the handle. Takes NULL. */
void listener_close(struct listener *listener);
