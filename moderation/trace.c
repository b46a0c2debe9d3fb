/* SPDX-License-Identifier: Apache-2.0 */
/* What a message leaves behind for those that follow
 *
 * A contact that is split over messages comes in short pieces, so only short texts are kept. A
 * repeated text is known by a hash of what a reader would call the same: folded letters and digits,
 * without the dots and emoji that are added to make it look new. A text of symbols only has them
 * hashed instead.
 */
#include "moderation/trace.h"

#include <string.h>

#include "moderation/screen.h"
#include "moderation/text_view.h"

static uint64_t mix(uint64_t hash, uint32_t ch)
{
    hash = (hash ^ ch) * 0x9E3779B97F4A7C15U;
    return hash ^ (hash >> 29);
}

void trace_make(const struct text_view *view, const struct screen_input *input, bool numeric,
                struct screen_trace *out)
{
    uint64_t words = 0x6368617467617465U, symbols = words;
    unsigned weight = 0;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < view->count; i++) {
        const struct unit *unit = &view->units[i];

        if (unit->kind == FOLD_LETTER || unit->kind == FOLD_DIGIT) {
            words = mix(words, unit->own ? unit->own : unit->ch);
            weight++;
        } else if (unit->kind == FOLD_SYMBOL) {
            symbols = mix(symbols, unit->ch);
        }
    }
    out->hash = weight ? words : symbols;
    out->weight = (uint16_t)(weight < UINT16_MAX ? weight : UINT16_MAX);
    out->at_ms = input->at_ms;
    out->numeric = numeric;
    if (input->length > 0 && input->length <= SCREEN_FRAGMENT_BYTES) {
        memcpy(out->fragment, input->text, input->length);
        out->length = (uint8_t)input->length;
    }
}
