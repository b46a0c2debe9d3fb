/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, gauges and histograms in Prometheus's text format */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/close_code.h"

/* METRIC_CONNECTIONS, ...: one for each METRIC_ROW of metrics_table.h. */
enum metric {
#define METRIC_ROW(NAME, KIND, name, FIRST, SECOND, help) METRIC_##NAME,
#include "gateway/metrics_table.h"
    METRIC_COUNT
};

/* LABEL_CLOSE_SLOW, ...: the values of each set count from 0, LABEL_CLOSE_COUNT is their number. */
enum metric_label {
#define LABELS_BEGIN(SET, label)     LABEL_##SET##_BEFORE_FIRST = -1,
#define LABEL_ROW(SET, VALUE, value) LABEL_##SET##_##VALUE,
#define LABELS_END(SET)              LABEL_##SET##_COUNT,
#include "gateway/metrics_table.h"
};

/* The metrics are the process's own, as its log is: there is nothing to create. Only the loop's
 * thread may touch them. Labels out of range, and calls that do not fit the metric's kind or number
 * of labels, are bugs (assert). */

/* Counters (`n` >= 0) and gauges. The _label forms are for metrics with a label, of two labels the
 * first; _labels for both. */
void metrics_add(enum metric metric, int64_t n);
void metrics_add_label(enum metric metric, unsigned label, int64_t n);
void metrics_add_labels(enum metric metric, unsigned first, unsigned second, int64_t n);

/* Gauges, and counters that are kept elsewhere (CPU time). */
void metrics_set(enum metric metric, double value);
void metrics_set_label(enum metric metric, unsigned label, double value);

/* Histograms: seconds or numbers, as the metric's name says. */
void metrics_observe(enum metric metric, double value);
void metrics_observe_label(enum metric metric, unsigned label, double value);

/* The value of a counter or gauge, the number of observations of a histogram. */
double metrics_value(enum metric metric, unsigned first, unsigned second);

/* The LABEL_CLOSE_... of a close code. */
unsigned metrics_close_label(enum close_code code);

/* The first label of `metric` whose value is `value`, or the set's last one, which must be "other"
 * then. A linear search: keep the result. */
unsigned metrics_label_find(enum metric metric, const char *value);

/* For chatgate_build_info, which is left out until this is called. `version` is kept, not copied.
 */
void metrics_set_version(const char *version);

/* Counts a refusal before there was a session, by its reason ("http.host", "expired", ...). */
void metrics_handshake_failed(const char *reason);

/* Every metric in text format 0.0.4 (Content-Type: METRICS_CONTENT_TYPE). `length` gets the bytes,
 * without the NUL that is behind them. The caller frees. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
char *metrics_render(size_t *length);
