/* SPDX-License-Identifier: Apache-2.0 */
/* Every way a connection ends: CLOSE_ROW(NAME, code, "name", reconnect, "text")
 *
 * The one source of enum close_code, of ERRORS.md and of the client's table. `reconnect` is what a
 * client does by itself afterwards (full jitter); where it is false, trying again would end the
 * same way until a person or the program changes something. 4000-4499 always reconnect, 4500-4999
 * always stop. 1005 and 1006 are never on the wire: a client's own library reports them. */
/* clang-format off */
CLOSE_ROW(NORMAL,               1000, "normal",               false, "The client said goodbye.")
CLOSE_ROW(GOING_AWAY,           1001, "going_away",           true,  "The other end is leaving.")
CLOSE_ROW(BAD_FRAME,            1002, "bad_frame",            false, "A frame broke RFC 6455.")
CLOSE_ROW(UNSUPPORTED_DATA,     1003, "unsupported_data",     false, "A binary frame; only text is spoken here.")
CLOSE_ROW(NO_STATUS,            1005, "no_status",            true,  "The close frame had no code.")
CLOSE_ROW(ABNORMAL,             1006, "abnormal",             true,  "The connection broke without a close frame.")
CLOSE_ROW(BAD_UTF8,             1007, "bad_utf8",             false, "A text frame was not valid UTF-8.")
CLOSE_ROW(POLICY,               1008, "policy",               false, "Too many bad requests, or frames sent to do harm.")
CLOSE_ROW(TOO_BIG,              1009, "too_big",              false, "A message was larger than limits.frame_bytes.")
CLOSE_ROW(DRAIN,                4000, "drain",                true,  "This node is going down; another one answers.")
CLOSE_ROW(INTERNAL,             4001, "internal",             true,  "The server failed; the fault was logged.")
CLOSE_ROW(SLOW,                 4002, "slow",                 true,  "The client read too slowly; resume from its cursors.")
CLOSE_ROW(NO_PONG,              4003, "no_pong",              true,  "A ping was not answered in time.")
CLOSE_ROW(TOKEN_EXPIRED,        4004, "token_expired",        true,  "The token ran out; come back with a new one.")
CLOSE_ROW(FLOOD,                4005, "flood",                true,  "Requests went on after rate_limited; come back slower.")
CLOSE_ROW(HELLO_TIMEOUT,        4006, "hello_timeout",        true,  "No hello came in time.")
CLOSE_ROW(AUTH_FAILED,          4500, "auth_failed",          false, "The token is not valid here.")
CLOSE_ROW(PROTOCOL_ERROR,       4501, "protocol_error",       false, "Frames came in an order that cannot be.")
CLOSE_ROW(REVOKED,              4502, "revoked",              false, "Access was taken back, or the role changed.")
CLOSE_ROW(TOO_MANY_CONNECTIONS, 4503, "too_many_connections", false, "This user or address has too many connections.")
CLOSE_ROW(VERSION,              4504, "version",              false, "The client's protocol version is not served any more.")
/* clang-format on */
