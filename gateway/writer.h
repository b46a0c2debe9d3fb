/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: messages of many rooms in one transaction, acknowledged after its commit */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/list.h"
#include "protocol/message.h"

struct node;
struct writer;

enum write_result {
    WRITE_NEW,
    WRITE_DUP,          /* this cid was written before; the values are the first write's */
    WRITE_STALE,        /* not written: another message of the sender came before it */
    WRITE_CID_CONFLICT, /* this cid was written before with another text */
    WRITE_NO_ROOM,
    WRITE_NOT_MEMBER,
    WRITE_UNAVAILABLE, /* not known to be written, and may yet be: the client sends it again */
    WRITE_REFUSED,     /* the database cannot store it; logged */
};

struct write;
typedef void (*write_done_fn)(struct write *write, enum write_result result);

/* One message on its way into the database. The caller allocates it with what `message` borrows
 * and gets it back in `done`, exactly once and never inside writer_submit(). */
struct write {
    struct list_node link;  /* the lane's queue, or its batch */
    struct message message; /* in: id, room, sender, cid, status, text, reason; out: status, seq,
                               at_us, reason, and for a dup the first one's id */
    const char *detail;     /* the case's rules and spans in JSON, or NULL; borrowed */
    size_t detail_length;
    int64_t rule_set;
    bool any;                     /* write it whatever the sender's last message is */
    struct uuid after;            /* else only if it is this one; nil: none */
    struct uuid teacher, student; /* out */
    char reason[48];              /* holds message.reason, in and out */
    write_done_fn done;
    uint64_t deadline_ms;
    unsigned busy_rounds;
};

/* Opens config.database.writers connections. */
struct writer *writer_new(struct node *node);

/* Queues a message. Those of one room are written in the order of the calls. */
void writer_submit(struct writer *writer, struct write *write);

size_t writer_queued(const struct writer *writer);
bool writer_ready(const struct writer *writer); /* every connection is */

/* Gives up what waits (WRITE_UNAVAILABLE), closes the connections and frees; `closed` is called
 * later from the loop. */
void writer_close(struct writer *writer, void (*closed)(void *context), void *context);
