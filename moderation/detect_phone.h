/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbers */
#pragma once

#include <stdbool.h>

struct digit_run;
struct digit_view;
struct match_list;
struct word_view;

/* Looks at one run of digits. Returns true if it holds a telephone number (added to `matches`). */
bool detect_phone(const struct digit_view *digits, const struct digit_run *run,
                  const struct word_view *words, struct match_list *matches);
