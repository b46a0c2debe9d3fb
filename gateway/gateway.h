/* SPDX-License-Identifier: Apache-2.0 */
/* Gateway: the daemon, from a checked configuration to an exit status. */
#pragma once

struct config;
struct config_sources;

/* Serves until SIGTERM or SIGINT has drained it. Borrows sources, which SIGHUP loads anew
 * (config_reload), and takes a ref of its own on config. Returns an exit status: EX_OK, or
 * EX_UNAVAILABLE, EX_OSERR, EX_CONFIG if it could not start (it has logged why). */
int gateway_run(const struct config_sources *sources, struct config *config);
