/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: validity, length in code points, blank text */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8 as the Unicode standard's table 3-7 (and RFC 3629) defines it: no
 * overlong forms, no surrogates, nothing above U+10FFFF, nothing cut off. Noncharacters and U+0000
 * are well-formed. The empty text is valid. */
bool utf8_valid(const char *text, size_t bytes);

/* Number of code points of valid text. */
size_t utf8_count(const char *text, size_t bytes);

/* True if nobody would see a thing: valid text of white space, format and filler characters only
 * (or none at all). */
bool utf8_blank(const char *text, size_t bytes);
