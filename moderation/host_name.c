/* SPDX-License-Identifier: Apache-2.0 */
/* Host names in an address line */
#include "moderation/host_name.h"

#include <string.h>

#include "moderation/alphabet.h"

static bool is_label_char(uint8_t ch)
{
    return address_is_letter_or_digit(ch) || ch == '-' || ch == '_';
}

static size_t label_end(const struct address_view *line, size_t at)
{
    while (is_label_char(line->chars[at]))
        at++;
    return at;
}

/* A lower case word, a dot, and a word with a capital first: a sentence whose blank was forgotten.
 */
static bool joins_sentences(const struct address_view *line, size_t from, size_t dot)
{
    size_t end = label_end(line, dot + 1);

    if (!(line->marks[dot + 1] & ADDRESS_UPPER) || dot == from || line->chars[end] == '/' ||
        alphabet_is_digit(line->chars[dot - 1]) ||
        (address_view_marks(line, dot + 2, end) & ADDRESS_UPPER))
        return false;
    return !(address_view_marks(line, from + 1, dot) & ADDRESS_UPPER);
}

/* Cyrillic letters that are only drawn like a Latin zone ("сом" for com) are known as spoken. */
static enum tld_class classify(const struct address_view *line, size_t from, size_t to)
{
    char name[64];

    if (to - from < 2 || !address_view_text(line, from, to, name, sizeof(name)))
        return TLD_NONE;
    return tld_classify(name);
}

bool host_name_read(struct host_name *host, const struct address_view *line, size_t from,
                    bool blanks)
{
    size_t at = from;

    *host = (struct host_name){.from = from};
    for (size_t label = 0; label < HOST_LABELS_MAX; label++) {
        size_t end = label_end(line, at);

        if (end == at)
            break;
        enum tld_class tld = label > 0 ? classify(line, at, end) : TLD_NONE;
        if (tld != TLD_NONE) {
            host->to = end;
            host->tld = tld;
            host->labels = label + 1;
        }
        if (line->chars[end] != '.' || (!blanks && joins_sentences(line, at, end)))
            break;
        at = end + 1;
        if (blanks && line->chars[at] == ' ')
            at++;
    }
    if (!host->to || !address_view_text(line, from, host->to, host->text, sizeof(host->text)))
        return false;
    for (size_t i = from; i < host->to; i++) {
        if (line->chars[i] == '.')
            host->marks |= line->marks[i];
    }
    return true;
}

bool host_name_is_below(const char *host, const char *name)
{
    size_t n = strlen(host), m = strlen(name);

    if (n < m || strcmp(host + n - m, name) != 0)
        return false;
    return n == m || host[n - m - 1] == '.';
}

static bool is_below_any(const char *host, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (host_name_is_below(host, names[i]))
            return true;
    }
    return false;
}

/* clang-format off */
static const char *const meeting_places[] = {
    "t.me", "telegram.me", "telegram.org", "telegram.dog", "tlgg.ru", "tele.click", "wa.me",
    "whatsapp.com", "vk.com", "vk.me", "vk.cc", "vk.ru", "ok.ru", "ok.me", "instagram.com",
    "instagr.am", "ig.me", "facebook.com", "fb.com", "fb.me", "m.me", "messenger.com",
    "discord.gg", "discord.com", "discordapp.com", "youtube.com", "youtu.be", "tiktok.com",
    "twitch.tv", "twitter.com", "x.com", "threads.net", "snapchat.com", "skype.com", "viber.com",
    "viber.me", "signal.me", "signal.group", "line.me", "wechat.com", "weixin.qq.com",
    "linkedin.com", "zoom.us", "meet.google.com", "meet.jit.si", "docs.google.com",
    "drive.google.com", "forms.gle", "sites.google.com", "dzen.ru", "rutube.ru", "boosty.to",
    "patreon.com", "linktr.ee", "taplink.cc", "taplink.ws", "bit.ly", "clck.ru", "goo.gl",
    "goo.su", "tinyurl.com", "is.gd", "cutt.ly", "rebrand.ly", "u.to", "max.ru", "icq.im",
    "icq.com", "mail.ru", "telemost.yandex.ru", "onelink.me", "teletype.in", "t.co", "ow.ly",
    "tilda.ws", "calendly.com", "superprof.ru", "profi.ru", "avito.ru", "repetitors.info",
};
/* clang-format on */

bool host_name_is_meeting_place(const char *host)
{
    return is_below_any(host, meeting_places, sizeof(meeting_places) / sizeof(meeting_places[0]));
}

bool host_name_is_mail_provider(const char *host)
{
    /* clang-format off */
    static const char *const names[] = {
        "gmail.com", "googlemail.com", "mail.ru", "bk.ru", "list.ru", "inbox.ru", "internet.ru",
        "yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru", "rambler.ru",
        "lenta.ru", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com",
        "yahoo.co.uk", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "pm.me",
        "gmx.de", "gmx.net", "gmx.com", "web.de", "ukr.net", "i.ua", "meta.ua", "tut.by",
        "mail.kz", "aol.com", "zoho.com", "tutanota.com", "fastmail.com", "gmail", "mail",
        "yandex", "ya", "rambler", "outlook", "hotmail", "yahoo", "icloud", "inbox", "proton",
        "protonmail", "гмаил", "гмайл", "джимейл", "жмейл", "гмейл", "мейл", "мэйл", "майл",
        "маил", "яндекс", "рамблер", "аутлук", "хотмейл", "инбокс", "яху", "протон", "bk", "list",
        "ukr", "tut", "gmx",
    };
    /* clang-format on */

    return is_below_any(host, names, sizeof(names) / sizeof(names[0]));
}
