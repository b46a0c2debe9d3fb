/* SPDX-License-Identifier: Apache-2.0 */
/* Names in messengers and networks */
#pragma once

struct address_view;
struct match_list;
struct word_view;

void detect_handle(const struct address_view *line, const struct word_view *words,
                   struct match_list *matches);
