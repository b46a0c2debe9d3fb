/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbering plans: what digits could be a number at all (ITU-T E.164) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum phone_fit {
    PHONE_NONE,
    PHONE_POSSIBLE, /* long enough to be one, if somebody says that it is */
    PHONE_LIKELY,   /* fits a plan, but other numbers do, too */
    PHONE_CERTAIN,  /* a Russian mobile, or an international number as it is written */
};

/* `plus`: the digits are written with + or 00 before them. */
enum phone_fit phone_plan_fit(const uint8_t *digits, size_t count, bool plus);
