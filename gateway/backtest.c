/* SPDX-License-Identifier: Apache-2.0 */
/* Rules tried on stored messages: hits, what people had decided, samples */
#include "gateway/backtest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "moderation/screen.h"
#include "protocol/uuid.h"
#include "protocol/xalloc.h"

/* One hit to show. */
struct sample {
    char *id, *status, *text;
    int64_t at_us;
    bool by_person;
    uint32_t from, to; /* bytes of the text */
};

struct tally {
    char *id;
    size_t rule;                               /* of the set; SIZE_MAX = unknown */
    int64_t hits, delivered, blocked, pending; /* what became of the messages */
    int64_t let_pass, stopped;                 /* by people */
    uint64_t *senders;                         /* hashes, an open table */
    size_t sender_count, sender_room;
    struct sample *samples;
    size_t sample_count;
    bool seen; /* in the message at hand */
};

struct backtest {
    struct rule_set *set;
    struct screener *screener;
    struct tally *tallies;
    size_t count, samples_most;
    bool booked;
    int64_t messages, unreadable;
};

static size_t rule_of(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; i < rule_set_count(set); i++) {
        if (strcmp(rule_set_info(set, i).id, id) == 0)
            return i;
    }
    return SIZE_MAX;
}

struct backtest *backtest_new(struct rule_set *set, const char *const *ids, size_t count,
                              size_t samples, bool booked)
{
    struct backtest *backtest = xcalloc(1, sizeof(*backtest));

    backtest->set = rule_set_ref(set);
    backtest->screener = screener_new();
    backtest->tallies = xcalloc(count + 1, sizeof(*backtest->tallies));
    backtest->count = count;
    backtest->samples_most = samples;
    backtest->booked = booked;
    for (size_t i = 0; i < count; i++)
        backtest->tallies[i] = (struct tally){.id = xstrdup(ids[i]), .rule = rule_of(set, ids[i])};
    return backtest;
}

static void tally_deinit(struct tally *tally)
{
    for (size_t i = 0; i < tally->sample_count; i++) {
        free(tally->samples[i].id);
        free(tally->samples[i].status);
        free(tally->samples[i].text);
    }
    free(tally->samples);
    free(tally->senders);
    free(tally->id);
}

struct backtest *backtest_free(struct backtest *backtest)
{
    if (!backtest)
        return NULL;
    for (size_t i = 0; i < backtest->count; i++)
        tally_deinit(&backtest->tallies[i]);
    free(backtest->tallies);
    screener_free(backtest->screener);
    rule_set_unref(backtest->set);
    free(backtest);
    return NULL;
}

const char *backtest_unknown(const struct backtest *backtest)
{
    for (size_t i = 0; i < backtest->count; i++) {
        if (backtest->tallies[i].rule == SIZE_MAX)
            return backtest->tallies[i].id;
    }
    return NULL;
}

/* ---- counting ---- */

static bool put_hash(uint64_t *table, size_t room, uint64_t hash)
{
    size_t i = (size_t)hash & (room - 1);

    while (table[i] && table[i] != hash)
        i = (i + 1) & (room - 1);
    bool is_new = table[i] == 0;
    table[i] = hash;
    return is_new;
}

static void grow(struct tally *tally)
{
    size_t room = tally->sender_room ? tally->sender_room * 2 : 64;
    uint64_t *table = xcalloc(room, sizeof(*table));

    for (size_t i = 0; i < tally->sender_room; i++) {
        if (tally->senders[i])
            put_hash(table, room, tally->senders[i]);
    }
    free(tally->senders);
    tally->senders = table;
    tally->sender_room = room;
}

static void count_sender(struct tally *tally, const char *sender)
{
    struct uuid id = {{0}};

    if (tally->sender_count * 2 >= tally->sender_room)
        grow(tally);
    uuid_parse(&id, sender, strlen(sender));
    tally->sender_count += put_hash(tally->senders, tally->sender_room, uuid_hash(&id) | 1);
}

static void keep_sample(struct tally *tally, const struct backtest_message *message,
                        const struct screen_match *match)
{
    tally->samples =
        xreallocarray(tally->samples, tally->sample_count + 1, sizeof(*tally->samples));
    struct sample *sample = &tally->samples[tally->sample_count++];
    *sample = (struct sample){.id = xstrdup(message->id),
                              .status = xstrdup(message->status),
                              .text = xmalloc(message->length + 1),
                              .at_us = message->at_us,
                              .by_person = message->by_person || message->overturned,
                              .from = match->from,
                              .to = match->to};
    memcpy(sample->text, message->text, message->length);
    sample->text[message->length] = '\0';
}

static void count_hit(struct backtest *backtest, struct tally *tally,
                      const struct backtest_message *message, const struct screen_match *match)
{
    bool delivered = strcmp(message->status, "delivered") == 0;
    bool blocked = strcmp(message->status, "blocked") == 0;

    tally->seen = true;
    tally->hits++;
    tally->delivered += delivered;
    tally->blocked += blocked;
    tally->pending += !delivered && !blocked;
    tally->let_pass += delivered && (message->by_person || message->overturned);
    tally->stopped += blocked && message->by_person;
    count_sender(tally, message->sender);
    if (tally->sample_count < backtest->samples_most)
        keep_sample(tally, message, match);
}

static enum screen_role role_of(const char *role)
{
    return strcmp(role, "student") == 0   ? SCREEN_ROLE_STUDENT
           : strcmp(role, "teacher") == 0 ? SCREEN_ROLE_TEACHER
                                          : SCREEN_ROLE_OTHER;
}

void backtest_try(struct backtest *backtest, const struct backtest_message *message)
{
    struct screen_input input = {.text = message->text,
                                 .length = message->length,
                                 .role = role_of(message->role),
                                 .booked = backtest->booked,
                                 .offences = UINT32_MAX};
    struct screen_result result;

    backtest->messages++;
    if (screener_run(backtest->screener, backtest->set, &input, &result) != 0) {
        backtest->unreadable++;
        return;
    }
    for (size_t k = 0; k < backtest->count; k++) {
        struct tally *tally = &backtest->tallies[k];

        tally->seen = false;
        for (size_t i = 0; !tally->seen && i < result.match_count; i++) {
            if (result.matches[i].rule_index == tally->rule)
                count_hit(backtest, tally, message, &result.matches[i]);
        }
    }
}

/* ---- printing ---- */

static void format_time(int64_t at_us, char out[32])
{
    time_t at_s = at_us / 1000000;
    struct tm parts;

    strftime(out, 32, "%Y-%m-%d %H:%M", gmtime_r(&at_s, &parts));
}

/* A message is somebody's words: none may move the terminal's cursor or colour it. */
static void print_safely(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char ch = (unsigned char)text[i];
        bool c1 = ch == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] < 0xA0;

        fputc(ch < 0x20 || ch == 0x7F || c1 ? ' ' : ch, out);
        i += c1;
    }
}

static void print_sample(const struct sample *sample, FILE *out, bool colors)
{
    size_t length = strlen(sample->text);
    char at[32];

    format_time(sample->at_us, at);
    fprintf(out, "    %s  %s  %s%s\n      ", at, sample->id, sample->status,
            sample->by_person ? " by a person" : "");
    print_safely(out, sample->text, sample->from);
    fputs(colors ? "\033[7m" : "[[", out);
    print_safely(out, sample->text + sample->from, sample->to - sample->from);
    fputs(colors ? "\033[0m" : "]]", out);
    print_safely(out, sample->text + sample->to, length - sample->to);
    fputc('\n', out);
}

void backtest_print(const struct backtest *backtest, FILE *out, bool colors)
{
    fprintf(out, "%" PRId64 " messages", backtest->messages);
    if (backtest->unreadable)
        fprintf(out, ", %" PRId64 " of them unreadable", backtest->unreadable);
    fputc('\n', out);
    for (size_t i = 0; i < backtest->count; i++) {
        const struct tally *tally = &backtest->tallies[i];
        double rate =
            backtest->messages ? 1e4 * (double)tally->hits / (double)backtest->messages : 0;

        fprintf(out,
                "\n%s\n  %" PRId64 " hits (%.1f in 10,000 messages) of %zu senders\n"
                "  they were: %" PRId64 " delivered, %" PRId64 " blocked, %" PRId64 " pending\n"
                "  people had let %" PRId64 " pass and stopped %" PRId64 "\n",
                tally->id, tally->hits, rate, tally->sender_count, tally->delivered, tally->blocked,
                tally->pending, tally->let_pass, tally->stopped);
        for (size_t k = 0; k < tally->sample_count; k++)
            print_sample(&tally->samples[k], out, colors);
    }
}

static json_t *sample_object(const struct sample *sample)
{
    return json_pack("{s:s, s:I, s:s, s:b, s:s, s:[i,i]}", "mid", sample->id, "at_us",
                     (json_int_t)sample->at_us, "status", sample->status, "by_person",
                     (int)sample->by_person, "text", sample->text, "bytes", (int)sample->from,
                     (int)sample->to);
}

static json_t *tally_object(const struct tally *tally)
{
    json_t *samples = json_array();

    for (size_t i = 0; i < tally->sample_count; i++)
        json_array_append_new(samples, sample_object(&tally->samples[i]));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "id", tally->id, "hits",
                     (json_int_t)tally->hits, "senders", (json_int_t)tally->sender_count,
                     "delivered", (json_int_t)tally->delivered, "blocked",
                     (json_int_t)tally->blocked, "pending", (json_int_t)tally->pending,
                     "let_pass_by_people", (json_int_t)tally->let_pass, "stopped_by_people",
                     (json_int_t)tally->stopped, "samples", samples);
}

void backtest_print_json(const struct backtest *backtest, FILE *out)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < backtest->count; i++)
        json_array_append_new(rules, tally_object(&backtest->tallies[i]));
    json_t *object = json_pack("{s:I, s:I, s:o}", "messages", (json_int_t)backtest->messages,
                               "unreadable", (json_int_t)backtest->unreadable, "rules", rules);
    json_dumpf(object, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(object);
}
