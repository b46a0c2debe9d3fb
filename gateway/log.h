/* SPDX-License-Identifier: Apache-2.0 */
/* Structured logs: an event and its fields, to the journal or as JSON lines on standard error.
 *
 *   log_info("session closed", LOG_UUID("session", &id), LOG_STR("reason", name),
 *            LOG_INT("code", 4002));
 *
 * Never a message's text, never a token, a password, a key, a header or a URL's query: log ids,
 * lengths and codes. Log once, where the thing is handled. A level that is off costs one
 * comparison; the fields are then not evaluated. Any thread may log.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/uuid.h"

/* Values are syslog's priorities. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

enum log_field_type {
    LOG_FIELD_TEXT,
    LOG_FIELD_INT,
    LOG_FIELD_NUMBER,
    LOG_FIELD_BOOL,
    LOG_FIELD_UUID
};

/* One field. Keys are lower case words joined by _; what a field points to is only borrowed. */
struct log_field {
    const char *key;
    enum log_field_type type;
    size_t length;
    union {
        const char *text;
        int64_t integer;
        double number;
        bool boolean;
        const struct uuid *uuid;
    };
};

#define LOG_STRN(name, value, size)                                                                \
    ((struct log_field){.key = (name), .type = LOG_FIELD_TEXT, .length = (size), .text = (value)})
/* NULL is written as null. */
#define LOG_STR(name, value) LOG_STRN(name, value, SIZE_MAX)
#define LOG_INT(name, value)                                                                       \
    ((struct log_field){.key = (name), .type = LOG_FIELD_INT, .integer = (int64_t)(value)})
#define LOG_NUMBER(name, value)                                                                    \
    ((struct log_field){.key = (name), .type = LOG_FIELD_NUMBER, .number = (value)})
#define LOG_BOOL(name, value)                                                                      \
    ((struct log_field){.key = (name), .type = LOG_FIELD_BOOL, .boolean = (value)})
#define LOG_UUID(name, value)                                                                      \
    ((struct log_field){.key = (name), .type = LOG_FIELD_UUID, .uuid = (value)})
/* -errno codes and libuv's alike: written as the system's words for it. */
#define LOG_ERRNO(value) LOG_STR("error", log_errno_text(value))

#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_at(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* log_at(level, event, fields...): the forms above with the level as a value. */
#define log_at(level, event, ...)                                                                  \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write((level), (event),                                                            \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_FIELDS_END});      \
    } while (0)

/* The same for what a peer can cause at will: at most LOG_LIMIT_BURST lines a call site in
 * LOG_LIMIT_WINDOW_S seconds; the first line after a pause carries `suppressed`, the number left
 * out. */
#define log_limited(level, event, ...)                                                             \
    do {                                                                                           \
        static struct log_limit log_limit_here;                                                    \
        int64_t log_suppressed = 0;                                                                \
        if (log_enabled(level) && log_limit_pass(&log_limit_here, &log_suppressed))                \
            log_write((level), (event),                                                            \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, )                        \
                                                     LOG_SUPPRESSED(log_suppressed),               \
                                                 LOG_FIELDS_END});                                 \
    } while (0)

#define LOG_LIMIT_BURST    5
#define LOG_LIMIT_WINDOW_S 10

/* How the macros above end and extend a list of fields. */
#define LOG_FIELDS_END ((struct log_field){.key = NULL})
#define LOG_SUPPRESSED(count)                                                                      \
    ((struct log_field){                                                                           \
        .key = (count) != 0 ? "suppressed" : NULL, .type = LOG_FIELD_INT, .integer = (count)})

/* One call site's quota; all zero to begin with. */
struct log_limit {
    _Atomic int64_t window_start_us;
    _Atomic int64_t count;
};

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JOURNAL, LOG_FORMAT_JSON };

/* Parse a value of log.level or log.format, which the table has checked: asserts that it is one. */
enum log_level log_level_parse(const char *name);
enum log_format log_format_parse(const char *name);

/* Chooses where lines go; before it is called, JSON lines go to standard error. AUTO takes the
 * journal if $JOURNAL_STREAM names the file that standard error is. */
void log_open(enum log_format format);
void log_set_level(enum log_level level);

extern _Atomic int log_threshold; /* log_enabled's only */
static inline bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

/* Writes one line; fields end with LOG_FIELDS_END. Never fails: a line that cannot be written is
 * dropped. A line is one write, so lines of several threads do not mix. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* Whether this call may log; *suppressed says how many before it might not. */
bool log_limit_pass(struct log_limit *limit, int64_t *suppressed);

/* The text of an errno value or its negative; never NULL. */
const char *log_errno_text(int error);
