/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate and its key, tried out before they are used. */
#pragma once

#include <stdint.h>

enum { CERTIFICATE_ERROR_BYTES = 256 };

/* Times are seconds since 1970. */
struct certificate_dates {
    int64_t not_before_s;
    int64_t not_after_s;
};

/* Loads both PEM files into a scratch context: readable, well formed, belonging together. Returns 0
 * with the first certificate's dates, or 1 with one line in `error` that names the file. An expired
 * certificate is not refused here. */
int certificate_check(const char *certificate, const char *key, struct certificate_dates *dates,
                      char error[static CERTIFICATE_ERROR_BYTES]);
