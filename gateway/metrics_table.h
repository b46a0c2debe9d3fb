/* SPDX-License-Identifier: Apache-2.0 */
/* Every metric and every label value, once
 *
 * To add a metric, add its METRIC_ROW:
 *
 *     METRIC_ROW(NAME, KIND, "name", LABELS, LABELS, "help")
 *
 * KIND is COUNTER (name ends in _total), GAUGE, or a histogram with the buckets of SECONDS, SIZES
 * or DELAYS (metrics.c). LABELS is NONE or a set below; a second set makes a metric with two
 * labels. A set is
 *
 *     LABELS_BEGIN(SET, "label") LABEL_ROW(SET, VALUE, "value") ... LABELS_END(SET)
 *
 * and gives enumerators LABEL_<SET>_<VALUE> that count from 0. A value is never taken from what a
 * peer sent, and there is no label for a user or a room: the number of series is fixed here.
 *
 * No include guard: whoever includes this file defines those of the four macros that it wants; all
 * are undefined at the end. */
/* clang-format off */
#ifndef LABELS_BEGIN
#define LABELS_BEGIN(SET, label)
#endif
#ifndef LABEL_ROW
#define LABEL_ROW(SET, VALUE, value)
#endif
#ifndef LABELS_END
#define LABELS_END(SET)
#endif
#ifndef METRIC_ROW
#define METRIC_ROW(NAME, KIND, name, FIRST, SECOND, help)
#endif

LABELS_BEGIN(TRANSPORT, "transport")
LABEL_ROW(TRANSPORT, WS,   "ws")
LABEL_ROW(TRANSPORT, WSS,  "wss")
LABEL_ROW(TRANSPORT, HTTP, "http")
LABELS_END(TRANSPORT)

LABELS_BEGIN(SESSION, "state")
LABEL_ROW(SESSION, HANDSHAKE,      "handshake")
LABEL_ROW(SESSION, AUTHENTICATING, "authenticating")
LABEL_ROW(SESSION, LIVE,           "live")
LABEL_ROW(SESSION, DRAINING,       "draining")
LABELS_END(SESSION)

/* metrics_close_label() finds the row of a code. */
LABELS_BEGIN(CLOSE, "reason")
#define CLOSE_ROW(NAME, code, name, reconnect, text) LABEL_ROW(CLOSE, NAME, name)
#include "protocol/close_table.h"
#undef CLOSE_ROW
LABELS_END(CLOSE)

/* Why a connection was refused before there was a session: the reason in the refusal's body. */
LABELS_BEGIN(HANDSHAKE, "reason")
LABEL_ROW(HANDSHAKE, LIMIT_CONNECTIONS, "limits.connections")
LABEL_ROW(HANDSHAKE, LIMIT_PER_IP,      "connections_per_ip")
LABEL_ROW(HANDSHAKE, ADMISSION,         "limits.handshakes_per_s")
LABEL_ROW(HANDSHAKE, DRAINING,          "draining")
LABEL_ROW(HANDSHAKE, TIMEOUT,           "timeout")
LABEL_ROW(HANDSHAKE, TLS,               "tls")
LABEL_ROW(HANDSHAKE, NOT_HTTP,          "http.not_http")
LABEL_ROW(HANDSHAKE, MALFORMED,         "http.malformed")
LABEL_ROW(HANDSHAKE, HEADERS,           "http.headers")
LABEL_ROW(HANDSHAKE, HTTP_VERSION,      "http.version")
LABEL_ROW(HANDSHAKE, HOST,              "http.host")
LABEL_ROW(HANDSHAKE, CONTENT_LENGTH,    "http.content_length")
LABEL_ROW(HANDSHAKE, DOUBLED_HEADER,    "http.doubled_header")
LABEL_ROW(HANDSHAKE, PATH,              "http.path")
LABEL_ROW(HANDSHAKE, METHOD,            "http.method")
LABEL_ROW(HANDSHAKE, UPGRADE,           "handshake.upgrade")
LABEL_ROW(HANDSHAKE, CONNECTION,        "handshake.connection")
LABEL_ROW(HANDSHAKE, VERSION,           "handshake.version")
LABEL_ROW(HANDSHAKE, KEY,               "handshake.key")
LABEL_ROW(HANDSHAKE, SUBPROTOCOL,       "handshake.subprotocol")
LABEL_ROW(HANDSHAKE, ORIGIN,            "handshake.origin")
LABEL_ROW(HANDSHAKE, TOKEN_IN_URL,      "token.in_url")
LABEL_ROW(HANDSHAKE, TOKEN_SCHEME,      "token.scheme")
LABEL_ROW(HANDSHAKE, TOKEN_DOUBLED,     "token.doubled")
#define JWT_ROW(NAME, name) LABEL_ROW(HANDSHAKE, JWT_##NAME, name)
#include "gateway/jwt_result_table.h"
#undef JWT_ROW
LABEL_ROW(HANDSHAKE, OTHER,             "other")
LABELS_END(HANDSHAKE)

/* enum jwt_result, then what the database said. */
LABELS_BEGIN(AUTH, "result")
#define JWT_ROW(NAME, name) LABEL_ROW(AUTH, NAME, name)
#include "gateway/jwt_result_table.h"
#undef JWT_ROW
LABEL_ROW(AUTH, UNKNOWN_USER, "unknown_user")
LABEL_ROW(AUTH, REVOKED,      "revoked")
LABEL_ROW(AUTH, UNAVAILABLE,  "unavailable")
LABELS_END(AUTH)

LABELS_BEGIN(LOGIN, "result")
LABEL_ROW(LOGIN, OK,          "ok")
LABEL_ROW(LOGIN, REFUSED,     "refused")
LABEL_ROW(LOGIN, LIMITED,     "limited")
LABEL_ROW(LOGIN, BUSY,        "busy")
LABEL_ROW(LOGIN, UNAVAILABLE, "unavailable")
LABELS_END(LOGIN)

/* In the order of enum command_type, which is the label therefore; then what could not be parsed. */
LABELS_BEGIN(COMMAND, "type")
#define COMMAND_ROW(NAME, member, name, id, who) LABEL_ROW(COMMAND, NAME, name)
#include "protocol/command_table.h"
#undef COMMAND_ROW
LABEL_ROW(COMMAND, INVALID, "invalid")
LABELS_END(COMMAND)

LABELS_BEGIN(STATUS, "status")
LABEL_ROW(STATUS, PENDING,   "pending_moderation")
LABEL_ROW(STATUS, DELIVERED, "delivered")
LABEL_ROW(STATUS, BLOCKED,   "blocked")
LABELS_END(STATUS)

LABELS_BEGIN(ERROR, "code")
#define ERROR_ROW(NAME, name, http_status, retryable, message) LABEL_ROW(ERROR, NAME, name)
#include "protocol/error_table.h"
#undef ERROR_ROW
LABELS_END(ERROR)

LABELS_BEGIN(HTTP_CLASS, "code")
LABEL_ROW(HTTP_CLASS, 1XX, "1xx")
LABEL_ROW(HTTP_CLASS, 2XX, "2xx")
LABEL_ROW(HTTP_CLASS, 3XX, "3xx")
LABEL_ROW(HTTP_CLASS, 4XX, "4xx")
LABEL_ROW(HTTP_CLASS, 5XX, "5xx")
LABELS_END(HTTP_CLASS)

LABELS_BEGIN(LIMIT, "scope")
LABEL_ROW(LIMIT, MESSAGES,               "messages")
LABEL_ROW(LIMIT, REQUESTS,               "requests")
LABEL_ROW(LIMIT, OPENS,                  "opens")
LABEL_ROW(LIMIT, LOGIN_ACCOUNT,          "login_account")
LABEL_ROW(LIMIT, LOGIN_ADDRESS,          "login_address")
LABEL_ROW(LIMIT, CONNECTIONS_PER_USER,   "connections_per_user")
LABEL_ROW(LIMIT, CONNECTIONS_PER_IP,     "connections_per_ip")
LABEL_ROW(LIMIT, CONNECTIONS,            "connections")
LABELS_END(LIMIT)

LABELS_BEGIN(JOB, "state")
LABEL_ROW(JOB, RUNNING, "running")
LABEL_ROW(JOB, QUEUED,  "queued")
LABELS_END(JOB)

/* Why a write batch or one of its rows went again. */
LABELS_BEGIN(RETRY, "reason")
LABEL_ROW(RETRY, BUSY,            "busy")
LABEL_ROW(RETRY, DEADLOCK,        "deadlock")
LABEL_ROW(RETRY, SERIALIZATION,   "serialization")
LABEL_ROW(RETRY, LOCK_TIMEOUT,    "lock_timeout")
LABEL_ROW(RETRY, DATA_ERROR,      "data_error")
LABEL_ROW(RETRY, CONNECTION_LOST, "connection_lost")
LABELS_END(RETRY)

/* In the order of sql_statements[]; metrics_label_find() finds the row of a name. */
LABELS_BEGIN(QUERY, "query")
#define QUERY_ROW(NAME, name) LABEL_ROW(QUERY, NAME, name)
#include "gateway/query_table.h"
#undef QUERY_ROW
LABEL_ROW(QUERY, OTHER, "other")
LABELS_END(QUERY)

LABELS_BEGIN(DB_STATE, "state")
LABEL_ROW(DB_STATE, READY,      "ready")
LABEL_ROW(DB_STATE, CONNECTING, "connecting")
LABEL_ROW(DB_STATE, DOWN,       "down")
LABELS_END(DB_STATE)

LABELS_BEGIN(DB_ERROR, "outcome")
LABEL_ROW(DB_ERROR, REFUSED,  "refused")
LABEL_ROW(DB_ERROR, NOT_SENT, "not_sent")
LABEL_ROW(DB_ERROR, UNKNOWN,  "unknown")
LABELS_END(DB_ERROR)

LABELS_BEGIN(BUS_DROP, "reason")
LABEL_ROW(BUS_DROP, SIGNATURE, "signature")
LABEL_ROW(BUS_DROP, MALFORMED, "malformed")
LABEL_ROW(BUS_DROP, EPOCH,     "epoch")
LABEL_ROW(BUS_DROP, STALE,     "stale")
LABELS_END(BUS_DROP)

LABELS_BEGIN(CASE, "state")
LABEL_ROW(CASE, PENDING, "pending")
LABEL_ROW(CASE, CLAIMED, "claimed")
LABELS_END(CASE)

LABELS_BEGIN(ACTION, "action")
LABEL_ROW(ACTION, DELIVER, "deliver")
LABEL_ROW(ACTION, HOLD,    "hold")
LABEL_ROW(ACTION, BLOCK,   "block")
LABEL_ROW(ACTION, UNDO,    "undo")
LABEL_ROW(ACTION, REMOVE,  "remove")
LABELS_END(ACTION)

LABELS_BEGIN(VERDICT, "verdict")
LABEL_ROW(VERDICT, DELIVER, "deliver")
LABEL_ROW(VERDICT, HOLD,    "hold")
LABEL_ROW(VERDICT, BLOCK,   "block")
LABELS_END(VERDICT)

LABELS_BEGIN(ENGINE, "reason")
LABEL_ROW(ENGINE, ERROR,   "error")
LABEL_ROW(ENGINE, TIMEOUT, "timeout")
LABELS_END(ENGINE)

/* As moderation/label_table.h. */
LABELS_BEGIN(MATCH, "label")
LABEL_ROW(MATCH, CONTACT_PHONE,  "contact_phone")
LABEL_ROW(MATCH, CONTACT_EMAIL,  "contact_email")
LABEL_ROW(MATCH, CONTACT_LINK,   "contact_link")
LABEL_ROW(MATCH, CONTACT_HANDLE, "contact_handle")
LABEL_ROW(MATCH, PAYMENT_CARD,   "payment_card")
LABEL_ROW(MATCH, PROFANITY,      "profanity")
LABEL_ROW(MATCH, INSULT,         "insult")
LABEL_ROW(MATCH, BYPASS_INTENT,  "bypass_intent")
LABEL_ROW(MATCH, MINOR_SAFETY,   "minor_safety")
LABEL_ROW(MATCH, SPAM,           "spam")
LABELS_END(MATCH)

LABELS_BEGIN(SOURCE, "source")
LABEL_ROW(SOURCE, RULE,     "rule")
LABEL_ROW(SOURCE, OPERATOR, "operator")
LABEL_ROW(SOURCE, DATABASE, "database")
LABELS_END(SOURCE)

LABELS_BEGIN(RESULT, "result")
LABEL_ROW(RESULT, OK,     "ok")
LABEL_ROW(RESULT, FAILED, "failed")
LABELS_END(RESULT)

/* How a room came to be: chat_room_changes.way. */
LABELS_BEGIN(WAY, "way")
LABEL_ROW(WAY, TRIGGER,  "trigger")
LABEL_ROW(WAY, LAZY,     "lazy")
LABEL_ROW(WAY, BACKFILL, "backfill")
LABEL_ROW(WAY, PLATFORM, "platform")
LABEL_ROW(WAY, OTHER,    "other")
LABELS_END(WAY)

LABELS_BEGIN(MADE, "change")
LABEL_ROW(MADE, CREATED, "created")
LABEL_ROW(MADE, REVIVED, "revived")
LABELS_END(MADE)

LABELS_BEGIN(ROOM_FAILURE, "reason")
LABEL_ROW(ROOM_FAILURE, LOCK_TIMEOUT, "lock_timeout")
LABEL_ROW(ROOM_FAILURE, DEADLOCK,     "deadlock")
LABEL_ROW(ROOM_FAILURE, OTHER,        "other")
LABELS_END(ROOM_FAILURE)

/* Since when a room was due. */
LABELS_BEGIN(DUE, "since")
LABEL_ROW(DUE, BOOKING,    "booking")
LABEL_ROW(DUE, LESSON_END, "lesson_end")
LABELS_END(DUE)

/* Connections and sessions */
METRIC_ROW(CONNECTIONS, GAUGE, "chatgate_connections", TRANSPORT, NONE, "Open client connections.")
METRIC_ROW(CONNECTIONS_OPENED, COUNTER, "chatgate_connections_opened_total", TRANSPORT, NONE, "Client connections accepted.")
METRIC_ROW(SESSIONS, GAUGE, "chatgate_sessions", SESSION, NONE, "WebSocket sessions by state.")
METRIC_ROW(CONNECTIONS_CLOSED, COUNTER, "chatgate_connections_closed_total", CLOSE, NONE, "WebSocket connections ended, by close reason.")
METRIC_ROW(HANDSHAKE_FAILURES, COUNTER, "chatgate_handshake_failures_total", HANDSHAKE, NONE, "Upgrade requests refused, by reason.")
METRIC_ROW(TOKENS_CHECKED, COUNTER, "chatgate_tokens_checked_total", AUTH, NONE, "Access tokens checked, by result.")
METRIC_ROW(LOGINS, COUNTER, "chatgate_logins_total", LOGIN, NONE, "Password logins, by result.")
METRIC_ROW(RATE_LIMITED, COUNTER, "chatgate_rate_limited_total", LIMIT, NONE, "Requests refused by a limit, by its scope.")
METRIC_ROW(ADMISSION_PAUSES, COUNTER, "chatgate_admission_pauses_total", NONE, NONE, "Times that accepting TLS clients paused, as more came than limits.handshakes_per_s.")
METRIC_ROW(DRAINING, GAUGE, "chatgate_draining", NONE, NONE, "1 while the node is draining its connections.")
METRIC_ROW(WORKER_JOBS, GAUGE, "chatgate_worker_jobs", JOB, NONE, "Password and rule jobs off the loop, by state.")

/* Requests and answers */
METRIC_ROW(MESSAGES_RECEIVED, COUNTER, "chatgate_messages_received_total", COMMAND, NONE, "Client frames, by type.")
METRIC_ROW(ERRORS, COUNTER, "chatgate_errors_total", ERROR, NONE, "Errors answered to clients, by code.")
METRIC_ROW(HTTP_REQUESTS, COUNTER, "chatgate_http_requests_total", HTTP_CLASS, NONE, "HTTP requests answered, by class of status.")
METRIC_ROW(HTTP_SECONDS, SECONDS, "chatgate_http_request_seconds", NONE, NONE, "From an HTTP request's end to its answer.")

/* The way of a message */
METRIC_ROW(MESSAGES, COUNTER, "chatgate_messages_total", STATUS, NONE, "Messages stored, by their first status.")
METRIC_ROW(MESSAGES_DUPLICATE, COUNTER, "chatgate_messages_duplicate_total", NONE, NONE, "Sends recognised as resent by their cid.")
METRIC_ROW(SCREENINGS, COUNTER, "chatgate_screenings_total", VERDICT, NONE, "Screenings by the rules, by what they said; a message screened again counts again.")
METRIC_ROW(SCREEN_LABELS, COUNTER, "chatgate_screening_matches_total", MATCH, NONE, "Screenings with a match, by its label.")
METRIC_ROW(SCREEN_FAILURES, COUNTER, "chatgate_screening_failures_total", ENGINE, NONE, "Screenings that failed or took too long; the message is held.")
METRIC_ROW(RESCREENS, COUNTER, "chatgate_rescreens_total", NONE, NONE, "Messages screened again, because another device had written meanwhile.")
METRIC_ROW(SCREEN_WINDOWS, GAUGE, "chatgate_screening_windows", NONE, NONE, "Senders in rooms whose last messages are remembered.")
METRIC_ROW(SCREEN_WINDOW_READS, COUNTER, "chatgate_screening_window_reads_total", NONE, NONE, "Times that last messages were read from the database.")
METRIC_ROW(SCREEN_SECONDS, SECONDS, "chatgate_screen_seconds", NONE, NONE, "Screening one message by the rules.")
METRIC_ROW(MESSAGE_ACK_SECONDS, SECONDS, "chatgate_message_ack_seconds", NONE, NONE, "From a send's arrival to its ok, after the commit.")
METRIC_ROW(DELIVERY_SECONDS, SECONDS, "chatgate_delivery_seconds", NONE, NONE, "From a message's timestamp to its entry into a session's queue.")
METRIC_ROW(DELIVERIES, COUNTER, "chatgate_deliveries_total", NONE, NONE, "Messages queued to sessions.")
METRIC_ROW(WRITE_BATCH, SIZES, "chatgate_write_batch_messages", NONE, NONE, "Messages in one batch of the writer.")
METRIC_ROW(WRITE_QUEUE, GAUGE, "chatgate_write_queue_messages", NONE, NONE, "Messages waiting for a batch of the writer.")
METRIC_ROW(WRITE_RETRIES, COUNTER, "chatgate_write_retries_total", RETRY, NONE, "Messages or batches written again, by reason.")
METRIC_ROW(ROOMS, GAUGE, "chatgate_rooms", NONE, NONE, "Rooms with a member on this node.")
METRIC_ROW(ROOM_GAPS, COUNTER, "chatgate_room_gaps_total", NONE, NONE, "Numbers that were missing and read from the database.")
METRIC_ROW(RESETS, COUNTER, "chatgate_resets_total", NONE, NONE, "Rooms that a client had to read anew.")
METRIC_ROW(HEAD_CHECK_SECONDS, SECONDS, "chatgate_head_check_seconds", NONE, NONE, "One slice of a head check.")

/* Outbound */
METRIC_ROW(SEND_QUEUE_BYTES, GAUGE, "chatgate_send_queue_bytes", NONE, NONE, "Bytes queued to all sessions.")
METRIC_ROW(SENT_FRAMES, COUNTER, "chatgate_sent_frames_total", NONE, NONE, "Frames written to clients.")
METRIC_ROW(SENT_BYTES, COUNTER, "chatgate_sent_bytes_total", NONE, NONE, "Bytes of frames written to clients.")
METRIC_ROW(FLUSH_FRAMES, SIZES, "chatgate_flush_frames", NONE, NONE, "Frames coalesced into one write.")
METRIC_ROW(FRAMES_SHED, COUNTER, "chatgate_frames_shed_total", NONE, NONE, "Typing and presence frames dropped for slow clients.")
METRIC_ROW(SLOW_CONSUMERS, COUNTER, "chatgate_slow_consumers_dropped_total", NONE, NONE, "Sessions closed because their queue was full.")

/* Back ends */
METRIC_ROW(DB_QUERY_SECONDS, SECONDS, "chatgate_db_query_seconds", QUERY, NONE, "Database statements from sending to result, by name.")
METRIC_ROW(DB_POOL_CONNECTIONS, GAUGE, "chatgate_db_pool_connections", DB_STATE, NONE, "Database connections, by state.")
METRIC_ROW(DB_IN_FLIGHT, GAUGE, "chatgate_db_queries_in_flight", NONE, NONE, "Statements sent and not yet answered.")
METRIC_ROW(DB_ERRORS, COUNTER, "chatgate_db_errors_total", DB_ERROR, NONE, "Statements without a result, by outcome.")
METRIC_ROW(EPOCH_CHANGES, COUNTER, "chatgate_epoch_changes_total", NONE, NONE, "Times that the database turned out to have another history; every session was closed.")
METRIC_ROW(REDIS_UP, GAUGE, "chatgate_redis_up", NONE, NONE, "1 while Redis is connected and everything is subscribed.")
METRIC_ROW(BUS_PUBLISHED, COUNTER, "chatgate_bus_published_total", NONE, NONE, "Frames published to other nodes.")
METRIC_ROW(BUS_RECEIVED, COUNTER, "chatgate_bus_received_total", NONE, NONE, "Frames accepted from other nodes.")
METRIC_ROW(BUS_DROPPED, COUNTER, "chatgate_bus_dropped_total", BUS_DROP, NONE, "Frames from the bus dropped, by reason.")
METRIC_ROW(BUS_NODES, GAUGE, "chatgate_bus_nodes", NONE, NONE, "Nodes whose heartbeat is heard, with this one.")
METRIC_ROW(EVENT_LOOP_LAG_SECONDS, SECONDS, "chatgate_event_loop_lag_seconds", NONE, NONE, "Busy time of one turn of the event loop.")
METRIC_ROW(EVENT_LOOP_LAG_MAX_SECONDS, GAUGE, "chatgate_event_loop_lag_max_seconds", NONE, NONE, "Longest turn of the event loop in the last 30 to 60 seconds.")

/* Rooms in the database (room_stats.c). Each node counts all of them: take the max, not the sum. */
METRIC_ROW(ROOMS_MADE, COUNTER, "chatgate_rooms_made_total", WAY, MADE, "Rooms made or revived in the database, by way; the same on each node.")
METRIC_ROW(ROOMS_CLOSED, COUNTER, "chatgate_rooms_closed_total", NONE, NONE, "Rooms soft-deleted or deleted in the database; the same on each node.")
METRIC_ROW(ROOM_FAILURES, COUNTER, "chatgate_room_failures_total", ROOM_FAILURE, NONE, "Bookings whose trigger could make no room, by reason; the same on each node.")
METRIC_ROW(ROOM_LAG_SECONDS, DELAYS, "chatgate_room_lag_seconds", DUE, NONE, "How late new rooms were, since the booking and since the end of the pair's first lesson.")
METRIC_ROW(ROOM_CENSUS, GAUGE, "chatgate_room_census_timestamp_seconds", NONE, NONE, "When a backfill last counted bookings and rooms, in Unix time; 0 for never.")
METRIC_ROW(ACTIVE_BOOKINGS, GAUGE, "chatgate_active_bookings", NONE, NONE, "Active bookings at the last census.")
METRIC_ROW(LIVE_ROOMS, GAUGE, "chatgate_live_rooms", NONE, NONE, "Rooms that are not deleted at the last census.")
METRIC_ROW(MISSING_ROOMS, GAUGE, "chatgate_missing_rooms", NONE, NONE, "Rooms of active bookings that the last census found missing.")

/* Moderation */
METRIC_ROW(MODERATION_QUEUE, GAUGE, "chatgate_moderation_queue_messages", CASE, NONE, "Messages that wait for a moderator, by state.")
METRIC_ROW(MODERATION_OLDEST_SECONDS, GAUGE, "chatgate_moderation_oldest_seconds", NONE, NONE, "Age of the oldest message that waits for a moderator.")
METRIC_ROW(MODERATION_DECISIONS, COUNTER, "chatgate_moderation_decisions_total", ACTION, SOURCE, "Verdicts stored, by action and by who gave them.")
METRIC_ROW(RULES, GAUGE, "chatgate_moderation_rules", NONE, NONE, "Rules in force on this node, the ones that are off included.")
METRIC_ROW(RULE_SET_VERSION, GAUGE, "chatgate_moderation_rule_set_version", NONE, NONE, "Version of the rule set in force on this node; 0 for the shipped rules alone.")
METRIC_ROW(RULE_SET_STORED, GAUGE, "chatgate_moderation_rule_set_stored_version", NONE, NONE, "Version of the newest rule set in the database. Another one in force: it was refused.")
METRIC_ROW(RULE_LOAD_SECONDS, SECONDS, "chatgate_moderation_rule_load_seconds", NONE, NONE, "Compiling a rule set and running its examples.")
METRIC_ROW(RULE_FALLBACKS, COUNTER, "chatgate_moderation_rule_fallbacks_total", NONE, NONE, "Rules made to hold only, since they hit more senders than their ceiling allows.")
METRIC_ROW(RULE_LOADS, COUNTER, "chatgate_moderation_rule_loads_total", RESULT, NONE, "Rule sets compiled, by result.")

/* The process */
METRIC_ROW(CONFIG_RELOADS, COUNTER, "chatgate_config_reloads_total", RESULT, NONE, "Configuration reloads, by result.")
METRIC_ROW(TLS_EXPIRY, GAUGE, "chatgate_tls_certificate_expiry_timestamp_seconds", NONE, NONE, "When the served certificate ends, in Unix time; 0 without TLS.")
METRIC_ROW(PROCESS_CPU, COUNTER, "process_cpu_seconds_total", NONE, NONE, "User and system CPU time spent.")
METRIC_ROW(PROCESS_RESIDENT, GAUGE, "process_resident_memory_bytes", NONE, NONE, "Resident memory.")
METRIC_ROW(PROCESS_VIRTUAL, GAUGE, "process_virtual_memory_bytes", NONE, NONE, "Virtual memory.")
METRIC_ROW(PROCESS_OPEN_FDS, GAUGE, "process_open_fds", NONE, NONE, "Open file descriptors.")
METRIC_ROW(PROCESS_MAX_FDS, GAUGE, "process_max_fds", NONE, NONE, "Most file descriptors that may be open.")
METRIC_ROW(PROCESS_START, GAUGE, "process_start_time_seconds", NONE, NONE, "When the process started, in Unix time.")

#undef LABELS_BEGIN
#undef LABEL_ROW
#undef LABELS_END
#undef METRIC_ROW
/* clang-format on */
