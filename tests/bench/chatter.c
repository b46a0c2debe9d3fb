/* SPDX-License-Identifier: Apache-2.0 */
/* What teachers and students may say to each other. A rule that holds repeated texts must find
 * none, so the words are drawn at random: 64 of them, about 2^100 texts of 100 bytes. */
#include "tests/bench/chatter.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "protocol/uuid.h"

static const char *const words[64] = {
    "lesson",  "today",   "tomorrow", "evening",  "morning", "homework", "grammar", "reading",
    "chapter", "page",    "answer",   "question", "please",  "thanks",   "listen",  "repeat",
    "because", "before",  "after",    "between",  "water",   "summer",   "winter",  "garden",
    "picture", "table",   "window",   "music",    "river",   "mountain", "forest",  "travel",
    "speak",   "write",   "learn",    "teach",    "explain", "practice", "improve", "remember",
    "simple",  "present", "perfect",  "future",   "article", "verb",     "noun",    "letter",
    "story",   "novel",   "poem",     "author",   "theatre", "museum",   "weather", "breakfast",
    "dinner",  "coffee",  "orange",   "purple",   "yellow",  "green",    "silver",  "golden",
};

/* splitmix64, from where the clock stands: two runs on one database share no cid. */
static uint64_t next_random(void)
{
    static uint64_t state;

    if (!state) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        state = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    }
    uint64_t mixed = state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

void chatter_text(char *out, size_t bytes)
{
    size_t length = 0;

    while (length < bytes) {
        const char *word = words[next_random() % 64];
        size_t fits = strlen(word) < bytes - length ? strlen(word) : bytes - length;
        memcpy(out + length, word, fits);
        length += fits;
        if (length < bytes - 1)
            out[length++] = ' ';
    }
}

void chatter_uuid(struct uuid *out)
{
    uint64_t halves[2] = {next_random(), next_random()};

    memcpy(out->bytes, halves, sizeof(halves));
    out->bytes[6] = (out->bytes[6] & 0x0F) | 0x40;
    out->bytes[8] = (out->bytes[8] & 0x3F) | 0x80;
}
