/* SPDX-License-Identifier: Apache-2.0 */
/* What a screener made of the last text; for explain.c */
#pragma once

struct address_view;
struct digit_view;
struct screener;
struct word_view;

struct screen_views {
    const struct word_view *words;
    const struct digit_view *digits;
    const struct address_view *line; /* NULL: nothing in it could be an address */
};

/* Borrowed until the next screening. */
struct screen_views screener_views(const struct screener *screener);
