/* SPDX-License-Identifier: Apache-2.0 */
/* Floods: the same again, too fast, walls, noise */
#pragma once

struct match_list;
struct screen_input;
struct screen_trace;
struct word_view;

/* `trace` is that of the message itself. */
void detect_flood(const struct word_view *words, const struct screen_input *input,
                  const struct screen_trace *trace, struct match_list *matches);
