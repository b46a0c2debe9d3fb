/* SPDX-License-Identifier: Apache-2.0 */
/* Russian written in Latin letters
 *
 * There are a dozen ways to spell щ or ы in Latin letters, so neither side is right to convert to.
 * Both meet in a phonetic form in which what people confuse is equal: ы, й, и, y, j are all i;
 * е, э, ye, ie are e; kh, x and h are h; soft and hard signs are nothing. It has bytes of its own
 * (alphabet.h), so that rules for it never match ordinary Latin or Cyrillic text.
 *
 * The form is coarse, and English is full of words that fall into it. Two things keep them out: it
 * is only compared with whole words, and whatever follows a stem must be a Russian ending, from
 * the list below.
 */
#include "moderation/translit.h"

#include <string.h>

#include "moderation/alphabet.h"

#define P(letter) (ALPHABET_PHONETIC + ((letter) - 'a'))

size_t translit_cyrillic(uint8_t letter, uint8_t out[TRANSLIT_BYTES_MAX])
{
    static const uint8_t sounds[32][TRANSLIT_BYTES_MAX] = {
        {P('a')},
        {P('b')},
        {P('v')},
        {P('g')},
        {P('d')},
        {P('e')},
        {TRANSLIT_ZH},
        {P('z')},
        {P('i')},
        {P('i')},
        {P('k')},
        {P('l')},
        {P('m')},
        {P('n')},
        {P('o')},
        {P('p')},
        {P('r')},
        {P('s')},
        {P('t')},
        {P('u')},
        {P('f')},
        {P('h')},
        {P('t'), P('s')},
        {TRANSLIT_CH},
        {TRANSLIT_SH},
        {TRANSLIT_SH, TRANSLIT_CH},
        {0},
        {P('i')},
        {0},
        {P('e')},
        {P('i'), P('u')},
        {P('i'), P('a')},
    };

    if (letter < ALPHABET_CYRILLIC || letter >= ALPHABET_EXTRA)
        return 0;
    memcpy(out, sounds[letter - ALPHABET_CYRILLIC], TRANSLIT_BYTES_MAX);
    return out[0] == 0 ? 0 : out[1] == 0 ? 1 : 2;
}

struct sound {
    char spelling[5]; /* longest first */
    uint8_t length;
    uint8_t sound[TRANSLIT_BYTES_MAX];
};

static const struct sound spellings[] = {
    {"shch", 4, {TRANSLIT_SH, TRANSLIT_CH}},
    {"sch", 3, {TRANSLIT_SH, TRANSLIT_CH}},
    {"sh", 2, {TRANSLIT_SH}},
    {"ch", 2, {TRANSLIT_CH}},
    {"zh", 2, {TRANSLIT_ZH}},
    {"kh", 2, {P('h')}},
    {"ck", 2, {P('k')}},
    {"tz", 2, {P('t'), P('s')}},
    {"yu", 2, {P('i'), P('u')}},
    {"ju", 2, {P('i'), P('u')}},
    {"ya", 2, {P('i'), P('a')}},
    {"ja", 2, {P('i'), P('a')}},
    {"ye", 2, {P('e')}},
    {"je", 2, {P('e')}},
    {"ie", 2, {P('e')}},
    {"c", 1, {P('t'), P('s')}},
    {"x", 1, {P('h')}},
    {"w", 1, {P('v')}},
    {"q", 1, {P('k')}},
    {"j", 1, {P('i')}},
    {"y", 1, {P('i')}},
};

/* The longest spelling that the letters start with, or NULL. */
static const struct sound *find_spelling(const uint8_t *letters, size_t left)
{
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const struct sound *s = &spellings[i];
        size_t n = 0;

        if (s->spelling[0] != letters[0])
            continue;
        while (n < s->length && n < left && (uint8_t)s->spelling[n] == letters[n])
            n++;
        if (n == s->length)
            return s;
    }
    return NULL;
}

size_t translit_latin(const uint8_t *letters, size_t left, uint8_t out[TRANSLIT_BYTES_MAX],
                      size_t *count)
{
    /* One bit for each letter that starts a spelling: c i j k q s t w x y z. */
    const uint32_t starts = 1 << 2 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 16 | 1 << 18 | 1 << 19 |
                            1 << 22 | 1 << 23 | 1 << 24 | 1 << 25;

    *count = 1;
    out[0] = (uint8_t)P(letters[0]);
    if (!(starts >> (letters[0] - 'a') & 1))
        return 1;
    const struct sound *s = find_spelling(letters, left);
    if (!s)
        return 1;
    memcpy(out, s->sound, TRANSLIT_BYTES_MAX);
    *count = s->sound[1] ? 2 : 1;
    return s->length;
}

/* а б в ... as offsets from ALPHABET_CYRILLIC, for a to z; 0xFF = none */
uint8_t translit_latin_sound(uint8_t latin)
{
    static const uint8_t sounds[26] = {0,  1,  22, 4,  5,  20, 3,  21, 8, 9, 10, 11, 12,
                                       13, 14, 15, 10, 16, 17, 18, 19, 2, 2, 21, 27, 7};

    return alphabet_is_latin(latin) ? (uint8_t)(ALPHABET_CYRILLIC + sounds[latin - 'a']) : 0;
}

uint8_t translit_cyrillic_sound(uint8_t cyrillic)
{
    static const char sounds[] = "abvgdejziiklmnoprstufhc\0\0\0\0y\0euy";

    if (cyrillic < ALPHABET_CYRILLIC || cyrillic >= ALPHABET_EXTRA)
        return 0;
    return (uint8_t)sounds[cyrillic - ALPHABET_CYRILLIC];
}

/* Endings of nouns, adjectives and verbs in the phonetic form, one space around each. */
/* Endings of nouns, adjectives and verbs; S is sh, C is ch, Z is zh. One space around each. */
static const char endings[] =
    " a u i e o oi om em ei ami iami ah iah am iam ov ev ia iu ii aia oe ie ogo omu imi ih ego uiu "
    "at iat et ut iut iot it io eS ioS iS im ete iote ite ut iut "
    "al ala alo ali il ila ilo ili el ela eli ul ula uli las los lo li la l "
    "ats atsa ets iots ts tsa tsu tsi tse tsov tsom tsami tsah "
    "k ka ku ki ke koi kami kah ok kom ik ika iki iku ikov ishka iSka iSki iSkoi "
    "n na no ni nii nie naia noe nuiu nogo nomu nim noi nih nimi nost nosti "
    "anii annii enii ennii anaia annaia anoe anie annie anogo annogo anom anuiu anutii anut anul "
    "atsa atsia etsia iotsia itsia utsia iutsia alsia alas alos alis ilsia ilas ilos ilis "
    "etes ites aet aiut aeS aem aete ai aite iai iaite ist iste isto "
    "nul nula nulo nuli nut nutii nutsia nulsia nulas nu net niot nem neS nioS nete niote "
    "s sia t ti tii til tila tili utii utoe utaia "
    "iak iaka iaku iaki una uni unu ina inu ini inoi ineZ inia nia niu nei nioi noi "
    "ovat oval ovala ovali uet uiut ivat ival ivala ivali ivaet ivaiut ivaetsia ivatsia "
    "ar arit arila arili aril iarit iaril iarila iarili iariat iarivat "
    "aCit aCil aCila aCili aCat aCu iaCit iaCil iaCila iaCili iaCat iaCu "
    "aSit aSil aSila aSili aSu aSat uCii uCaia aiuSCii iuSCii uSCii aSka oba obi "
    "as asa asu asi asov asam stvo stva stvom niak niaka niaku ";

bool translit_is_ending(const uint8_t *rest, size_t length)
{
    static const char special[] = "SCZ";
    char word[18];

    if (length == 0)
        return true;
    if (length + 3 > sizeof(word))
        return false;
    word[0] = ' ';
    for (size_t i = 0; i < length; i++)
        word[1 + i] = rest[i] >= TRANSLIT_SH ? special[rest[i] - TRANSLIT_SH]
                                             : (char)(rest[i] - ALPHABET_PHONETIC + 'a');
    word[length + 1] = ' ';
    word[length + 2] = '\0';
    return strstr(endings, word) != NULL;
}
