/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page has up to 64 KiB, and a client may ask for many in one breath. Their answers come back
 * together, faster than any network takes them, and would end the session as slow although its
 * client reads. So the next page is asked for when the last one was taken.
 */
#include "gateway/pages.h"

#include <stdlib.h>

#include "gateway/connection.h"
#include "gateway/request.h"
#include "gateway/session.h"
#include "protocol/xalloc.h"

enum { WAITING_MAX = 64, RETRY_MS = 1000 };

struct page {
    struct list_node link; /* pages::waiting */
    struct command command;
};

void pages_init(struct pages *pages)
{
    *pages = (struct pages){0};
    list_init(&pages->waiting);
}

static void page_free(struct page *page)
{
    list_remove(&page->link);
    command_deinit(&page->command);
    free(page);
}

void pages_deinit(struct pages *pages)
{
    while (!list_empty(&pages->waiting))
        page_free(container_of(list_first(&pages->waiting), struct page, link));
}

bool pages_concern(enum command_type type)
{
    return type == COMMAND_HISTORY || type == COMMAND_ROOMS || type == COMMAND_QUEUE_WATCH ||
           type == COMMAND_QUEUE_CONTEXT;
}

static void run(struct session *session, const struct command *command)
{
    struct request request = session_request(session, command->id);

    request.page = true;
    session->pages.running = true;
    request_run(&request, command);
}

static void keep(struct pages *pages, struct command *command)
{
    struct page *page = xcalloc(1, sizeof(*page));

    page->command = *command;
    *command = (struct command){0};
    list_init(&page->link);
    list_append(&pages->waiting, &page->link);
    pages->count++;
}

void pages_ask(struct session *session, struct command *command)
{
    struct pages *pages = &session->pages;

    if (!pages->running && list_empty(&pages->waiting) && outbound_empty(&session->outbound)) {
        run(session, command);
    } else if (pages->count < WAITING_MAX) {
        keep(pages, command);
    } else {
        struct request request = session_request(session, command->id);
        request_fail(&request, ERROR_RATE_LIMITED, "pages", RETRY_MS);
    }
}

void pages_answered(struct session *session)
{
    session->pages.running = false;
    connection_flush_later(session->connection);
}

void pages_drained(struct session *session)
{
    struct pages *pages = &session->pages;

    if (pages->running || list_empty(&pages->waiting))
        return;
    struct page *page = container_of(list_first(&pages->waiting), struct page, link);
    list_remove(&page->link);
    pages->count--;
    run(session, &page->command);
    page_free(page);
}
