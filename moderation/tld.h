/* SPDX-License-Identifier: Apache-2.0 */
/* Names at the end of host names */
#pragma once

enum tld_class {
    TLD_NONE,
    TLD_SPOKEN,    /* "ру", "ком": only where an address is being told */
    TLD_AMBIGUOUS, /* a word or a file ending first: "is", "so", "py" */
    TLD_RARE,
    TLD_COMMON,
};

/* `name`: lower case UTF-8, NUL-terminated. */
enum tld_class tld_classify(const char *name);
