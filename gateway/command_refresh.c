/* SPDX-License-Identifier: Apache-2.0 */
/* refresh: go on with a new token of the same user */
#include <stdlib.h>
#include <string.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/jwt.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/request.h"
#include "gateway/session.h"
#include "protocol/command.h"
#include "protocol/event.h"

void command_run_refresh(const struct request *request, const struct command *command)
{
    struct node *node = request->node;
    struct session *session = request_session(request);
    const char *token = command->refresh.token;
    struct jwt_claims claims;

    if (!session)
        return;
    enum jwt_result result =
        jwt_verify(node->keys, token, strlen(token), clock_unix_us() / 1000000, &claims);
    metrics_add_label(METRIC_TOKENS_CHECKED, (unsigned)result, 1);
    if (result == JWT_EXPIRED) {
        request_fail(request, ERROR_TOKEN_EXPIRED, NULL, 0);
        return;
    }
    if (result != JWT_OK) {
        request_fail(request, ERROR_UNAUTHORIZED, jwt_result_name(result), 0);
        return;
    }
    if (!uuid_equal(&claims.sub, &request->user)) {
        session_close(session, CLOSE_AUTH_FAILED, 0);
        return;
    }
    /* An older one may have been ended before this session began, which was not asked about it. */
    if (claims.iat_s < session->grant.iat_s) {
        request_fail(request, ERROR_UNAUTHORIZED, "token.older", 0);
        return;
    }
    session->grant = jwt_grant_of(&claims);
    session->expiry_warned = false;
    event_refreshed(&node->json, request->re, claims.exp_s * 1000000);
    request_reply(request, &node->json);
    session_watch_expiry(session);
}
