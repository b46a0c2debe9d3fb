/* SPDX-License-Identifier: Apache-2.0 */
/* The values that travel: a message and a person */
#include "protocol/message.h"

#include <string.h>

static const char *const status_names[] = {
    [MESSAGE_PENDING] = "pending_moderation",
    [MESSAGE_DELIVERED] = "delivered",
    [MESSAGE_BLOCKED] = "blocked",
};

const char *message_status_name(enum message_status status)
{
    return status_names[status];
}

bool message_status_parse(enum message_status *out, const char *name, size_t bytes)
{
    for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++) {
        if (strlen(status_names[i]) == bytes && memcmp(status_names[i], name, bytes) == 0) {
            *out = (enum message_status)i;
            return true;
        }
    }
    return false;
}
