/* SPDX-License-Identifier: Apache-2.0 */
/* The process_* metrics: CPU, memory, file descriptors, start time */
#pragma once

/* Reads /proc into the metrics. To be called just before metrics_render(). What cannot be read
 * keeps its last value. */
void process_metrics_update(void);
