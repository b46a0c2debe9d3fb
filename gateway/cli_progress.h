/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: how far a long verb has come, on standard error */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A bar on a terminal; elsewhere a line each 5 s. */
struct cli_progress {
    const char *what; /* "rooms"; borrowed */
    int64_t total;    /* may be an estimate */
    bool terminal;
    uint64_t started_ms, shown_ms;
};

void cli_progress_begin(struct cli_progress *progress, const char *what, int64_t total);

/* `last`: nothing more will come, whatever the total was. */
void cli_progress_show(struct cli_progress *progress, int64_t done, bool last);
