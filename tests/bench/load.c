/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatgate-bench: load on gateway nodes, from one thread.
 *
 * A mode is a list of phases, each entered by a function and left after its time, or when everyone
 * is live, or when everything has arrived. Phases are told on stdout as they begin, so that
 * whoever started the program can look at the servers in between; the last line is the result in
 * JSON. The table for people goes to stderr.
 *
 * The load is an open loop: messages are sent when they are due, whatever the servers do. Latencies
 * are counted from the moment of the send; how late the generator itself was, is reported beside
 * them, and a run in which it was late says more about the generator.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/fleet.h"
#include "tests/bench/pace.h"
#include "tests/bench/plan.h"
#include "tests/bench/tally.h"

enum {
    SETTLE_MS = 500,
    POLL_MS = 20,
    DIAL_LIMIT_MS = 120000,
    DRAIN_LIMIT_MS = 10000,
    EXIT_FAULTS = 1,
    EXIT_USAGE = 2,
};

struct options {
    const char *plan_path;
    double rate;
    uint64_t seconds, warmup_s, away_s;
    size_t text_bytes, window;
};

struct run {
    uv_loop_t loop;
    struct options options;
    const struct phase *phase;
    uint64_t entered_ms; /* on the loop's clock */
    uv_timer_t timer;
    struct pace pace;
    struct plan plan;
    struct fleet fleet;
    struct tally tally;
    bool failed;
};

/* One step of a mode; the last one has no name. */
struct phase {
    const char *name;
    void (*enter)(struct run *run);
    bool (*over)(struct run *run);
};

/* --- what a phase does --- */

static void enter_dial_half(struct run *run)
{
    fleet_dial(&run->fleet, run->fleet.device_count / 2, run->options.window);
}

static void enter_dial(struct run *run)
{
    fleet_dial(&run->fleet, run->fleet.device_count, run->options.window);
}

static void enter_warmup(struct run *run)
{
    pace_start(&run->pace, run->options.rate);
}

static void enter_window(struct run *run)
{
    tally_open_window(&run->tally);
}

static void enter_away(struct run *run)
{
    fleet_drop_listeners(&run->fleet);
}

static void enter_herd(struct run *run)
{
    memset(&run->tally.connect, 0, sizeof(run->tally.connect));
    memset(&run->tally.live, 0, sizeof(run->tally.live));
    tally_open_window(&run->tally);
    fleet_dial(&run->fleet, run->fleet.device_count, SIZE_MAX);
}

static void enter_drain(struct run *run)
{
    if (run->pace.running)
        pace_stop(&run->pace);
    tally_close_window(&run->tally);
}

static void enter_nothing(struct run *run)
{
    (void)run;
}

/* --- when it is over --- */

static uint64_t phase_ms(const struct run *run)
{
    return uv_now(&run->loop) - run->entered_ms;
}

static bool all_live(struct run *run)
{
    run->failed = phase_ms(run) > DIAL_LIMIT_MS;
    return run->fleet.live == run->fleet.device_count || run->failed;
}

static bool half_live(struct run *run)
{
    run->failed = phase_ms(run) > DIAL_LIMIT_MS;
    return run->fleet.live == run->fleet.device_count / 2 || run->failed;
}

static bool settled(struct run *run)
{
    return phase_ms(run) >= SETTLE_MS;
}

static bool warm(struct run *run)
{
    return phase_ms(run) >= run->options.warmup_s * 1000;
}

static bool seconds_over(struct run *run)
{
    return phase_ms(run) >= run->options.seconds * 1000;
}

static bool away_over(struct run *run)
{
    return phase_ms(run) >= run->options.away_s * 1000;
}

static bool herd_over(struct run *run)
{
    return all_live(run) && (seconds_over(run) || run->failed);
}

static bool drained(struct run *run)
{
    bool complete = !fleet_unanswered(&run->fleet) && !fleet_missing(&run->fleet);
    return complete || phase_ms(run) > DRAIN_LIMIT_MS;
}

/* --- modes --- */

/* What a connection costs is the second half's: the first one fills what lies about free. */
static const struct phase idle_mode[] = {
    {"half", enter_dial_half, half_live},
    {"settle", enter_nothing, settled},
    {"dial", enter_dial, all_live},
    {"settle", enter_nothing, settled},
    {"window", enter_window, seconds_over},
    {"drain", enter_drain, drained},
    {0},
};

static const struct phase chat_mode[] = {
    {"dial", enter_dial, all_live},  {"settle", enter_nothing, settled},
    {"warmup", enter_warmup, warm},  {"window", enter_window, seconds_over},
    {"drain", enter_drain, drained}, {0},
};

static const struct phase herd_mode[] = {
    {"dial", enter_dial, all_live},
    {"settle", enter_nothing, settled},
    {"warmup", enter_warmup, warm},
    {"away", enter_away, away_over},
    {"window", enter_herd, herd_over},
    {"drain", enter_drain, drained},
    {0},
};

static const struct {
    const char *name;
    const struct phase *phases;
} modes[] = {{"idle", idle_mode}, {"chat", chat_mode}, {"herd", herd_mode}};

static void finish(struct run *run)
{
    run->tally.unanswered += fleet_unanswered(&run->fleet);
    run->tally.missing = fleet_missing(&run->fleet);
    uv_stop(&run->loop);
}

static void enter(struct run *run, const struct phase *phase)
{
    if (!phase->name || run->failed) {
        finish(run);
        return;
    }
    run->phase = phase;
    run->entered_ms = uv_now(&run->loop);
    printf("phase %s\n", phase->name);
    fflush(stdout);
    phase->enter(run);
}

static void handle_tick(uv_timer_t *timer)
{
    struct run *run = timer->data;

    if (run->phase->over(run))
        enter(run, run->phase + 1);
}

static void handle_due(void *context, uint64_t due_ns)
{
    struct run *run = context;
    uint64_t now_ns = uv_hrtime();

    if (tally_in_window(&run->tally, now_ns))
        histogram_add(&run->tally.lag, (now_ns - due_ns) / 1000);
    fleet_send_next(&run->fleet, run->options.text_bytes);
}

/* --- the program --- */

static const char usage[] =
    "usage: chatgate-bench MODE --plan FILE [options]\n"
    "\n"
    "  idle    connect everyone, and hold\n"
    "  chat    connect everyone, and let the senders of each room talk\n"
    "  herd    the same, but who only listens goes away, and all come back at once\n"
    "\n"
    "  --plan FILE     who connects where (see tests/bench/plan.h)\n"
    "  --rate N        messages a second, over all senders (default 500)\n"
    "  --seconds N     length of the measured window (default 10)\n"
    "  --warmup N      seconds of talk before it (default 2)\n"
    "  --away N        herd: seconds of absence (default 2)\n"
    "  --bytes N       length of a text (default 100, at most 4000)\n"
    "  --window N      connections being opened at once, but for the herd (default 200)\n"
    "\n"
    "Exit status: 0 if nothing was lost, repeated or refused, 1 if something was, 2 for usage.\n";

static bool parse_options(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
        {"plan", required_argument, NULL, 'p'},    {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'}, {"warmup", required_argument, NULL, 'w'},
        {"away", required_argument, NULL, 'a'},    {"bytes", required_argument, NULL, 'b'},
        {"window", required_argument, NULL, 'c'},  {0},
    };
    int option;

    *options = (struct options){
        .rate = 500, .seconds = 10, .warmup_s = 2, .away_s = 2, .text_bytes = 100, .window = 200};
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 'p':
            options->plan_path = optarg;
            break;
        case 'r':
            options->rate = strtod(optarg, NULL);
            break;
        case 's':
            options->seconds = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            options->warmup_s = strtoull(optarg, NULL, 10);
            break;
        case 'a':
            options->away_s = strtoull(optarg, NULL, 10);
            break;
        case 'b':
            options->text_bytes = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            options->window = strtoull(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return options->plan_path && options->rate > 0 && options->text_bytes && options->window &&
           options->text_bytes <= DEVICE_TEXT_BYTES_MAX;
}

/* The mode's phases, or NULL. */
static const struct phase *find_mode(const char *name)
{
    for (size_t i = 0; name && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (!strcmp(modes[i].name, name))
            return modes[i].phases;
    return NULL;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static bool read_plan(struct run *run)
{
    int error = plan_read(&run->plan, run->options.plan_path);

    if (error > 0)
        fprintf(stderr, "%s: line %d is wrong\n", run->options.plan_path, error);
    else if (error)
        fprintf(stderr, "%s: %s\n", run->options.plan_path, strerror(-error));
    return !error;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* 0, 1 for faults. */
static int execute(struct run *run, const struct phase *phases)
{
    uv_loop_init(&run->loop);
    uv_timer_init(&run->loop, &run->timer);
    run->timer.data = run;
    if (pace_init(&run->pace, &run->loop, handle_due, run))
        return EXIT_FAULTS;
    fleet_init(&run->fleet, &run->loop, &run->plan, &run->tally);
    run->tally.rate = run->options.rate;
    uv_timer_start(&run->timer, handle_tick, POLL_MS, POLL_MS);
    enter(run, phases);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    if (run->failed)
        fprintf(stderr, "only %zu of %zu ever became live\n", run->fleet.live,
                run->fleet.device_count);
    tally_print_table(&run->tally, stderr);
    tally_print_json(&run->tally, stdout);
    fleet_drop_all(&run->fleet);
    uv_walk(&run->loop, close_handle, NULL);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_loop_close(&run->loop);
    fleet_deinit(&run->fleet);
    return run->failed || !tally_clean(&run->tally) ? EXIT_FAULTS : 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    const struct phase *phases = find_mode(argc > 1 ? argv[1] : NULL);

    if (!phases || !parse_options(&run.options, argc - 1, argv + 1)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    run.tally.mode = argv[1];
    raise_descriptor_limit();
    if (!read_plan(&run))
        return EXIT_USAGE;
    int status = execute(&run, phases);
    plan_deinit(&run.plan);
    return status;
}
