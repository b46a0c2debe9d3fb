/* SPDX-License-Identifier: Apache-2.0 */
/* Host names in an address line */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "moderation/address_view.h"
#include "moderation/tld.h"

enum { HOST_BYTES = 256, HOST_LABELS_MAX = 16 };

struct host_name {
    size_t from, to; /* characters of the line, without a path */
    size_t labels;
    enum tld_class tld;
    unsigned marks; /* of its dots */
    char text[HOST_BYTES];
};

/* Reads the longest name that starts at `from` and ends in a known zone. `blanks`: it follows an at
 * sign, so that neither a blank nor a capital after a dot ends it. Returns false if there is none.
 */
bool host_name_read(struct host_name *host, const struct address_view *line, size_t from,
                    bool blanks);

/* The host is `name`, or below it. */
bool host_name_is_below(const char *host, const char *name);

/* A host where people meet: messengers, networks, calls, forms, short links. */
bool host_name_is_meeting_place(const char *host);

/* A provider of mail boxes, with its zone ("gmail.com") or without ("gmail"). */
bool host_name_is_mail_provider(const char *host);
