/* SPDX-License-Identifier: Apache-2.0 */
/* How a text was read, for people */
#pragma once

struct screener;

/* Calls `each` for every view of the last text that was screened (alone: with none before it) which
 * says more than the text does, by name: "words", "latin", "cyrillic", "sound", "unmasked",
 * "digits", "address". `text` is UTF-8 and borrowed for the call. */
void screener_explain(const struct screener *screener,
                      void (*each)(void *context, const char *name, const char *text),
                      void *context);
