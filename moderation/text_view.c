/* SPDX-License-Identifier: Apache-2.0 */
/* The folded view of a text
 *
 * Everything else in the engine works on this view: disguises that a reader does not see (case,
 * full-width and mathematical letters, zero-width characters, accents piled on letters, tags) are
 * gone here, at the cost of two table look-ups a character. The table is constant and was made by
 * ICU at build time (fold_generate.c).
 *
 * A character may become several units (ﬁ, ⑩), never more than its UTF-8 bytes, so a view never
 * outgrows its text. Units of one character share its place; only the first has bytes, so that a
 * span that starts or ends at any of them covers the whole character.
 */
#include "moderation/text_view.h"

#include <errno.h>
#include <stdlib.h>

#include "moderation/alphabet.h"
#include "protocol/xalloc.h"

enum { COMBINING_BREVE = 0x306, SMALL_I = ALPHABET_SHORT_I - 1, BULLET = 0x2022 };

void text_view_init(struct text_view *view, size_t capacity)
{
    *view = (struct text_view){
        .units = xmalloc((capacity + 1) * sizeof(struct unit)),
        .capacity = capacity,
    };
}

void text_view_deinit(struct text_view *view)
{
    free(view->units);
    *view = (struct text_view){0};
}

/* Decodes one code point (RFC 3629). Returns its bytes, 0 if there is none. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *out)
{
    if (s[0] < 0x80) {
        *out = s[0];
        return 1;
    }
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > left)
        return 0;
    uint32_t ch = s[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        ch = ch << 6 | (s[i] & 0x3F);
    }
    if (ch < least[n] || ch > 0x10FFFF || (ch >= 0xD800 && ch <= 0xDFFF))
        return 0;
    *out = ch;
    return n;
}

/* Features that show when `unit` follows `before`. */
static unsigned pair_features(const struct unit *before, const struct unit *unit)
{
    if (unit->ch == '@')
        return TEXT_AT;
    if ((unit->ch == '.' || unit->ch == BULLET) && before->kind != FOLD_LETTER &&
        before->kind != FOLD_DIGIT && before->ch != '.')
        return TEXT_DOT;
    if (before->kind != FOLD_SYMBOL)
        return 0;
    if ((before->ch == '.' || before->ch == BULLET) && unit->kind == FOLD_LETTER)
        return TEXT_DOT;
    if (before->ch == ':' && (unit->kind == FOLD_LETTER || unit->ch == '/'))
        return TEXT_COLON;
    if (before->ch == '/' && (unit->kind == FOLD_SPACE || unit->kind == FOLD_LINE))
        return TEXT_SLASH;
    return 0;
}

/* What stands before a text. */
static const struct unit start = {.kind = FOLD_SPACE, .ch = ' '};

static void append(struct text_view *view, const struct fold_entry *entry, uint32_t ch, uint32_t at,
                   size_t bytes)
{
    view->units[view->count++] = (struct unit){
        .at = at,
        .ch = ch,
        .bytes = (uint8_t)bytes,
        .kind = entry->kind,
        .flags = entry->flags,
        .own = entry->own,
        .latin = entry->latin,
        .cyrillic = entry->cyrillic,
    };
    if (entry->kind == FOLD_DIGIT)
        view->features |= TEXT_DIGIT;
    if (entry->kind == FOLD_SYMBOL ||
        (view->count > 1 && view->units[view->count - 2].kind == FOLD_SYMBOL))
        view->features |= pair_features(view->count > 1 ? &view->units[view->count - 2] : &start,
                                        &view->units[view->count - 1]);
}

static void append_expansion(struct text_view *view, const struct fold_entry *entry, uint32_t at,
                             size_t bytes)
{
    const uint32_t *chars = fold_expansions[entry->shift].chars;

    for (size_t i = 0; i < FOLD_EXPANSION_MAX && chars[i]; i++)
        append(view, fold_lookup(chars[i]), chars[i], at, i == 0 ? bytes : 0);
}

/* и and a breve is й, however it was typed; every other mark is only in the way. */
static void handle_mark(struct text_view *view, uint32_t ch)
{
    struct unit *last = view->count > 0 ? &view->units[view->count - 1] : NULL;

    view->hidden++;
    if (ch != COMBINING_BREVE || !last || last->own != SMALL_I)
        return;
    last->own = ALPHABET_SHORT_I;
    last->cyrillic = ALPHABET_SHORT_I;
    last->ch = 0x439;
}

int text_view_read(struct text_view *view, const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;

    view->count = 0;
    view->features = 0;
    view->hidden = 0;
    if (length > view->capacity)
        return -E2BIG;
    for (size_t i = 0; i < length;) {
        uint32_t ch;
        size_t n = decode(s + i, length - i, &ch);

        if (n == 0)
            return -EILSEQ;
        const struct fold_entry *entry = fold_lookup(ch);
        if (entry->kind == FOLD_MARK)
            handle_mark(view, ch);
        else if (entry->kind == FOLD_DROP)
            view->hidden++;
        else if (entry->kind == FOLD_EXPAND)
            append_expansion(view, entry, (uint32_t)i, n);
        else
            append(view, entry, (uint32_t)((int32_t)ch + entry->shift), (uint32_t)i, n);
        i += n;
    }
    struct unit *end = &view->units[view->count];
    *end = (struct unit){.at = (uint32_t)length, .ch = '\n', .kind = FOLD_LINE};
    view->features |= pair_features(view->count > 0 ? end - 1 : &start, end);
    return 0;
}
