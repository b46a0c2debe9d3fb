/* SPDX-License-Identifier: Apache-2.0 */
/* From a client's hello to a live session */
#pragma once

#include "gateway/request.h"
#include "protocol/command.h"
#include "protocol/uuid.h"

struct hello;
struct session;

/* Checks the token, then loads what the session needs: subscribe, confirm, read, in this order, so
 * that nothing falls between the read and the subscription. Ends in `welcome`, or in a close. */
void hello_start(struct session *session, const struct command *command);

struct hello *hello_free(struct hello *hello); /* takes NULL, returns NULL */

/* Gives the user's channel up, if the session had it. */
void hello_unsubscribe(struct session *session);
