/* SPDX-License-Identifier: Apache-2.0 */
/* E-mail addresses */
#pragma once

struct address_view;
struct match_list;
struct word_view;

void detect_email(const struct address_view *line, const struct word_view *words,
                  struct match_list *matches);
