/* SPDX-License-Identifier: Apache-2.0 */
/* Further readings of disguised words */
#pragma once

struct word_view;

/* Adds to a view with its plain readings every other reading that its words allow. */
void word_reading_add_all(struct word_view *view);
