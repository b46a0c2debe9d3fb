/* SPDX-License-Identifier: Apache-2.0 */
/* Every error that a client can get: ERROR_ROW(NAME, "name", HTTP status, retryable, "message")
 *
 * The one source of enum error_code, of ERRORS.md and of the client's table. `retryable`: the same
 * request may succeed later without anything else having changed. */
/* clang-format off */
ERROR_ROW(BAD_REQUEST,            "bad_request",            400, false, "The request is malformed.")
ERROR_ROW(UNAUTHORIZED,           "unauthorized",           401, false, "A valid token is required.")
ERROR_ROW(TOKEN_EXPIRED,          "token_expired",          401, false, "The token has expired.")
ERROR_ROW(FORBIDDEN,              "forbidden",              403, false, "You may not do this.")
ERROR_ROW(NOT_FOUND,              "not_found",              404, false, "There is no such thing.")
ERROR_ROW(METHOD_NOT_ALLOWED,     "method_not_allowed",     405, false, "This path does not take that method.")
ERROR_ROW(CONFLICT,               "conflict",               409, false, "The request conflicts with the present state.")
ERROR_ROW(CID_CONFLICT,           "cid_conflict",           409, false, "This cid was used with another text.")
ERROR_ROW(ALREADY_DECIDED,        "already_decided",        409, false, "Somebody decided this message before.")
ERROR_ROW(TOO_LARGE,              "too_large",              413, false, "The request is larger than the limit.")
ERROR_ROW(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, false, "The body must be application/json.")
ERROR_ROW(UNPROCESSABLE,          "unprocessable",          422, false, "The request is well formed but makes no sense.")
ERROR_ROW(UPGRADE_REQUIRED,       "upgrade_required",       426, false, "This path speaks WebSocket version 13 only.")
ERROR_ROW(RATE_LIMITED,           "rate_limited",           429, true,  "Too many requests; wait and try again.")
ERROR_ROW(INTERNAL,               "internal",               500, true,  "The server failed; the fault was logged.")
ERROR_ROW(UNAVAILABLE,            "unavailable",            503, true,  "The service cannot answer now; try again.")
/* clang-format on */
