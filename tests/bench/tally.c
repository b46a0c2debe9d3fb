/* SPDX-License-Identifier: Apache-2.0 */
/* The results, for programs as one line of JSON and for people as a table. */
#include "tests/bench/tally.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "protocol/json_writer.h"

static const double percents[] = {50, 90, 99, 99.9};
static const char *const percent_names[] = {"p50", "p90", "p99", "p999"};
enum { PERCENTS = sizeof(percents) / sizeof(percents[0]) };

static uint64_t own_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

bool tally_in_window(const struct tally *tally, uint64_t at_ns)
{
    return tally->window_from_ns && at_ns >= tally->window_from_ns &&
           (!tally->window_to_ns || at_ns < tally->window_to_ns);
}

void tally_open_window(struct tally *tally)
{
    tally->window_from_ns = uv_hrtime();
    tally->window_to_ns = 0;
    tally->cpu_us = own_cpu_us();
}

void tally_close_window(struct tally *tally)
{
    tally->window_to_ns = uv_hrtime();
    tally->cpu_us = own_cpu_us() - tally->cpu_us;
}

void tally_note(struct tally *tally, const char *what, size_t length)
{
    if (!*tally->first_refusal)
        snprintf(tally->first_refusal, sizeof(tally->first_refusal), "%.*s", (int)length, what);
}

bool tally_clean(const struct tally *tally)
{
    return !tally->gaps && !tally->repeats && !tally->missing && !tally->refusals &&
           !tally->unanswered && !tally->closes && !tally->resets;
}

static double window_s(const struct tally *tally)
{
    return (double)(tally->window_to_ns - tally->window_from_ns) / 1e9;
}

static double per_second(const struct tally *tally, uint64_t count)
{
    double seconds = window_s(tally);
    return seconds > 0 ? (double)count / seconds : 0;
}

/* --- JSON --- */

static void add_histogram(struct json_writer *json, const char *name,
                          const struct histogram *histogram)
{
    if (!histogram->count)
        return;
    json_key(json, name);
    json_object_begin(json);
    json_add_int(json, "count", (int64_t)histogram->count);
    json_add_int(json, "mean", (int64_t)(histogram->sum_us / histogram->count));
    for (unsigned i = 0; i < PERCENTS; i++)
        json_add_int(json, percent_names[i],
                     (int64_t)histogram_percentile_us(histogram, percents[i]));
    json_add_int(json, "max", (int64_t)histogram->max_us);
    json_object_end(json);
}

static void add_counts(struct json_writer *json, const struct tally *tally)
{
    json_add_int(json, "sent", (int64_t)tally->sent);
    json_add_int(json, "acks", (int64_t)tally->acks);
    json_add_int(json, "deliveries", (int64_t)tally->deliveries);
    json_add_int(json, "acks_per_s", (int64_t)per_second(tally, tally->acks));
    json_add_int(json, "deliveries_per_s", (int64_t)per_second(tally, tally->deliveries));
    json_add_int(json, "held", (int64_t)tally->held);
    json_add_int(json, "resumed", (int64_t)tally->resumed);
    json_add_int(json, "gaps", (int64_t)tally->gaps);
    json_add_int(json, "repeats", (int64_t)tally->repeats);
    json_add_int(json, "missing", (int64_t)tally->missing);
    json_add_int(json, "resets", (int64_t)tally->resets);
    json_add_int(json, "refusals", (int64_t)tally->refusals);
    json_add_int(json, "unanswered", (int64_t)tally->unanswered);
    json_add_int(json, "closes", (int64_t)tally->closes);
    json_add_int(json, "retries", (int64_t)tally->retries);
    if (*tally->first_refusal)
        json_add_cstring(json, "first_refusal", tally->first_refusal);
}

void tally_print_json(const struct tally *tally, FILE *out)
{
    struct json_writer json = JSON_WRITER_INIT;

    json_object_begin(&json);
    json_add_cstring(&json, "mode", tally->mode);
    json_add_int(&json, "clients", (int64_t)tally->clients);
    json_add_int(&json, "rate", (int64_t)tally->rate);
    json_add_int(&json, "window_us", (int64_t)(window_s(tally) * 1e6));
    json_add_int(&json, "generator_cpu_us", (int64_t)tally->cpu_us);
    json_add_int(&json, "all_live_us", (int64_t)tally->all_live_us);
    add_counts(&json, tally);
    add_histogram(&json, "ack_us", &tally->ack);
    add_histogram(&json, "delivery_us", &tally->delivery);
    add_histogram(&json, "lag_us", &tally->lag);
    add_histogram(&json, "connect_us", &tally->connect);
    add_histogram(&json, "live_us", &tally->live);
    json_add_bool(&json, "clean", tally_clean(tally));
    json_object_end(&json);
    fprintf(out, "%s\n", json_text(&json));
    fflush(out);
    json_writer_deinit(&json);
}

/* --- table --- */

static void print_histogram(FILE *out, const char *name, const struct histogram *histogram)
{
    if (!histogram->count)
        return;
    fprintf(out, "%-12s %9" PRIu64, name, histogram->count);
    for (unsigned i = 0; i < PERCENTS; i++)
        fprintf(out, " %9.2f", (double)histogram_percentile_us(histogram, percents[i]) / 1e3);
    fprintf(out, " %9.2f\n", (double)histogram->max_us / 1e3);
}

static void print_faults(const struct tally *tally, FILE *out)
{
    if (tally_clean(tally))
        return;
    fprintf(out,
            "FAULTS: %" PRIu64 " gaps, %" PRIu64 " repeats, %" PRIu64 " missing, %" PRIu64
            " resets, %" PRIu64 " refusals, %" PRIu64 " unanswered, %" PRIu64 " closes\n",
            tally->gaps, tally->repeats, tally->missing, tally->resets, tally->refusals,
            tally->unanswered, tally->closes);
    if (*tally->first_refusal)
        fprintf(out, "first refusal: %s\n", tally->first_refusal);
}

void tally_print_table(const struct tally *tally, FILE *out)
{
    double seconds = window_s(tally);

    fprintf(out, "%s: %" PRIu64 " clients, window %.2f s, generator busy %.0f %%\n", tally->mode,
            tally->clients, seconds, seconds > 0 ? (double)tally->cpu_us / seconds / 1e4 : 0);
    fprintf(out, "%.0f/s wanted, %.0f acks/s, %.0f deliveries/s, %" PRIu64 " held\n", tally->rate,
            per_second(tally, tally->acks), per_second(tally, tally->deliveries), tally->held);
    if (tally->all_live_us)
        fprintf(out, "all live after %.2f s, %" PRIu64 " events resumed, %" PRIu64 " dials again\n",
                (double)tally->all_live_us / 1e6, tally->resumed, tally->retries);
    fprintf(out, "%-12s %9s %9s %9s %9s %9s %9s\n", "ms", "count", "p50", "p90", "p99", "p99.9",
            "max");
    print_histogram(out, "ack", &tally->ack);
    print_histogram(out, "delivery", &tally->delivery);
    print_histogram(out, "own lag", &tally->lag);
    print_histogram(out, "connect", &tally->connect);
    print_histogram(out, "live", &tally->live);
    print_faults(tally, out);
}
