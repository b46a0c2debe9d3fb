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
#include "moderation/leet.h"
#include "moderation/translit.h"
#include "moderation/word_chunk.h"
#include "moderation/word_view.h"

enum {
    AMBIGUOUS_MAX = 3, /* digits that are read both ways in all combinations */
    SOUNDED_MIN = 3,   /* letters of a word that is also read by sound */
    MASKS_MAX = 4,     /* masks per text that are guessed */
    GUESSED_MIN = 3,   /* letters of a masked word */
    GUESSED_MAX = 14,
};

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

    if (letter == TRANSLIT_E && view->bytes[last] == TRANSLIT_I) {
        view->bytes[last] = letter; /* ye, ie, ые: e */
        view->last[last] = unit;
        return;
    }
    if (view->bytes[last] == letter && letter != ALPHABET_ANY && letter != ALPHABET_EDGE &&
        !alphabet_is_digit(letter)) {
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

static void begin(struct writer *writer, struct word_view *view, const struct word_chunk *chunk,
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

    if (segment->kind == SEGMENT_PHONETIC && !token->readings)
        return false;
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
    bool guess = segment->kind == SEGMENT_MASKED; /* each is new, and none is looked up again */
    if (writer->failed || view->segment_count == view->segment_capacity)
        view->full |= !guess;
    else if (segment->length > 1 && (guess || !is_known(view, segment))) {
        segment->next = guess ? 0 : token->readings;
        view->segments[view->segment_count++] = *segment;
        if (!guess)
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
        return leet_latin(unit->ch, other);
    if (sound && alphabet_is_latin(unit->own))
        return unit->own;
    if (sound)
        return heard ? heard : unit->latin;
    return unit->latin ? unit->latin : heard;
}

static uint8_t cyrillic_letter(const struct unit *unit, bool sound, int other)
{
    uint8_t heard = alphabet_is_latin(unit->own) ? translit_latin_sound(unit->own) : 0;

    if (unit->kind != FOLD_LETTER)
        return leet_cyrillic(unit->ch, other);
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
    return kind == SEGMENT_CYRILLIC ? leet_cyrillic(unit->ch, 1) != 0
                                    : leet_latin(unit->ch, 1) != 0;
}

/* The letters of a chunk under a choice, 0 where there is none; `kind` is LATIN or CYRILLIC. */
static void spell(const struct word_view *view, const struct word_chunk *chunk,
                  enum segment_kind kind, const struct choice *choice, uint8_t letters[CHUNK_MAX])
{
    unsigned ambiguous = 0, masks = 0;

    for (size_t i = 0; i < chunk->count; i++) {
        const struct unit *unit = &view->text->units[chunk->units[i]];
        int other = 0;

        if (unit->kind == FOLD_SYMBOL && leet_is_mask(unit->ch)) {
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

static void add_letters(struct word_view *view, const struct word_chunk *chunk,
                        enum segment_kind kind, const uint8_t *letters)
{
    struct writer writer;

    begin(&writer, view, chunk, kind);
    for (size_t i = 0; i < chunk->count; i++) {
        if (letters[i])
            put(&writer, letters[i], chunk->units[i]);
    }
    end(&writer);
}

/* The phonetic form of `length` Latin letters, which stand at `units`. */
static void write_phonetic(struct writer *writer, const uint8_t *letters, const uint32_t *units,
                           size_t length)
{
    for (size_t i = 0, used; i < length; i += used) {
        uint8_t sound[TRANSLIT_BYTES_MAX];
        size_t count;

        used = translit_latin(letters + i, length - i, sound, &count);
        for (size_t k = 0; k < count; k++)
            put(writer, sound[k], units[i + (k < used ? k : used - 1)]);
        writer->view->last[writer->view->length - 1] = units[i + used - 1];
    }
}

/* Nothing if a letter is not Latin; places without a letter are left out. */
static void add_phonetic(struct word_view *view, const struct word_chunk *chunk,
                         const uint8_t *letters)
{
    uint8_t kept[CHUNK_MAX];
    uint32_t units[CHUNK_MAX];
    size_t count = 0;
    struct writer writer;

    for (size_t i = 0; i < chunk->count; i++) {
        if (!letters[i])
            continue;
        if (!alphabet_is_latin(letters[i]))
            return;
        kept[count] = letters[i];
        units[count++] = chunk->units[i];
    }
    begin(&writer, view, chunk, SEGMENT_PHONETIC);
    write_phonetic(&writer, kept, units, count);
    end(&writer);
}

/* ---- which readings a chunk gets ---- */

static void add_cyrillic(struct word_view *view, const struct word_chunk *chunk,
                         struct choice choice)
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

static void add_latin(struct word_view *view, const struct word_chunk *chunk, struct choice choice)
{
    uint8_t letters[CHUNK_MAX];

    spell(view, chunk, SEGMENT_LATIN, &choice, letters);
    if (chunk->latin < chunk->count || chunk->joined)
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

static unsigned combinations(const struct word_view *view, const struct word_chunk *chunk,
                             enum segment_kind kind)
{
    unsigned ambiguous = 0;

    for (size_t i = 0; i < chunk->count; i++)
        ambiguous += is_ambiguous(&view->text->units[chunk->units[i]], kind);
    return 1U << (ambiguous < AMBIGUOUS_MAX ? ambiguous : AMBIGUOUS_MAX);
}

static bool reads_cyrillic(const struct word_chunk *chunk)
{
    unsigned strange = chunk->latin + chunk->digits + chunk->symbols + chunk->foreign;

    if (chunk->cyrillic > 0)
        return strange > 0 || chunk->joined;
    return chunk->looks_cyrillic && chunk->latin >= 3;
}

static bool reads_latin(const struct word_chunk *chunk)
{
    if (chunk->latin > 0)
        return true; /* at least for the phonetic form */
    return chunk->looks_latin && chunk->cyrillic >= 3;
}

/* Letters and digits as they are: the plain reading ends at a digit, and a rule may have one. */
static void add_verbatim(struct word_view *view, const struct word_chunk *chunk)
{
    uint8_t letters[CHUNK_MAX];

    for (size_t i = 0; i < chunk->count; i++)
        letters[i] = view->text->units[chunk->units[i]].own;
    add_letters(view, chunk, SEGMENT_LATIN, letters);
}

static void add_readings(struct word_view *view, const struct word_chunk *chunk)
{
    if (chunk->digits > 0 && !chunk->joined)
        add_verbatim(view, chunk);
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

static void add_guess(struct word_view *view, const struct word_chunk *chunk,
                      enum segment_kind script, struct choice choice)
{
    uint8_t letters[CHUNK_MAX];

    spell(view, chunk, script, &choice, letters);
    add_letters(view, chunk, SEGMENT_MASKED, letters);
}

/* One mask: every letter. Two: the common ones in both places. The masked form itself, too. */
static void add_guesses(struct word_view *view, const struct word_chunk *chunk)
{
    static const uint8_t common[2][20] = {
        /* о а е и у я ы ю т л р с н в д б з п г к */
        {0x8E, 0x80, 0x85, 0x88, 0x93, 0x9F, 0x9B, 0x9E, 0x92, 0x8B,
         0x90, 0x91, 0x8D, 0x82, 0x84, 0x81, 0x87, 0x8F, 0x83, 0x8A},
        {'a', 'e', 'i', 'o', 'u', 'y', 'c', 'k', 't', 's',
         'h', 'r', 'n', 'l', 'g', 'd', 'b', 'm', 'p', 'f'},
    };
    bool latin = chunk->latin > chunk->cyrillic;
    enum segment_kind script = latin ? SEGMENT_LATIN : SEGMENT_CYRILLIC;
    unsigned letters = latin ? 26 : 32, first = latin ? 'a' : ALPHABET_CYRILLIC;
    unsigned many = sizeof(common[0]);

    add_guess(view, chunk, script, (struct choice){0});
    if (chunk->masks * 2 > chunk->count)
        return; /* too little is left to guess from */
    for (unsigned i = 0; chunk->masks == 1 && i < letters; i++)
        add_guess(view, chunk, script, (struct choice){.mask = {(uint8_t)(first + i)}});
    for (unsigned i = 0; chunk->masks == 2 && i < many * many; i++)
        add_guess(view, chunk, script,
                  (struct choice){.mask = {common[latin][i / many], common[latin][i % many]}});
}

/* ---- all of them ---- */

static bool is_short_word(uint8_t letter)
{
    /* а в и к о с у я, a i */
    return letter == 0x80 || letter == 0x82 || letter == 0x88 || letter == 0x8A || letter == 0x8E ||
           letter == 0x91 || letter == 0x93 || letter == 0x9F || letter == 'a' || letter == 'i';
}

static void read_joined(struct word_view *view, size_t first, size_t end)
{
    struct word_chunk chunk;

    word_chunk_join(&chunk, view, first, end);
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

/* Nobody guesses long words, and underscores join names in programs more often than they hide. */
static bool is_guessable(const struct word_view *view, const struct word_chunk *chunk)
{
    unsigned underscores = 0;

    for (size_t i = 0; i < chunk->count; i++)
        underscores += view->text->units[chunk->units[i]].ch == '_';
    if (chunk->masks == 0 || (underscores > 1 && underscores == chunk->masks))
        return false;
    return chunk->count >= GUESSED_MIN && chunk->count <= GUESSED_MAX &&
           chunk->count - chunk->masks > 0;
}

/* Guesses come last, so that they never take the room of a reading. */
static void guess_all(struct word_view *view)
{
    unsigned masks = 0;

    for (size_t token = 0; token < view->token_count && masks < MASKS_MAX;) {
        struct word_chunk chunk;

        word_chunk_collect(&chunk, view, token);
        token = chunk.last + 1;
        if (is_guessable(view, &chunk) && masks + chunk.masks <= MASKS_MAX) {
            add_guesses(view, &chunk);
            masks += chunk.masks;
        }
    }
}

static bool is_quiet(const struct unit *unit)
{
    return unit->kind != FOLD_LETTER && unit->kind != FOLD_DIGIT &&
           !(unit->kind == FOLD_SYMBOL && leet_is_inner(unit->ch));
}

/* Most words: of one script, more than one letter, nothing but blanks and stops around. */
static bool is_ordinary(const struct word_view *view, const struct token *token)
{
    const struct unit *units = view->text->units;

    return (token->script != TOKEN_MIXED || token->kind == TOKEN_NUMBER) &&
           token->first != token->last &&
           (token->first == 0 || is_quiet(&units[token->first - 1])) &&
           is_quiet(&units[token->last + 1]);
}

/* An ordinary word has its plain reading; a Latin one may still be Russian by sound. */
static void read_ordinary(struct word_view *view, size_t token)
{
    const struct token *t = &view->tokens[token];
    struct word_chunk chunk;

    if (t->script != TOKEN_LATIN || t->length < SOUNDED_MIN || t->last - t->first >= CHUNK_MAX)
        return;
    chunk.first = chunk.last = token;
    chunk.joined = false;
    chunk.count = t->last - t->first + 1;
    uint8_t letters[CHUNK_MAX];
    for (uint32_t i = 0; i < chunk.count; i++) {
        chunk.units[i] = t->first + i;
        letters[i] = view->text->units[t->first + i].own;
    }
    struct writer writer;
    begin(&writer, view, &chunk, SEGMENT_PHONETIC);
    write_phonetic(&writer, letters, chunk.units, chunk.count);
    end(&writer);
}

void word_reading_add_all(struct word_view *view)
{
    bool masked = false;

    for (size_t token = 0; token < view->token_count;) {
        struct word_chunk chunk;
        size_t spaced;

        if (is_ordinary(view, &view->tokens[token])) {
            read_ordinary(view, token++);
            continue;
        }
        spaced = word_chunk_spaced_end(view, token);
        if (spaced - token >= SPACED_MIN) {
            read_spaced(view, token, spaced);
            masked = true; /* what is between may be masks as well: "х*й*я" */
            token = spaced;
            continue;
        }
        word_chunk_collect(&chunk, view, token);
        token = chunk.last + 1;
        if (chunk.masks > 0)
            masked = true;
        else if (word_chunk_is_strange(&chunk))
            add_readings(view, &chunk);
    }
    if (masked)
        guess_all(view);
}
