/* SPDX-License-Identifier: Apache-2.0 */
/* What a message leaves behind for those that follow */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct screen_trace;
struct text_view;

/* Fills `out` from a text and its view. */
void trace_make(const struct text_view *view, const char *text, size_t length, int64_t at_ms,
                struct screen_trace *out);
