/* SPDX-License-Identifier: Apache-2.0 */
/* Further readings of disguised words
 *
 * The unit of work is a chunk: words and digits that touch, or are held together by symbols that
 * stand for letters ("н@х3р", "f*ck"), or single letters with one and the same thing between them
 * ("т е л е г р а м"). A chunk is read as Latin or as Cyrillic or both, by what is in it:
 *
 *   only its own script        nothing new (but letters that all look like the other script's do
 *                              give that reading: "cyka")
 *   both scripts               both, once by look (р is p) and once by sound (р is r)
 *   digits, symbols            the same, each digit as the letter it looks like; where it looks
 *                              like two, every combination while they are few
 *   Latin letters              the phonetic form of Russian, too
 *   a mask                     every letter that could be behind it
 *
 * Folding the whole text one way would make ordinary Russian fire on Latin rules; so the choice is
 * made for each chunk, and readings are compared with whole words only.
 */
#include "moderation/word_reading.h"

#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/translit.h"
#include "moderation/word_view.h"

enum {
    CHUNK_MAX = 64,    /* letters; nobody reads a longer word */
    AMBIGUOUS_MAX = 3, /* digits that are read both ways in all combinations */
    MASKED_MAX = 4,    /* masked chunks per text that are guessed */
    SYMBOLS_MAX = 5,   /* masks in a row */
    SEPARATOR_MAX = 3, /* characters between spaced letters */
    SPACED_MIN = 3,    /* letters */
};

struct chunk {
    uint32_t units[CHUNK_MAX];
    size_t count;
    size_t first, last; /* tokens */
    bool joined;
    unsigned latin, cyrillic, foreign, digits, symbols, masks;
    bool looks_latin, looks_cyrillic; /* every letter has a look-alike there */
};

struct leet {
    uint32_t ch;
    char latin[2];
    uint8_t cyrillic[2];
};

static const struct leet leets[] = {
    {'0', "o", {0x8E}},        {'1', "il", {0x88, 0x8B}}, {'2', "z", {0}},
    {'3', "e", {0x87, 0x85}},  {'4', "a", {0x97, 0x80}},  {'5', "s", {0x91}},
    {'6', "bg", {0x81, 0x98}}, {'7', "t", {0x92}},        {'8', "b", {0x82}},
    {'9', "gq", {0x9F, 0x84}}, {'@', "a", {0x80}},        {'$', "s", {0x91}},
    {'!', "il", {0x88}},       {'|', "il", {0x88}},       {0x20AC, "e", {0x85}},
    {0xA3, "l", {0x8B}},       {0xA5, "y", {0x93}},       {0xA2, "c", {0x91}},
};

static const struct leet *find_leet(uint32_t ch)
{
    for (size_t i = 0; i < sizeof(leets) / sizeof(leets[0]); i++) {
        if (leets[i].ch == ch)
            return &leets[i];
    }
    return NULL;
}

uint8_t word_reading_leet_latin(uint32_t ch, int choice)
{
    const struct leet *leet = find_leet(ch);

    return leet ? (uint8_t)leet->latin[choice] : 0;
}

uint8_t word_reading_leet_cyrillic(uint32_t ch, int choice)
{
    const struct leet *leet = find_leet(ch);

    return leet ? leet->cyrillic[choice] : 0;
}

static bool is_mask(uint32_t ch)
{
    return ch == '*' || ch == '#' || ch == '%' || ch == '?' || ch == '^' || ch == '~' ||
           ch == 0x2605 || ch == 0x2606 || ch == 0xD7 || ch == 0xA4 || ch == 0x2588 || ch == 0x25A0;
}

static bool is_inner_symbol(uint32_t ch)
{
    return is_mask(ch) ||
           (ch >= 0x80 ? find_leet(ch) != NULL : ch == '@' || ch == '$' || ch == '!' || ch == '|');
}

/* ---- one reading ---- */

struct writer {
    struct word_view *view;
    struct segment segment;
    bool failed;
};

static void put(struct writer *writer, uint8_t letter, uint32_t unit)
{
    struct word_view *view = writer->view;
    size_t last = view->length - 1;

    if (view->bytes[last] == letter && letter != ALPHABET_ANY && letter != ALPHABET_EDGE) {
        view->last[last] = unit;
        if (view->run[last] < UINT8_MAX)
            view->run[last]++;
        return;
    }
    if (view->length + 2 >= view->limit) {
        writer->failed = true;
        return;
    }
    view->bytes[view->length] = letter;
    view->run[view->length] = 1;
    view->first[view->length] = unit;
    view->last[view->length] = unit;
    view->length++;
}

static void begin(struct writer *writer, struct word_view *view, const struct chunk *chunk,
                  enum segment_kind kind)
{
    *writer = (struct writer){
        .view = view,
        .segment = {.first = (uint32_t)chunk->first,
                    .last = (uint32_t)chunk->last,
                    .kind = (uint8_t)kind,
                    .joined = chunk->joined},
    };
    put(writer, ALPHABET_EDGE, chunk->units[0]);
    writer->segment.start = (uint32_t)view->length;
}

static bool same_bytes(const struct word_view *view, uint32_t a, uint32_t b, uint32_t length)
{
    return memcmp(view->bytes + a, view->bytes + b, length) == 0;
}

static bool is_known(const struct word_view *view, const struct segment *segment)
{
    const struct token *token = &view->tokens[segment->first];

    if (segment->first == segment->last && token->length == segment->length &&
        same_bytes(view, token->line, segment->start, segment->length))
        return true;
    for (uint32_t i = token->readings; i; i = view->segments[i - 1].next) {
        const struct segment *other = &view->segments[i - 1];

        if (other->last == segment->last && other->length == segment->length &&
            same_bytes(view, other->start, segment->start, segment->length))
            return true;
    }
    return false;
}

/* Keeps the reading, unless it is empty, known, or there is no room. */
static void end(struct writer *writer)
{
    struct word_view *view = writer->view;
    struct segment *segment = &writer->segment;
    struct token *token = &view->tokens[segment->first];

    segment->length = (uint32_t)view->length - segment->start;
    if (writer->failed || view->segment_count == view->segment_capacity)
        view->full = true;
    else if (segment->length > 1 && !is_known(view, segment)) {
        segment->next = token->readings;
        view->segments[view->segment_count++] = *segment;
        token->readings = (uint32_t)view->segment_count;
        put(writer, ALPHABET_EDGE, view->last[view->length - 1]);
        put(writer, ALPHABET_END, view->last[view->length - 1]);
        return;
    }
    view->length = segment->start - 1;
}

/* ---- letters ---- */

struct choice {
    bool sound;      /* letters of the other script by sound, not by look */
    unsigned combo;  /* bit i: the i-th ambiguous digit is the other letter */
    uint8_t mask[2]; /* letters behind the first and second mask; 0 = ALPHABET_ANY */
};

static uint8_t latin_letter(const struct unit *unit, bool sound, int other)
{
    uint8_t heard = alphabet_is_cyrillic(unit->own) ? translit_cyrillic_sound(unit->cyrillic) : 0;

    if (unit->kind != FOLD_LETTER)
        return word_reading_leet_latin(unit->ch, other);
    if (sound)
        return heard ? heard : unit->latin;
    return unit->latin ? unit->latin : heard;
}

static uint8_t cyrillic_letter(const struct unit *unit, bool sound, int other)
{
    uint8_t heard = alphabet_is_latin(unit->own) ? translit_latin_sound(unit->own) : 0;

    if (unit->kind != FOLD_LETTER)
        return word_reading_leet_cyrillic(unit->ch, other);
    if (sound)
        return heard ? heard : unit->cyrillic;
    if (unit->own >= ALPHABET_EXTRA && !unit->cyrillic)
        return unit->own;
    return unit->cyrillic ? unit->cyrillic : heard;
}

static bool is_ambiguous(const struct unit *unit, enum segment_kind kind)
{
    if (unit->kind == FOLD_LETTER)
        return false;
    return kind == SEGMENT_CYRILLIC ? word_reading_leet_cyrillic(unit->ch, 1) != 0
                                    : word_reading_leet_latin(unit->ch, 1) != 0;
}

/* The letters of a chunk under a choice, 0 where there is none; `kind` is LATIN or CYRILLIC. */
static void spell(const struct word_view *view, const struct chunk *chunk, enum segment_kind kind,
                  const struct choice *choice, uint8_t letters[CHUNK_MAX])
{
    unsigned ambiguous = 0, masks = 0;

    for (size_t i = 0; i < chunk->count; i++) {
        const struct unit *unit = &view->text->units[chunk->units[i]];
        int other = 0;

        if (unit->kind == FOLD_SYMBOL && is_mask(unit->ch)) {
            uint8_t guess = masks < 2 ? choice->mask[masks] : 0;

            letters[i] = guess ? guess : ALPHABET_ANY;
            masks++;
            continue;
        }
        if (is_ambiguous(unit, kind))
            other = (choice->combo >> (ambiguous++ % AMBIGUOUS_MAX)) & 1;
        letters[i] = kind == SEGMENT_CYRILLIC ? cyrillic_letter(unit, choice->sound, other)
                                              : latin_letter(unit, choice->sound, other);
    }
}

static void add_letters(struct word_view *view, const struct chunk *chunk, enum segment_kind kind,
                        const uint8_t *letters)
{
    struct writer writer;

    begin(&writer, view, chunk, kind);
    for (size_t i = 0; i < chunk->count; i++) {
        if (letters[i])
            put(&writer, letters[i], chunk->units[i]);
    }
    end(&writer);
}

static void add_phonetic(struct word_view *view, const struct chunk *chunk, const uint8_t *letters)
{
    struct writer writer;

    begin(&writer, view, chunk, SEGMENT_PHONETIC);
    for (size_t i = 0; i < chunk->count;) {
        uint8_t sound[TRANSLIT_BYTES_MAX];
        size_t count, used;

        if (!alphabet_is_latin(letters[i])) {
            writer.failed = true;
            break;
        }
        used = translit_latin(letters + i, chunk->count - i, sound, &count);
        for (size_t k = 0; k < count; k++)
            put(&writer, sound[k], chunk->units[i + (k < used ? k : used - 1)]);
        view->last[view->length - 1] = chunk->units[i + used - 1];
        i += used;
    }
    if (writer.failed)
        view->length = writer.segment.start - 1;
    else
        end(&writer);
}

/* ---- which readings a chunk gets ---- */

static void add_cyrillic(struct word_view *view, const struct chunk *chunk, struct choice choice)
{
    uint8_t letters[CHUNK_MAX];

    spell(view, chunk, SEGMENT_CYRILLIC, &choice, letters);
    add_letters(view, chunk, SEGMENT_CYRILLIC, letters);
    if (chunk->latin == 0 || chunk->cyrillic == 0)
        return;
    choice.sound = true;
    spell(view, chunk, SEGMENT_CYRILLIC, &choice, letters);
    add_letters(view, chunk, SEGMENT_CYRILLIC, letters);
}

static void add_latin(struct word_view *view, const struct chunk *chunk, struct choice choice)
{
    uint8_t letters[CHUNK_MAX];

    spell(view, chunk, SEGMENT_LATIN, &choice, letters);
    add_letters(view, chunk, SEGMENT_LATIN, letters);
    if (chunk->latin > 0)
        add_phonetic(view, chunk, letters);
    if (chunk->latin == 0 || chunk->cyrillic == 0)
        return;
    choice.sound = true;
    spell(view, chunk, SEGMENT_LATIN, &choice, letters);
    add_letters(view, chunk, SEGMENT_LATIN, letters);
    add_phonetic(view, chunk, letters);
}

static unsigned combinations(const struct word_view *view, const struct chunk *chunk,
                             enum segment_kind kind)
{
    unsigned ambiguous = 0;

    for (size_t i = 0; i < chunk->count; i++)
        ambiguous += is_ambiguous(&view->text->units[chunk->units[i]], kind);
    return 1U << (ambiguous < AMBIGUOUS_MAX ? ambiguous : AMBIGUOUS_MAX);
}

static bool reads_cyrillic(const struct chunk *chunk)
{
    unsigned strange = chunk->latin + chunk->digits + chunk->symbols + chunk->foreign;

    if (chunk->cyrillic > 0)
        return strange > 0 || chunk->joined;
    return chunk->looks_cyrillic && chunk->latin >= 3;
}

static bool reads_latin(const struct chunk *chunk)
{
    if (chunk->latin > 0)
        return true; /* at least for the phonetic form */
    return chunk->looks_latin && chunk->cyrillic >= 3;
}

static void add_readings(struct word_view *view, const struct chunk *chunk)
{
    if (reads_cyrillic(chunk)) {
        unsigned combos = combinations(view, chunk, SEGMENT_CYRILLIC);

        for (unsigned combo = 0; combo < combos; combo++)
            add_cyrillic(view, chunk, (struct choice){.combo = combo});
    }
    if (reads_latin(chunk)) {
        unsigned combos = combinations(view, chunk, SEGMENT_LATIN);

        for (unsigned combo = 0; combo < combos; combo++)
            add_latin(view, chunk, (struct choice){.combo = combo});
    }
}

static void add_guess(struct word_view *view, const struct chunk *chunk, enum segment_kind script,
                      struct choice choice)
{
    uint8_t letters[CHUNK_MAX];

    spell(view, chunk, script, &choice, letters);
    add_letters(view, chunk, SEGMENT_MASKED, letters);
}

/* One mask: every letter. Two: vowels, which is what people hide. The masked form itself, too. */
static void add_guesses(struct word_view *view, const struct chunk *chunk)
{
    static const uint8_t vowels[2][9] = {{0x80, 0x85, 0x88, 0x8E, 0x93, 0x9B, 0x9D, 0x9E, 0x9F},
                                         {'a', 'e', 'i', 'o', 'u', 'y'}};
    bool latin = chunk->latin > chunk->cyrillic;
    enum segment_kind script = latin ? SEGMENT_LATIN : SEGMENT_CYRILLIC;
    unsigned letters = latin ? 26 : 32, first = latin ? 'a' : ALPHABET_CYRILLIC;
    unsigned vowel_count = latin ? 6 : 9;

    add_guess(view, chunk, script, (struct choice){0});
    for (unsigned i = 0; chunk->masks == 1 && i < letters; i++)
        add_guess(view, chunk, script, (struct choice){.mask = {(uint8_t)(first + i)}});
    for (unsigned i = 0; chunk->masks == 2 && i < vowel_count * vowel_count; i++)
        add_guess(view, chunk, script,
                  (struct choice){
                      .mask = {vowels[latin][i / vowel_count], vowels[latin][i % vowel_count]}});
}

/* ---- finding chunks ---- */

/* Letters that nobody could tell apart, in one case or the other: а в е к м н о р с т у х і ј ѕ. A
 * word of its own script is read in the other one only if it has no other letters. */
static bool looks_latin(uint8_t own)
{
    static const uint8_t set[] = {0x80, 0x82, 0x85, 0x8A, 0x8C, 0x8D, 0x8E, 0x90,
                                  0x91, 0x92, 0x93, 0x95, 0xA0, 0xAC, 0xB2};

    return memchr(set, own, sizeof(set)) != NULL;
}

static bool looks_cyrillic(uint8_t own)
{
    return own && strchr("abcehkmoptxyu", own) != NULL;
}

static void add_unit(const struct word_view *view, struct chunk *chunk, uint32_t index)
{
    const struct unit *unit = &view->text->units[index];

    if (chunk->count == CHUNK_MAX)
        return;
    chunk->units[chunk->count++] = index;
    if (unit->kind == FOLD_DIGIT) {
        chunk->digits++;
    } else if (unit->kind == FOLD_SYMBOL) {
        if (is_mask(unit->ch))
            chunk->masks++;
        else
            chunk->symbols++;
    } else {
        chunk->latin += alphabet_is_latin(unit->own);
        chunk->cyrillic += alphabet_is_cyrillic(unit->own);
        chunk->foreign += unit->own == 0 || unit->own >= ALPHABET_EXTRA;
        chunk->looks_latin &= looks_latin(unit->own);
        chunk->looks_cyrillic &= looks_cyrillic(unit->own);
    }
}

static void add_token_units(const struct word_view *view, struct chunk *chunk, size_t token)
{
    for (uint32_t i = view->tokens[token].first; i <= view->tokens[token].last; i++)
        add_unit(view, chunk, i);
    chunk->last = token;
}

/* True if only symbols that stand for letters lie between a token and the next one. */
static bool holds_together(const struct word_view *view, size_t token)
{
    uint32_t from = view->tokens[token].last + 1, to = view->tokens[token + 1].first;

    if (to - from > SYMBOLS_MAX)
        return false;
    for (uint32_t i = from; i < to; i++) {
        if (!is_inner_symbol(view->text->units[i].ch))
            return false;
    }
    return true;
}

/* A symbol at the edge of a chunk belongs to it where the word would be no word without. */
static bool leads(const struct word_view *view, uint32_t unit)
{
    const struct unit *units = view->text->units;

    if (unit == 0)
        return false;
    uint32_t ch = units[unit - 1].ch;
    bool open = unit < 2 || units[unit - 2].kind == FOLD_SPACE || units[unit - 2].kind == FOLD_LINE;
    return open && (ch == '$' || ch == '*' || ch == '#' ||
                    (ch == '@' && alphabet_is_cyrillic(units[unit].own)));
}

static bool trails(const struct word_view *view, uint32_t unit)
{
    const struct unit *units = view->text->units;

    if (unit + 1 >= view->text->count || units[unit].kind != FOLD_LETTER)
        return false;
    uint8_t after = units[unit + 2 <= view->text->count ? unit + 2 : unit + 1].kind;
    return (units[unit + 1].ch == '@' || units[unit + 1].ch == '$') &&
           (after == FOLD_SPACE || after == FOLD_LINE);
}

static void collect_chunk(const struct word_view *view, struct chunk *chunk, size_t token)
{
    *chunk =
        (struct chunk){.first = token, .last = token, .looks_latin = true, .looks_cyrillic = true};
    if (leads(view, view->tokens[token].first))
        add_unit(view, chunk, view->tokens[token].first - 1);
    add_token_units(view, chunk, token);
    while (chunk->last + 1 < view->token_count && holds_together(view, chunk->last)) {
        uint32_t to = view->tokens[chunk->last + 1].first;

        for (uint32_t i = view->tokens[chunk->last].last + 1; i < to; i++)
            add_unit(view, chunk, i);
        add_token_units(view, chunk, chunk->last + 1);
    }
    if (trails(view, view->tokens[chunk->last].last))
        add_unit(view, chunk, view->tokens[chunk->last].last + 1);
}

/* ---- letters spaced apart ---- */

static bool is_single(const struct word_view *view, size_t token)
{
    return token < view->token_count && view->tokens[token].first == view->tokens[token].last;
}

static bool same_gap(const struct word_view *view, size_t a, size_t b)
{
    const struct token *t = view->tokens;
    uint32_t n = t[a + 1].first - t[a].last - 1, m = t[b + 1].first - t[b].last - 1;

    if (n != m || n == 0 || n > SEPARATOR_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (view->text->units[t[a].last + 1 + i].ch != view->text->units[t[b].last + 1 + i].ch)
            return false;
    }
    return true;
}

/* One past the last token of a run of single letters that starts at `token`. */
static size_t spaced_end(const struct word_view *view, size_t token)
{
    size_t end = token + 1;

    if (!is_single(view, token))
        return end;
    while (is_single(view, end) && same_gap(view, token, end - 1))
        end++;
    return end;
}

static bool is_short_word(uint8_t letter)
{
    /* а в и к о с у я, a i */
    return letter == 0x80 || letter == 0x82 || letter == 0x88 || letter == 0x8A || letter == 0x8E ||
           letter == 0x91 || letter == 0x93 || letter == 0x9F || letter == 'a' || letter == 'i';
}

static void read_joined(struct word_view *view, size_t first, size_t end)
{
    struct chunk chunk = {
        .first = first, .joined = true, .looks_latin = true, .looks_cyrillic = true};

    for (size_t i = first; i < end; i++)
        add_token_units(view, &chunk, i);
    if (chunk.count <= SPACED_MIN && chunk.latin > 0 && chunk.cyrillic > 0)
        return; /* "x и y" */
    if (chunk.digits * 2 <= chunk.count && chunk.count < CHUNK_MAX)
        add_readings(view, &chunk);
}

/* The first letter may be a word of its own before the spaced one: "я х у ..." */
static void read_spaced(struct word_view *view, size_t first, size_t end)
{
    read_joined(view, first, end);
    if (end - first > SPACED_MIN && is_short_word(view->text->units[view->tokens[first].first].own))
        read_joined(view, first + 1, end);
}

/* ---- all of them ---- */

static bool is_plain(const struct chunk *chunk)
{
    return chunk->latin == 0 &&
           chunk->digits + chunk->symbols + chunk->masks + chunk->foreign == 0 &&
           !chunk->looks_latin;
}

void word_reading_add_all(struct word_view *view)
{
    unsigned masked = 0;

    for (size_t token = 0; token < view->token_count;) {
        struct chunk chunk;
        size_t spaced = spaced_end(view, token);

        if (spaced - token >= SPACED_MIN) {
            read_spaced(view, token, spaced);
            token = spaced;
            continue;
        }
        collect_chunk(view, &chunk, token);
        token = chunk.last + 1;
        if (is_plain(&chunk) || chunk.latin + chunk.cyrillic + chunk.foreign == 0 ||
            chunk.count == CHUNK_MAX)
            continue;
        if (chunk.masks == 0)
            add_readings(view, &chunk);
        else if (chunk.count >= 3 && masked++ < MASKED_MAX)
            add_guesses(view, &chunk);
    }
}
