/* SPDX-License-Identifier: Apache-2.0 */
/* What a message leaves behind for those that follow */
#pragma once

#include <stdbool.h>

struct screen_input;
struct screen_trace;
struct text_view;

/* Fills `out` from a message and its view. `numeric`: it has digits, in whatever form. */
void trace_make(const struct text_view *view, const struct screen_input *input, bool numeric,
                struct screen_trace *out);
