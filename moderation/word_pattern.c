/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of words in rules
 *
 * A rule's word is expanded here into all literals that it stands for, so that the matcher needs
 * nothing but literals: classes are multiplied out, "~" puts each of the prefixes below in front.
 * The number of forms is bounded, and so is their length; what is too wide is refused with a reason
 * instead of slowing every message down.
 */
#include "moderation/word_pattern.h"

#include <string.h>

#include "moderation/alphabet.h"
#include "moderation/fold.h"
#include "moderation/translit.h"

enum {
    SLOTS_MAX = 24,
    CHOICES_MAX = 64,
    CHOICE_MAX = 8,
    LETTERS_MAX = SLOTS_MAX * CHOICE_MAX,
    OPEN_MIN = 2,
    OPEN_BOTH_MIN = 3,
    PHONETIC_MIN = 3,
    PHONETIC_WHOLE_MIN = 4,
};

/* Prefixes of Russian verbs and what is made from them; the empty one too. */
static const char *const prefixes[] = {
    "",       "в",     "вз",    "во",    "воз",   "вс",   "вы",    "до",    "за",     "из",
    "изо",    "изъ",   "ис",    "на",    "над",   "не",   "недо",  "ни",    "о",      "об",
    "обо",    "объ",   "от",    "ото",   "отъ",   "пере", "по",    "под",   "подо",   "подъ",
    "пона",   "пре",   "при",   "про",   "раз",   "разо", "разъ",  "рас",   "с",      "со",
    "съ",     "у",     "въ",    "взъ",   "неза",  "поза", "невы",  "повы",  "понавы", "поназа",
    "попере", "подза", "приза", "пораз", "порас", "испо", "непро", "выпро",
};

/* One place of a word: letters, or groups of letters, that may stand there. */
struct slot {
    uint32_t chars[CHOICES_MAX][CHOICE_MAX]; /* folded, 0 ends; ё is kept, to give both sounds */
    size_t count;
};

struct word {
    struct slot slots[SLOTS_MAX];
    size_t count, forms;
    bool open_left, open_right;
    bool as_written; /* no phonetic forms */
    word_pattern_fn each;
    void *context;
};

enum { SMALL_YO = 0x451, SMALL_E = 0x435 };

static size_t decode(const char *text, size_t left, uint32_t *out)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    uint32_t ch = n == 1 ? s[0] : s[0] & (0x7FU >> n);

    if (n > left)
        n = left;
    for (size_t i = 1; i < n; i++)
        ch = ch << 6 | (s[i] & 0x3F);
    *out = ch;
    return n;
}

/* Folds one letter of a rule; 0 if it can't stand in a word. */
static uint32_t fold_letter(uint32_t ch)
{
    if (ch == 0x401 || ch == SMALL_YO)
        return SMALL_YO;
    const struct fold_entry *entry = fold_lookup(ch);
    if (entry->kind != FOLD_LETTER && entry->kind != FOLD_DIGIT)
        return ch == '#' ? ch : 0;
    return (uint32_t)((int32_t)ch + entry->shift);
}

/* Reads one letter, or the star after a choice, into a slot. */
static const char *read_letter(struct slot *slot, const char **text, size_t *left)
{
    uint32_t ch, *choice = slot->chars[slot->count - 1];
    size_t n = decode(*text, *left, &ch), length = 0;
    uint32_t folded = ch == '*' ? ch : fold_letter(ch);

    while (length < CHOICE_MAX && choice[length])
        length++;
    if (!folded)
        return "a word has letters, digits, #, [classes] and (groups) only";
    if (length == CHOICE_MAX - 1)
        return "a group of more than 7 letters";
    choice[length] = folded;
    *text += n;
    *left -= n;
    return NULL;
}

static const char *add_choice(struct slot *slot)
{
    if (slot->count == CHOICES_MAX)
        return "more than 64 choices at one place";
    memset(slot->chars[slot->count++], 0, sizeof(slot->chars[0]));
    return NULL;
}

/* [abc] or (ab|cd|): `text` starts after the bracket. */
static const char *read_choices(struct slot *slot, const char **text, size_t *left, bool class)
{
    const char *why = class ? NULL : add_choice(slot);
    char close = class ? ']' : ')';

    while (!why) {
        if (*left == 0)
            return class ? "a [class] has no end" : "a (group) has no end";
        char ch = **text;
        if (ch == close || (ch == '|' && !class)) {
            ++*text;
            --*left;
            if (ch == close)
                return slot->count > 0 ? NULL : "an empty class";
            why = add_choice(slot);
            continue;
        }
        why = class ? add_choice(slot) : NULL;
        if (!why)
            why = read_letter(slot, text, left);
    }
    return why;
}

static const char *add_prefixes(struct slot *slot)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const char *why = add_choice(slot), *text = prefixes[i];

        for (size_t left = strlen(text); !why && left > 0;)
            why = read_letter(slot, &text, &left);
        if (why)
            return why;
    }
    return NULL;
}

static const char *read_slot(struct word *word, const char **text, size_t *left)
{
    struct slot *slot = &word->slots[word->count];
    char ch = **text;
    const char *why;

    if (word->count == SLOTS_MAX)
        return "a word of more than 24 places";
    word->count++;
    slot->count = 0;
    if (ch == '~' || ch == '[' || ch == '(') {
        ++*text;
        --*left;
        why = ch == '~' ? add_prefixes(slot) : read_choices(slot, text, left, ch == '[');
    } else {
        why = add_choice(slot);
        if (!why)
            why = read_letter(slot, text, left);
    }
    word->forms *= slot->count ? slot->count : 1;
    if (why)
        return why;
    return word->forms > WORD_FORMS_MAX ? "more than 4096 forms in one word" : NULL;
}

static const char *read_word(struct word *word, const char *text, size_t length)
{
    if (length > 0 && text[0] == '=') {
        word->as_written = true;
        text++, length--;
    }
    if (length > 0 && text[0] == '*') {
        word->open_left = true;
        text++, length--;
    }
    if (length > 0 && text[length - 1] == '*') {
        word->open_right = true;
        length--;
    }
    while (length > 0) {
        const char *why = read_slot(word, &text, &length);

        if (why)
            return why;
    }
    return word->count == 0 ? "an empty word" : NULL;
}

static void put(struct word_pattern *pattern, uint8_t byte, bool squeeze)
{
    if (byte == TRANSLIT_E && pattern->length > 0 &&
        pattern->bytes[pattern->length - 1] == TRANSLIT_I) {
        pattern->bytes[pattern->length - 1] = byte;
        return;
    }
    if (squeeze && pattern->length > 0 && pattern->bytes[pattern->length - 1] == byte) {
        pattern->run[pattern->length - 1]++;
        return;
    }
    if (pattern->length == WORD_PATTERN_MAX)
        return;
    pattern->bytes[pattern->length] = byte;
    pattern->run[pattern->length++] = 1;
}

static void put_plain(struct word_pattern *pattern, uint32_t ch)
{
    if (ch == '#') {
        put(pattern, ALPHABET_ANY, false);
        return;
    }
    uint8_t own = fold_lookup(ch)->own;
    for (int shift = 4 * (ALPHABET_WIDE_BYTES - 1); !own && shift >= 0; shift -= 4)
        put(pattern, (uint8_t)(ALPHABET_WIDE | ((ch >> shift) & 0xF)), false);
    if (own)
        put(pattern, own, !alphabet_is_digit(own));
}

static bool put_phonetic(struct word_pattern *pattern, uint32_t ch, bool yo)
{
    uint8_t sound[TRANSLIT_BYTES_MAX];
    uint8_t own = fold_lookup(ch)->own;

    if (own < ALPHABET_CYRILLIC || own >= ALPHABET_EXTRA)
        return false;
    if (ch == SMALL_YO && yo)
        put(pattern, ALPHABET_PHONETIC + 'i' - 'a', true);
    size_t count = ch == SMALL_YO && yo ? 1 : translit_cyrillic(own, sound);
    if (ch == SMALL_YO && yo)
        sound[0] = ALPHABET_PHONETIC + 'o' - 'a';
    for (size_t i = 0; i < count; i++)
        put(pattern, sound[i], true);
    return true;
}

/* One form of a word: letters as fold_letter() gives them. */
struct form {
    uint32_t chars[LETTERS_MAX];
    size_t count;
    bool open_right;
};

/* The phonetic form; a double letter is often written once, so none is insisted on. */
static void emit_phonetic(const struct word *word, const struct form *form, bool yo)
{
    struct word_pattern pattern = {

        .open_right = form->open_right, .open_left = word->open_left, .phonetic = true};

    for (size_t i = 0; i < form->count; i++) {
        if (!put_phonetic(&pattern, form->chars[i], yo))
            return;
    }
    memset(pattern.run, 1, sizeof(pattern.run));
    if (pattern.length >=
        (word->open_left || !form->open_right ? PHONETIC_WHOLE_MIN : PHONETIC_MIN))
        word->each(word->context, &pattern);
}

static const char *emit(const struct word *word, const struct form *form)
{
    struct word_pattern pattern = {.open_left = word->open_left, .open_right = form->open_right};
    bool yo = false;

    if (form->count == 0)
        return "a form of the word is empty";
    if ((word->open_left || form->open_right) && form->count < OPEN_MIN)
        return "one letter and * would match nearly everything";
    if (word->open_left && form->open_right && form->count < OPEN_BOTH_MIN)
        return "*two letters* would match nearly everything";
    for (size_t i = 0; i < form->count; i++) {
        put_plain(&pattern, form->chars[i]);
        yo |= form->chars[i] == SMALL_YO;
    }
    if (pattern.length == WORD_PATTERN_MAX)
        return "a word of more than 39 letters";
    word->each(word->context, &pattern);
    if (word->as_written)
        return NULL;
    emit_phonetic(word, form, false);
    if (yo)
        emit_phonetic(word, form, true);
    return NULL;
}

/* The letters of one form: the number of the form says which choice each place takes. A choice
 * with a star leaves the form open. */
static const char *spell(const struct word *word, size_t form, struct form *out)
{
    out->count = 0;
    out->open_right = word->open_right;
    for (size_t i = 0; i < word->count; i++) {
        const struct slot *slot = &word->slots[i];
        const uint32_t *choice = slot->chars[form % slot->count];

        form /= slot->count;
        for (; *choice && *choice != '*'; choice++)
            out->chars[out->count++] = *choice;
        if (*choice == '*' && (choice[1] || i + 1 < word->count))
            return "a * in the middle of a word";
        out->open_right |= *choice == '*';
    }
    return NULL;
}

const char *word_pattern_parse(const char *text, size_t length, word_pattern_fn each, void *context)
{
    struct word word = {.count = 0, .forms = 1, .each = each, .context = context};
    const char *why = read_word(&word, text, length);

    for (size_t form = 0; !why && form < word.forms; form++) {
        struct form spelled;

        why = spell(&word, form, &spelled);
        if (!why)
            why = emit(&word, &spelled);
    }
    return why;
}

bool word_pattern_fits(const struct word_pattern *pattern, const uint8_t *word, const uint8_t *run,
                       size_t length)
{
    size_t n = pattern->length, last = length - n;

    if (n > length)
        return false;
    for (size_t at = 0; at <= last; at++) {
        if (at > 0 && !pattern->open_left)
            return false;
        if (at < last && !pattern->open_right)
            continue;
        if (memcmp(word + at, pattern->bytes, n) != 0)
            continue;
        size_t i = 0;
        while (i < n && run[at + i] >= pattern->run[i])
            i++;
        if (i == n && (!pattern->phonetic || translit_is_ending(word + at + n, length - at - n)))
            return true;
    }
    return false;
}
