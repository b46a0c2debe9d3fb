/* SPDX-License-Identifier: Apache-2.0 */
/* How alike two names are, for "did you mean ...?" */
#include "gateway/edit_distance.h"

#include <stdint.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

size_t edit_distance(const char *a, const char *b)
{
    size_t row[EDIT_DISTANCE_NAME_BYTES + 1];
    size_t width = strlen(b);
    if (strlen(a) > EDIT_DISTANCE_NAME_BYTES || width > EDIT_DISTANCE_NAME_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[width];
}
