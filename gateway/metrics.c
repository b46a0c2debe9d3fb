/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, gauges and histograms in Prometheus's text format
 *
 * metrics_table.h is expanded here several times: into the names of the label values, into one
 * array of series for each metric, and into the table that ties them together. So an update is an
 * index and an addition, all memory is static, and a scrape can show nothing that is not in that
 * table: no user, no room, no text of a peer.
 *
 * A series is a row of doubles: one value, or for a histogram the sum and then a count for each
 * bucket, the last of which is +Inf. Buckets are counted apart and summed up when rendered.
 * Doubles count whole numbers exactly up to 2^53. Series that exist show their zero from the start,
 * so that a rate() sees the first event; only labelled histograms stay out until they are used,
 * since each of theirs is a page of text. */
#include "gateway/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/version.h"
#include "protocol/xalloc.h"

enum kind { COUNTER, GAUGE, SECONDS, SIZES, DELAYS };

/* The upper bounds of the buckets; +Inf is understood. */
static const double seconds_bounds[] = {.0005, .001, .0025, .005, .01, .025,
                                        .05,   .1,   .25,   .5,   1,   2.5};
static const double sizes_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};
/* Seconds in which people wait: up to a day. */
static const double delays_bounds[] = {1, 5, 15, 60, 300, 900, 1800, 3600, 14400, 86400};

enum {
    SECONDS_BOUNDS = sizeof(seconds_bounds) / sizeof(seconds_bounds[0]),
    SIZES_BOUNDS = sizeof(sizes_bounds) / sizeof(sizes_bounds[0]),
    DELAYS_BOUNDS = sizeof(delays_bounds) / sizeof(delays_bounds[0]),
    /* doubles of one series */
    WIDTH_COUNTER = 1,
    WIDTH_GAUGE = 1,
    WIDTH_SECONDS = 1 + SECONDS_BOUNDS + 1,
    WIDTH_SIZES = 1 + SIZES_BOUNDS + 1,
    WIDTH_DELAYS = 1 + DELAYS_BOUNDS + 1,
    LABEL_NONE_COUNT = 1,
};

struct label_set {
    const char *name; /* NULL: no label */
    const char *const *values;
    unsigned count;
};

struct metric_row {
    const char *name, *help;
    enum kind kind;
    const struct label_set *first, *second;
    double *series; /* of label values (f, s) at (f * second->count + s) * width */
};

/* --- The table, expanded --- */

/* clang-format off */
#define LABELS_BEGIN(SET, label)     static const char *const values_##SET[] = {
#define LABEL_ROW(SET, VALUE, value) value,
#define LABELS_END(SET)              };
/* clang-format on */
#include "gateway/metrics_table.h"

#define LABELS_BEGIN(SET, label)                                                                   \
    static const struct label_set set_##SET = {label, values_##SET, LABEL_##SET##_COUNT};
#include "gateway/metrics_table.h"
static const struct label_set set_NONE = {NULL, NULL, LABEL_NONE_COUNT};

#define METRIC_ROW(NAME, KIND, name, FIRST, SECOND, help)                                          \
    static double series_##NAME[LABEL_##FIRST##_COUNT * LABEL_##SECOND##_COUNT * WIDTH_##KIND];
#include "gateway/metrics_table.h"

static const struct metric_row rows[METRIC_COUNT] = {
#define METRIC_ROW(NAME, KIND, name, FIRST, SECOND, help)                                          \
    {name, help, KIND, &set_##FIRST, &set_##SECOND, series_##NAME},
#include "gateway/metrics_table.h"
};

/* Of a histogram; NULL for the other kinds. */
static const struct buckets {
    const double *bounds;
    unsigned count;
} buckets[] = {
    [COUNTER] = {NULL, 0},
    [GAUGE] = {NULL, 0},
    [SECONDS] = {seconds_bounds, SECONDS_BOUNDS},
    [SIZES] = {sizes_bounds, SIZES_BOUNDS},
    [DELAYS] = {delays_bounds, DELAYS_BOUNDS},
};

static bool is_histogram(enum kind kind)
{
    return buckets[kind].bounds != NULL;
}

static unsigned bound_count(enum kind kind)
{
    return buckets[kind].count;
}

static const double *bounds_of(enum kind kind)
{
    return buckets[kind].bounds;
}

static unsigned width_of(enum kind kind)
{
    return is_histogram(kind) ? 1 + bound_count(kind) + 1 : 1;
}

static double *series_of(enum metric metric, unsigned first, unsigned second)
{
    const struct metric_row *row = &rows[metric];

    assert(metric < METRIC_COUNT && first < row->first->count && second < row->second->count);
    return row->series + (first * row->second->count + second) * width_of(row->kind);
}

/* --- Updates --- */

void metrics_add_labels(enum metric metric, unsigned first, unsigned second, int64_t n)
{
    assert(rows[metric].kind == GAUGE || (rows[metric].kind == COUNTER && n >= 0));
    *series_of(metric, first, second) += (double)n;
}

void metrics_add_label(enum metric metric, unsigned label, int64_t n)
{
    assert(rows[metric].first->name && !rows[metric].second->name);
    metrics_add_labels(metric, label, 0, n);
}

void metrics_add(enum metric metric, int64_t n)
{
    assert(!rows[metric].first->name);
    metrics_add_labels(metric, 0, 0, n);
}

static void set(enum metric metric, unsigned label, double value)
{
    assert(!is_histogram(rows[metric].kind));
    *series_of(metric, label, 0) = value;
}

void metrics_set_label(enum metric metric, unsigned label, double value)
{
    assert(rows[metric].first->name && !rows[metric].second->name);
    set(metric, label, value);
}

void metrics_set(enum metric metric, double value)
{
    assert(!rows[metric].first->name);
    set(metric, 0, value);
}

static void observe(enum metric metric, unsigned label, double value)
{
    enum kind kind = rows[metric].kind;
    const double *bounds = bounds_of(kind);
    double *series = series_of(metric, label, 0);
    unsigned bucket = 0;

    assert(is_histogram(kind));
    while (bucket < bound_count(kind) && value > bounds[bucket])
        bucket++;
    series[0] += value;
    series[1 + bucket] += 1;
}

void metrics_observe_label(enum metric metric, unsigned label, double value)
{
    assert(rows[metric].first->name && !rows[metric].second->name);
    observe(metric, label, value);
}

void metrics_observe(enum metric metric, double value)
{
    assert(!rows[metric].first->name);
    observe(metric, 0, value);
}

static double observations(enum kind kind, const double *series)
{
    double count = 0;

    for (unsigned bucket = 0; bucket <= bound_count(kind); bucket++)
        count += series[1 + bucket];
    return count;
}

double metrics_value(enum metric metric, unsigned first, unsigned second)
{
    const double *series = series_of(metric, first, second);

    return is_histogram(rows[metric].kind) ? observations(rows[metric].kind, series) : *series;
}

unsigned metrics_close_label(enum close_code code)
{
    switch (code) {
#define CLOSE_ROW(NAME, number, name, reconnect, text)                                             \
    case CLOSE_##NAME:                                                                             \
        return LABEL_CLOSE_##NAME;
#include "protocol/close_table.h"
#undef CLOSE_ROW
    }
    return LABEL_CLOSE_ABNORMAL;
}

unsigned metrics_label_find(enum metric metric, const char *value)
{
    const struct label_set *labels = rows[metric].first;
    unsigned last = labels->count - 1;

    assert(strcmp(labels->values[last], "other") == 0);
    for (unsigned i = 0; i < last; i++)
        if (strcmp(labels->values[i], value) == 0)
            return i;
    return last;
}

void metrics_handshake_failed(const char *reason)
{
    metrics_add_label(METRIC_HANDSHAKE_FAILURES,
                      metrics_label_find(METRIC_HANDSHAKE_FAILURES, reason), 1);
}

/* --- Rendering --- */

/* name_suffix{first="...",second="...",le="..."} ; `le` NULL for none. */
static void print_name(FILE *out, const struct metric_row *row, const char *suffix, unsigned first,
                       unsigned second, const char *le)
{
    const char *separator = "{";

    fprintf(out, "%s%s", row->name, suffix);
    if (row->first->name) {
        fprintf(out, "%s%s=\"%s\"", separator, row->first->name, row->first->values[first]);
        separator = ",";
    }
    if (row->second->name) {
        fprintf(out, "%s%s=\"%s\"", separator, row->second->name, row->second->values[second]);
        separator = ",";
    }
    if (le) {
        fprintf(out, "%sle=\"%s\"", separator, le);
        separator = ",";
    }
    if (*separator == ',')
        fputc('}', out);
}

static void print_value(FILE *out, double value)
{
    if (floor(value) == value && fabs(value) < 9e15)
        fprintf(out, " %.0f\n", value);
    else
        fprintf(out, " %.9g\n", value);
}

static void print_histogram(FILE *out, const struct metric_row *row, unsigned first,
                            unsigned second, const double *series)
{
    double count = 0;

    for (unsigned bucket = 0; bucket <= bound_count(row->kind); bucket++) {
        char le[32] = "+Inf";

        if (bucket < bound_count(row->kind))
            snprintf(le, sizeof(le), "%g", bounds_of(row->kind)[bucket]);
        count += series[1 + bucket];
        print_name(out, row, "_bucket", first, second, le);
        print_value(out, count);
    }
    print_name(out, row, "_sum", first, second, NULL);
    print_value(out, series[0]);
    print_name(out, row, "_count", first, second, NULL);
    print_value(out, count);
}

static void print_series(FILE *out, enum metric metric, unsigned first, unsigned second)
{
    const struct metric_row *row = &rows[metric];
    const double *series = series_of(metric, first, second);

    if (!is_histogram(row->kind)) {
        print_name(out, row, "", first, second, NULL);
        print_value(out, *series);
    } else if (!row->first->name || observations(row->kind, series) > 0) {
        print_histogram(out, row, first, second, series);
    }
}

static void print_metric(FILE *out, enum metric metric)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "histogram", "histogram"};
    const struct metric_row *row = &rows[metric];

    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, types[row->kind]);
    for (unsigned first = 0; first < row->first->count; first++)
        for (unsigned second = 0; second < row->second->count; second++)
            print_series(out, metric, first, second);
}

static void print_build_info(FILE *out)
{
    fprintf(out,
            "# HELP chatgate_build_info The running program; always 1.\n"
            "# TYPE chatgate_build_info gauge\n"
            "chatgate_build_info{version=\"%s\",compiler=\"%s\"} 1\n",
            CHATGATE_VERSION, __VERSION__);
}

char *metrics_render(size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    if (!out)
        return xmemdup("", *length = 0);
    for (unsigned metric = 0; metric < METRIC_COUNT; metric++)
        print_metric(out, (enum metric)metric);
    print_build_info(out);
    fclose(out);
    return text;
}
