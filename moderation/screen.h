/* SPDX-License-Identifier: Apache-2.0 */
/* Screening: one text in; verdict, reason, matched rules and spans out */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moderation/rule_set.h"

enum {
    SCREEN_TEXT_BYTES_MAX = 65536, /* longer is refused with -E2BIG */
    SCREEN_MATCHES_MAX = 32,       /* kept per message; the most severe survive */
    SCREEN_WINDOW_MAX = 16,        /* earlier messages that are looked at */
    SCREEN_FRAGMENT_BYTES = 96,    /* of a short message, kept for the next ones */
};

enum screen_verdict { SCREEN_DELIVER, SCREEN_HOLD, SCREEN_BLOCK }; /* rising */

/* Bits, so that a rule can name several. */
enum screen_role {
    SCREEN_ROLE_STUDENT = 1,
    SCREEN_ROLE_TEACHER = 2,
    SCREEN_ROLE_OTHER = 4,
};

/* What a screened message leaves behind for the next ones of the same sender: the gateway keeps
 * the last SCREEN_WINDOW_MAX of a (room, sender) beside their message ids, and hands them back.
 * After a restart it gets them by screening the last texts again. A plain value; it holds text of
 * short messages, so it is as secret as they are. */
struct screen_trace {
    uint64_t hash; /* of the folded letters and digits: equal for texts that differ in marks only */
    int64_t at_ms; /* copied from the input */
    uint16_t weight; /* letters and digits, capped */
    bool other_room; /* set by the gateway on traces that it took from the sender's other rooms */
    bool numeric;    /* has digits, in whatever form */
    uint8_t length;  /* bytes in `fragment`; 0 = the message was too long to be a fragment */
    char fragment[SCREEN_FRAGMENT_BYTES];
};

struct screen_input {
    const char *text;       /* valid UTF-8, need not end in NUL */
    size_t length;          /* bytes */
    enum screen_role role;  /* of the sender; 0 = unknown, only rules for everybody apply */
    int64_t at_ms;          /* unix time; 0 = unknown, no rate is judged */
    bool booked;            /* an active or completed booking ties the two */
    uint32_t offences;      /* blocks of this sender's messages that stood */
    uint32_t pair_messages; /* messages in this room before this one */
    int64_t room_age_s;     /* seconds since the room was made */
    const struct screen_trace *earlier; /* oldest first */
    size_t earlier_count;               /* only the last SCREEN_WINDOW_MAX count */
};

struct screen_match {
    const char *rule;        /* its id; borrowed from the rule set, as are the next two */
    const char *label;       /* "contact_phone" */
    const char *reason;      /* "contact.phone" */
    uint32_t rule_index;     /* for rule_set_info() */
    uint32_t from, to;       /* bytes of the text, at character edges; from < to, but for a flood
                                match without a place: 0, 0 */
    uint32_t earlier;        /* bit i: earlier[count - 1 - i] is part of the match */
    enum rule_action action; /* as applied; meaningless if shadow */
    uint8_t severity;
    bool shadow; /* recorded only */
};

struct screen_result {
    enum screen_verdict verdict;
    const char *reason; /* of the most severe match that acts; NULL if delivered */
    int64_t rule_set_version;
    size_t match_count;
    struct screen_match matches[SCREEN_MATCHES_MAX]; /* most severe first, then by place */
    struct screen_trace trace;
};

/* Scratch memory for one thread. */
struct screener;
struct screener *screener_new(void);
struct screener *screener_free(struct screener *screener);

/* Screens one message under exactly this rule set; deterministic. The screener keeps a reference to
 * the set until it is given another one; only then it may allocate. Time is linear in the length.
 * Returns 0 with `out` filled. On failure (-EILSEQ no valid UTF-8, -E2BIG, -EIO the matcher
 * failed) the verdict in `out` is SCREEN_HOLD with reason "engine.error": fail closed. */
int screener_run(struct screener *screener, struct rule_set *rules,
                 const struct screen_input *input, struct screen_result *out);

const char *screen_verdict_name(enum screen_verdict verdict); /* deliver, hold, block */
