/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbering plans
 *
 * Length alone makes every long number a phone. Country codes with the lengths of their national
 * numbers (ITU-T E.164 and its country pages) leave few digits that fit by chance, and Russia's
 * plan, where most of our numbers live, is checked to the area code.
 */
#include "moderation/phone_plan.h"

struct country {
    uint16_t low, high;        /* codes in this range */
    uint8_t shortest, longest; /* national number */
};

static const struct country countries[] = {
    {1, 1, 10, 10},    {7, 7, 10, 10},    {20, 20, 8, 10},  {27, 27, 9, 9},   {30, 30, 10, 10},
    {31, 31, 9, 9},    {32, 32, 8, 9},    {33, 33, 9, 9},   {34, 34, 9, 9},   {36, 36, 8, 9},
    {39, 39, 8, 11},   {40, 40, 9, 9},    {41, 41, 9, 9},   {43, 43, 7, 13},  {44, 44, 9, 10},
    {45, 45, 8, 8},    {46, 46, 7, 10},   {47, 47, 8, 8},   {48, 48, 9, 9},   {49, 49, 7, 12},
    {51, 51, 8, 9},    {52, 52, 10, 11},  {53, 53, 7, 8},   {54, 54, 10, 11}, {55, 55, 10, 11},
    {56, 56, 9, 9},    {57, 57, 8, 10},   {58, 58, 10, 10}, {60, 60, 8, 10},  {61, 61, 9, 9},
    {62, 62, 8, 12},   {63, 63, 8, 10},   {64, 64, 8, 10},  {65, 65, 8, 8},   {66, 66, 8, 9},
    {81, 81, 9, 10},   {82, 82, 8, 10},   {84, 84, 9, 10},  {86, 86, 10, 11}, {90, 90, 10, 10},
    {91, 91, 10, 10},  {92, 92, 9, 10},   {93, 93, 9, 9},   {94, 94, 9, 9},   {95, 95, 7, 10},
    {98, 98, 10, 10},  {211, 213, 8, 9},  {216, 216, 8, 8}, {218, 218, 9, 9}, {220, 269, 6, 10},
    {290, 291, 4, 7},  {297, 299, 6, 7},  {350, 350, 8, 8}, {351, 351, 9, 9}, {352, 352, 6, 9},
    {353, 353, 8, 9},  {354, 354, 7, 7},  {355, 355, 8, 9}, {356, 357, 8, 8}, {358, 358, 6, 11},
    {359, 359, 8, 9},  {370, 370, 8, 8},  {371, 371, 8, 8}, {372, 372, 7, 8}, {373, 374, 8, 8},
    {375, 375, 9, 9},  {376, 379, 6, 10}, {380, 380, 9, 9}, {381, 382, 8, 9}, {383, 389, 8, 9},
    {420, 421, 9, 9},  {423, 423, 7, 9},  {500, 509, 5, 8}, {590, 599, 6, 9}, {670, 692, 4, 8},
    {850, 856, 7, 11}, {880, 880, 8, 10}, {886, 886, 8, 9}, {960, 968, 7, 9}, {970, 977, 7, 9},
    {992, 992, 9, 9},  {993, 993, 8, 8},  {994, 995, 9, 9}, {996, 996, 9, 9}, {998, 998, 9, 9},
};

/* Total digits fit a country whose code the number starts with. */
static bool fits_country(const uint8_t *digits, size_t count)
{
    for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++) {
        const struct country *country = &countries[i];
        size_t code_digits = country->low < 10 ? 1 : country->low < 100 ? 2 : 3;
        unsigned code = 0;

        if (count <= code_digits)
            continue;
        for (size_t k = 0; k < code_digits; k++)
            code = code * 10 + digits[k];
        if (code >= country->low && code <= country->high)
            return count >= code_digits + country->shortest &&
                   count <= code_digits + country->longest;
    }
    return false;
}

/* Ten digits after 7 or 8: area code 3xx, 4xx, 8xx (geographic, toll-free), 9xx (mobile), and
 * Kazakhstan's 6xx, 7xx (order of the Ministry of Digital Development, system and plan of
 * numbering). */
static enum phone_fit fit_russian(const uint8_t *national)
{
    switch (national[0]) {
    case 9:
        return PHONE_CERTAIN;
    case 3:
    case 4:
    case 8:
        return PHONE_LIKELY;
    case 6:
    case 7:
        return national[1] <= 7 ? PHONE_LIKELY : PHONE_POSSIBLE;
    }
    return PHONE_POSSIBLE;
}

/* Neighbours whose numbers are given without a plus, too. */
static bool is_neighbour(const uint8_t *digits, size_t count)
{
    static const uint16_t codes[] = {370, 371, 372, 373, 374, 375, 380,
                                     992, 993, 994, 995, 996, 998};
    unsigned code = count > 3 ? digits[0] * 100U + digits[1] * 10U + digits[2] : 0;

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code)
            return digits[3] != 0 && fits_country(digits, count);
    }
    return false;
}

static bool all_same(const uint8_t *digits, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (digits[i] != digits[0])
            return false;
    }
    return true;
}

enum phone_fit phone_plan_fit(const uint8_t *digits, size_t count, bool plus)
{
    if (count < 5 || count > 15 || all_same(digits, count))
        return PHONE_NONE;
    if (!plus && count > 10 && digits[0] == 0 && digits[1] == 0)
        return fits_country(digits + 2, count - 2) ? PHONE_LIKELY : PHONE_POSSIBLE;
    if (plus)
        return fits_country(digits, count) ? PHONE_CERTAIN : PHONE_POSSIBLE;
    if (count == 11 && (digits[0] == 7 || digits[0] == 8))
        return fit_russian(digits + 1);
    if ((count == 10 && digits[0] == 9) || is_neighbour(digits, count))
        return PHONE_LIKELY;
    return PHONE_POSSIBLE;
}
