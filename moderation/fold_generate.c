/* SPDX-License-Identifier: Apache-2.0 */
/* Build tool: writes the table of fold.h, from the Unicode data that ICU knows
 *
 * Each code point is taken through NFKC and case folding, its marks are stripped (й is protected:
 * without its breve it would be another letter, and хуй another word), and then asked what else it
 * looks like: by Unicode's confusables (ICU's skeletons), and by its name, since small capitals,
 * turned and negative letters have no decomposition. Few distinct answers remain, so the result is
 * three small arrays, and the program itself needs no ICU to screen a text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "moderation/alphabet.h"
#include "moderation/fold.h"

enum { PAGE_CELLS = 1 << FOLD_PAGE_BITS, CHARS_MAX = 24, SKELETON_UNITS = 32 };

/* What a Latin letter looks like to a Russian reader, where it looks like anything. */
static const char *const latin_seen_as[26][2] = {
    /* lower, upper */
    {"а", "а"}, {"в", "в"}, {"с", "с"}, {"д", "д"}, {"е", "е"}, {"", ""},   {"д", ""},
    {"н", "н"}, {"и", "и"}, {"й", "й"}, {"к", "к"}, {"", ""},   {"м", "м"}, {"п", "и"},
    {"о", "о"}, {"р", "р"}, {"", ""},   {"г", "я"}, {"с", "с"}, {"т", "т"}, {"и", "и"},
    {"", ""},   {"ш", "ш"}, {"х", "х"}, {"у", "у"}, {"з", "з"},
};

/* а to я; empty where no Latin letter comes near. */
static const char *const cyrillic_seen_as[32] = {
    "a", "b", "b", "r", "d", "e", "", "z", "u", "u", "k", "", "m", "h", "o", "n",
    "p", "c", "t", "y", "",  "x", "", "",  "w", "w", "b", "", "b", "e", "",  "r",
};

/* Greek letters, alpha to omega (final sigma included): by look, and by sound. */
static const char greek_look[] = "abyoesnoiklmveonpcotuoxww";
static const char greek_sound[] = "abgdezitiklmnxoprsstufhpo";

struct tool {
    const UNormalizer2 *nfkc_fold, *nfd;
    USpoofChecker *spoof;
    UChar latin_skeleton[52][SKELETON_UNITS];    /* a-z, A-Z */
    UChar cyrillic_skeleton[64][SKELETON_UNITS]; /* а-я, А-Я */
    struct fold_entry entries[8192];
    size_t entry_count;
    struct fold_expansion expansions[1024];
    size_t expansion_count;
    uint16_t cells[256 * PAGE_CELLS];
    size_t page_count;
};

static void fail(const char *why)
{
    fprintf(stderr, "fold_generate: %s\n", why);
    exit(1);
}

static void check(UErrorCode status, const char *what)
{
    if (U_SUCCESS(status))
        return;
    fprintf(stderr, "fold_generate: %s: ", what);
    fail(u_errorName(status));
}

static uint32_t decode(const char *utf8)
{
    const unsigned char *s = (const unsigned char *)utf8;

    return s[0] < 0x80 ? s[0] : ((uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F));
}

static uint8_t alphabet_byte(uint32_t ch)
{
    static const uint32_t extra[] = ALPHABET_EXTRA_LETTERS;

    if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))
        return (uint8_t)ch;
    if (ch >= 0x430 && ch <= 0x44F)
        return (uint8_t)(ALPHABET_CYRILLIC + (ch - 0x430));
    for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
        if (extra[i] == ch)
            return (uint8_t)(ALPHABET_EXTRA + i);
    }
    return 0;
}

static void skeleton(const struct tool *tool, uint32_t ch, UChar out[SKELETON_UNITS])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar text[2];
    int32_t length = 0;

    U16_APPEND_UNSAFE(text, length, ch);
    memset(out, 0, SKELETON_UNITS * sizeof(*out));
    uspoof_getSkeleton(tool->spoof, 0, text, length, out, SKELETON_UNITS - 1, &status);
    if (U_FAILURE(status))
        out[0] = 0;
}

static bool is_mark(uint32_t ch)
{
    return (U_GET_GC_MASK(ch) & U_GC_M_MASK) != 0;
}

/* NFKC, case fold, marks stripped: into code points. Returns their number. */
static size_t fold(const struct tool *tool, uint32_t ch, uint32_t out[CHARS_MAX])
{
    UErrorCode status = U_ZERO_ERROR;
    UChar text[2], folded[64], parts[64];
    int32_t length = 0;
    size_t count = 0;

    U16_APPEND_UNSAFE(text, length, ch);
    int32_t n = unorm2_normalize(tool->nfkc_fold, text, length, folded, 64, &status);
    check(status, "NFKC");
    int32_t m = unorm2_normalize(tool->nfd, folded, n, parts, 64, &status);
    check(status, "NFD");
    for (int32_t i = 0; i < m && count < CHARS_MAX;) {
        uint32_t c;

        U16_NEXT(parts, i, m, c);
        if (c == 0x306 && count > 0 && out[count - 1] == 0x438)
            out[count - 1] = 0x439;
        else if (!is_mark(c))
            out[count++] = c;
    }
    return count;
}

static bool starts(const char *text, const char *prefix, const char **rest)
{
    size_t n = strlen(prefix);

    if (strncmp(text, prefix, n) != 0)
        return false;
    *rest = text + n;
    return true;
}

/* The base letter that a name speaks of: "LATIN LETTER SMALL CAPITAL T" -> t. 0 = none. */
static uint32_t base_by_name(uint32_t ch)
{
    static const char *const heads[] = {
        "LATIN LETTER SMALL CAPITAL ",
        "LATIN SMALL LETTER ",
        "LATIN CAPITAL LETTER ",
        "LATIN SUBSCRIPT SMALL LETTER ",
        "MODIFIER LETTER SMALL CAPITAL ",
        "MODIFIER LETTER SMALL ",
        "MODIFIER LETTER CAPITAL ",
        "NEGATIVE CIRCLED LATIN CAPITAL LETTER ",
        "NEGATIVE SQUARED LATIN CAPITAL LETTER ",
        "REGIONAL INDICATOR SYMBOL LETTER ",
    };
    static const char *const twists[] = {"TURNED ",   "REVERSED ", "OPEN ",
                                         "INVERTED ", "DOTLESS ",  "SIDEWAYS ",
                                         "BARRED ",   "SCRIPT ",   "LONG "};
    UErrorCode status = U_ZERO_ERROR;
    char name[128] = "";
    const char *rest = NULL;

    u_charName((UChar32)ch, U_UNICODE_CHAR_NAME, name, sizeof(name), &status);
    check(status, "name");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]) && !rest; i++)
        starts(name, heads[i], &rest);
    if (!rest)
        return 0;
    for (size_t i = 0; i < sizeof(twists) / sizeof(twists[0]); i++)
        starts(rest, twists[i], &rest);
    bool single =
        rest[0] >= 'A' && rest[0] <= 'Z' && (rest[1] == '\0' || strncmp(rest + 1, " WITH", 5) == 0);
    return single ? (uint32_t)(rest[0] - 'A' + 'a') : 0;
}

/* Dots and dashes that stand for the plain one, and what NFKC does not say about digits. */
static uint32_t plain_symbol(uint32_t ch)
{
    static const uint32_t dots[] = {0xB7,   0x2024, 0x2027, 0x2219, 0x22C5, 0x3002,
                                    0x30FB, 0xA4F8, 0xFF61, 0xFF65, 0x2981};
    for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++) {
        if (dots[i] == ch)
            return '.';
    }
    if (u_charType((UChar32)ch) == U_DASH_PUNCTUATION || ch == 0x2212 || ch == 0x2043)
        return '-';
    if (ch == 0x2044 || ch == 0x2215 || ch == 0x29F8)
        return '/';
    return ch;
}

static bool is_invisible(uint32_t ch)
{
    int8_t type = u_charType((UChar32)ch);

    if (ch == '\t' || ch == '\n' || ch == '\v' || ch == '\f' || ch == '\r' || ch == 0x85)
        return false;
    return type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || type == U_SURROGATE ||
           u_hasBinaryProperty((UChar32)ch, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || ch == 0x2800 ||
           ch == 0x3164 || ch == 0xFFA0 || ch == 0x115F || ch == 0x1160;
}

static uint8_t find_skeleton(const UChar (*table)[SKELETON_UNITS], size_t count, const UChar *key)
{
    for (size_t i = 0; i < count; i++) {
        if (key[0] && u_strcmp(table[i], key) == 0)
            return (uint8_t)(i + 1);
    }
    return 0;
}

/* Fills `latin` and `cyrillic` of a letter. `folded` is one code point. */
static void look_alikes(const struct tool *tool, uint32_t ch, uint32_t folded,
                        struct fold_entry *entry)
{
    UChar key[SKELETON_UNITS];
    bool upper = (entry->flags & FOLD_UPPER) != 0;

    skeleton(tool, ch, key);
    uint8_t latin = find_skeleton(tool->latin_skeleton, 52, key);
    uint8_t cyrillic = find_skeleton(tool->cyrillic_skeleton, 64, key);
    if (!latin && !cyrillic) {
        skeleton(tool, folded, key);
        latin = find_skeleton(tool->latin_skeleton, 52, key);
        cyrillic = find_skeleton(tool->cyrillic_skeleton, 64, key);
    }
    uint32_t named = base_by_name(ch) ? base_by_name(ch) : base_by_name(folded);
    bool greek = folded >= 0x3B1 && folded <= 0x3C9;

    if (alphabet_is_latin(entry->own))
        entry->latin = entry->own;
    else if (folded >= 0x430 && folded <= 0x44F)
        entry->latin = (uint8_t)cyrillic_seen_as[folded - 0x430][0];
    else if (latin)
        entry->latin = (uint8_t)('a' + (latin - 1) % 26);
    else if (greek)
        entry->latin = (uint8_t)greek_look[folded - 0x3B1];
    else
        entry->latin = (uint8_t)named;

    if (folded >= 0x430 && folded <= 0x44F)
        entry->cyrillic = entry->own;
    else if (cyrillic)
        entry->cyrillic = (uint8_t)(ALPHABET_CYRILLIC + (cyrillic - 1) % 32);
    if (alphabet_is_latin(entry->own) || (!entry->cyrillic && entry->latin))
        entry->cyrillic = alphabet_byte(decode(latin_seen_as[entry->latin - 'a'][upper]));
    if (!entry->own) /* a styled Latin letter, as far as anybody can tell */
        entry->own = greek ? (uint8_t)greek_sound[folded - 0x3B1] : entry->latin;
}

static size_t add_expansion(struct tool *tool, const uint32_t *chars, size_t count)
{
    struct fold_expansion expansion = {{0}};

    memcpy(expansion.chars, chars, count * sizeof(*chars));
    if (tool->expansion_count == sizeof(tool->expansions) / sizeof(tool->expansions[0]))
        fail("a table is too small");
    for (size_t i = 0; i < tool->expansion_count; i++) {
        if (memcmp(&tool->expansions[i], &expansion, sizeof(expansion)) == 0)
            return i;
    }
    tool->expansions[tool->expansion_count] = expansion;
    return tool->expansion_count++;
}

/* Letters and digits of a multi-character fold; fractions are no digits. */
static struct fold_entry expand(struct tool *tool, uint32_t ch, const uint32_t *chars, size_t count)
{
    struct fold_entry entry = {.kind = FOLD_SYMBOL};
    uint32_t kept[FOLD_EXPANSION_MAX];
    size_t n = 0, room = ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;

    for (size_t i = 0; i < count && n < room; i++) {
        if (chars[i] == 0x2044)
            return entry;
        if (alphabet_byte(chars[i]))
            kept[n++] = chars[i];
    }
    if (n == 0)
        return entry;
    if (n == 1 && u_isdigit((UChar32)kept[0]))
        return (struct fold_entry){.kind = FOLD_DIGIT,
                                   .flags = FOLD_STYLED,
                                   .own = (uint8_t)('0' + u_charDigitValue((UChar32)kept[0])),
                                   .shift = (int32_t)kept[0] - (int32_t)ch};
    entry.kind = FOLD_EXPAND;
    entry.shift = (int32_t)add_expansion(tool, kept, n);
    return entry;
}

/* East Asian letters and the like keep to themselves: no rule gains from their decompositions. */
static bool is_far(uint32_t ch, uint32_t folded)
{
    return ch >= 0x3000 && !alphabet_byte(folded) && u_isalpha((UChar32)ch);
}

static int digit_value(uint32_t ch, uint32_t folded)
{
    int32_t digit = u_charDigitValue((UChar32)folded);
    double number = u_getNumericValue((UChar32)ch);

    if (digit >= 0)
        return digit;
    if (u_charType((UChar32)ch) == U_OTHER_NUMBER && number >= 0 && number <= 9 &&
        number == (int)number)
        return (int)number;
    return -1;
}

static struct fold_entry classify(struct tool *tool, uint32_t ch)
{
    uint32_t chars[CHARS_MAX];
    struct fold_entry entry = {.kind = FOLD_SYMBOL};

    if (is_invisible(ch))
        return (struct fold_entry){.kind = FOLD_DROP};
    if (is_mark(ch))
        return (struct fold_entry){.kind = FOLD_MARK};
    if (ch == '\n' || ch == '\r' || ch == '\v' || ch == '\f' || ch == 0x85 || ch == 0x2028 ||
        ch == 0x2029)
        return (struct fold_entry){.kind = FOLD_LINE};
    if (ch == '\t' || u_charType((UChar32)ch) == U_SPACE_SEPARATOR)
        return (struct fold_entry){.kind = FOLD_SPACE};
    if (ch == 0x1F51F) /* keycap ten */
        return expand(tool, ch, (const uint32_t[]){'1', '0'}, 2);

    size_t count = fold(tool, ch, chars);
    if (count == 0)
        return entry;
    if (count > 1 && !is_far(ch, chars[0]))
        return expand(tool, ch, chars, count);
    uint32_t folded = is_far(ch, chars[0]) ? ch : plain_symbol(chars[0]);
    int digit = digit_value(ch, folded);
    bool regional = ch >= 0x1F1E6 && ch <= 0x1F1FF;
    bool boxed = (ch >= 0x1F150 && ch <= 0x1F189);

    entry.flags =
        (uint8_t)((u_isUUppercase((UChar32)ch) || u_istitle((UChar32)ch) ? FOLD_UPPER : 0) |
                  (regional ? FOLD_REGIONAL : 0));
    if ((ch >= 0x80 && folded < 0x80) || (digit >= 0 && ch > 0x80) || boxed)
        entry.flags |= FOLD_STYLED;
    if (digit >= 0) {
        folded = (uint32_t)('0' + digit);
        entry.kind = FOLD_DIGIT;
        entry.own = (uint8_t)folded;
    } else if (u_isalpha((UChar32)folded) || regional || boxed) {
        if (regional || boxed)
            folded = base_by_name(ch) ? base_by_name(ch) : folded;
        entry.kind = FOLD_LETTER;
        entry.own = alphabet_byte(folded);
        look_alikes(tool, ch, folded, &entry);
    }
    entry.shift = (int32_t)folded - (int32_t)ch;
    return entry;
}

static uint16_t add_entry(struct tool *tool, const struct fold_entry *entry)
{
    for (size_t i = 0; i < tool->entry_count; i++) {
        const struct fold_entry *have = &tool->entries[i];

        if (have->kind == entry->kind && have->flags == entry->flags && have->own == entry->own &&
            have->latin == entry->latin && have->cyrillic == entry->cyrillic &&
            have->shift == entry->shift)
            return (uint16_t)i;
    }
    if (tool->entry_count == sizeof(tool->entries) / sizeof(tool->entries[0]))
        fail("a table is too small");
    tool->entries[tool->entry_count] = *entry;
    return (uint16_t)tool->entry_count++;
}

static uint8_t add_page(struct tool *tool, uint32_t first)
{
    uint16_t page[PAGE_CELLS];

    for (uint32_t i = 0; i < PAGE_CELLS; i++) {
        struct fold_entry entry = classify(tool, first + i);

        page[i] = add_entry(tool, &entry);
    }
    for (size_t i = 0; i < tool->page_count; i++) {
        if (memcmp(&tool->cells[i * PAGE_CELLS], page, sizeof(page)) == 0)
            return (uint8_t)i;
    }
    if (tool->page_count == 256)
        fail("a table is too small");
    memcpy(&tool->cells[tool->page_count * PAGE_CELLS], page, sizeof(page));
    return (uint8_t)tool->page_count++;
}

static void prepare(struct tool *tool)
{
    UErrorCode status = U_ZERO_ERROR;

    tool->nfkc_fold = unorm2_getNFKCCasefoldInstance(&status);
    tool->nfd = unorm2_getNFDInstance(&status);
    tool->spoof = uspoof_open(&status);
    check(status, "open");
    for (uint32_t i = 0; i < 26; i++) {
        skeleton(tool, 'a' + i, tool->latin_skeleton[i]);
        skeleton(tool, 'A' + i, tool->latin_skeleton[26 + i]);
    }
    for (uint32_t i = 0; i < 32; i++) {
        skeleton(tool, 0x430 + i, tool->cyrillic_skeleton[i]);
        skeleton(tool, 0x410 + i, tool->cyrillic_skeleton[32 + i]);
    }
}

static void write_table(const struct tool *tool, const uint8_t *pages)
{
    printf("/* Written by fold_generate from ICU %s (Unicode %s). */\n", U_ICU_VERSION,
           U_UNICODE_VERSION);
    printf("#include \"moderation/fold.h\"\n\nconst struct fold_entry fold_entries[] = {\n");
    for (size_t i = 0; i < tool->entry_count; i++) {
        const struct fold_entry *e = &tool->entries[i];

        printf("{%d, %d, %d, %d, %d, %d},\n", e->kind, e->flags, e->own, e->latin, e->cyrillic,
               e->shift);
    }
    printf("};\nconst struct fold_expansion fold_expansions[] = {\n");
    for (size_t i = 0; i < tool->expansion_count; i++) {
        const uint32_t *c = tool->expansions[i].chars;

        printf("{{%u, %u, %u, %u}},\n", c[0], c[1], c[2], c[3]);
    }
    printf("};\nconst uint16_t fold_cells[] = {\n");
    for (size_t i = 0; i < tool->page_count * PAGE_CELLS; i++)
        printf("%u,%s", tool->cells[i], i % 16 == 15 ? "\n" : "");
    printf("};\nconst uint8_t fold_pages[FOLD_PAGES] = {\n");
    for (size_t i = 0; i < FOLD_PAGES; i++)
        printf("%u,%s", pages[i], i % 32 == 31 ? "\n" : "");
    printf("};\n");
}

int main(void)
{
    static uint8_t pages[FOLD_PAGES];
    struct tool *tool = calloc(1, sizeof(*tool));

    if (!tool)
        return 1;
    prepare(tool);
    for (uint32_t page = 0; page < FOLD_PAGES; page++)
        pages[page] = add_page(tool, page << FOLD_PAGE_BITS);
    write_table(tool, pages);
    uspoof_close(tool->spoof);
    free(tool);
    return fflush(stdout) == 0 ? 0 : 1;
}
