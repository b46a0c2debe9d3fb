/* SPDX-License-Identifier: Apache-2.0 */
/* Command line: how far a long verb has come, on standard error */
#include "gateway/cli_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/xasprintf.h"

enum {
    LINE_MS = 5000, /* between two lines where there is no terminal */
    BAR_MS = 100,   /* between two pictures of the bar */
    BAR_CELLS = 30,
};

void cli_progress_begin(struct cli_progress *progress, const char *what, int64_t total)
{
    uint64_t now_ms = clock_now_ms();
    bool terminal = isatty(STDERR_FILENO);

    *progress = (struct cli_progress){.what = what,
                                      .total = total,
                                      .terminal = terminal,
                                      .started_ms = now_ms,
                                      /* The first picture is drawn at once. */
                                      .shown_ms = terminal ? 0 : now_ms};
}

static void print_bar(const char *text, int64_t done, int64_t total)
{
    static const char cells[] = "##############################";
    int filled = total > 0 ? (int)(done * BAR_CELLS / total) : 0;

    fprintf(stderr, "\r[%-*.*s] %s\033[K", BAR_CELLS, filled, cells, text);
}

void cli_progress_show(struct cli_progress *progress, int64_t done, bool last)
{
    uint64_t now_ms = clock_now_ms();
    uint64_t pause_ms = progress->terminal ? BAR_MS : LINE_MS;
    int64_t elapsed_ms = (int64_t)(now_ms - progress->started_ms) + 1;

    if (last || done > progress->total)
        progress->total = done;
    if (!last && now_ms - progress->shown_ms < pause_ms)
        return;
    progress->shown_ms = now_ms;
    int64_t left_s = done ? (progress->total - done) * elapsed_ms / done / 1000 : 0;
    char *text = xasprintf(
        "%" PRId64 " of %" PRId64 " %s, %" PRId64 "/s, %" PRId64 ":%02" PRId64 " left", done,
        progress->total, progress->what, done * 1000 / elapsed_ms, left_s / 60, left_s % 60);
    if (progress->terminal)
        print_bar(text, done, progress->total);
    else
        fprintf(stderr, "%s\n", text);
    if (progress->terminal && last)
        fputc('\n', stderr);
    free(text);
}
