/* SPDX-License-Identifier: Apache-2.0 */
/* Structured logs: an event and its fields, to the journal or as JSON lines on standard error. */

/* The log and the metrics are the program's only globals: threading a logger through every call
 * would cost more than it gives. What is global is a threshold and a target, both set at start.
 *
 * One event is one line on both ways. In the journal the fields are fields (CHATGATE_SESSION=...)
 * for journalctl's filters, and the message repeats them, because people grep. The level becomes
 * the journal's PRIORITY, so that journalctl -p err means what it says. */
#include "gateway/log.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The caller's place in this file would say nothing. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "gateway/clock.h"
#include "gateway/xasprintf.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"
#include "protocol/xalloc.h"

enum { LOG_FIELDS_MAX = 24 };

_Atomic int log_threshold = LOG_LEVEL_INFO;
static _Atomic bool log_to_journal;

static const struct {
    const char *name;
    enum log_level level;
} level_names[] = {{"error", LOG_LEVEL_ERROR},
                   {"warning", LOG_LEVEL_WARNING},
                   {"notice", LOG_LEVEL_NOTICE},
                   {"info", LOG_LEVEL_INFO},
                   {"debug", LOG_LEVEL_DEBUG}};
enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]) };

enum log_level log_level_parse(const char *name)
{
    for (size_t i = 0; i < LEVELS; i++)
        if (strcmp(level_names[i].name, name) == 0)
            return level_names[i].level;
    assert(false);
    return LOG_LEVEL_INFO;
}

static const char *level_name(enum log_level level)
{
    return level_names[level - LOG_LEVEL_ERROR].name;
}

enum log_format log_format_parse(const char *name)
{
    if (strcmp(name, "journal") == 0)
        return LOG_FORMAT_JOURNAL;
    if (strcmp(name, "json") == 0)
        return LOG_FORMAT_JSON;
    assert(strcmp(name, "auto") == 0);
    return LOG_FORMAT_AUTO;
}

/* systemd names the stream it connected by device and inode: standard error may have been
 * redirected since (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device = 0, inode = 0;
    struct stat status;
    return stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_open(enum log_format format)
{
    log_to_journal =
        format == LOG_FORMAT_JOURNAL || (format == LOG_FORMAT_AUTO && stderr_is_journal());
}

void log_set_level(enum log_level level)
{
    log_threshold = (int)level;
}

const char *log_errno_text(int error)
{
    const char *text = strerrordesc_np(error < 0 ? -error : error);
    return text != NULL ? text : "unknown error";
}

bool log_limit_pass(struct log_limit *limit, int64_t *suppressed)
{
    int64_t now_us = (int64_t)clock_now_us();
    int64_t start_us = limit->window_start_us;
    if (start_us == 0 || now_us - start_us >= LOG_LIMIT_WINDOW_S * INT64_C(1000000)) {
        if (atomic_compare_exchange_strong(&limit->window_start_us, &start_us, now_us)) {
            int64_t count = atomic_exchange(&limit->count, 1);
            *suppressed = count > LOG_LIMIT_BURST ? count - LOG_LIMIT_BURST : 0;
            return true;
        }
    }
    return atomic_fetch_add(&limit->count, 1) < LOG_LIMIT_BURST;
}

/* What back ends say may be in any encoding; a line must be UTF-8. */
static char *valid_text(const char *text, size_t length)
{
    char *copy = xmemdup(text, length);
    if (!utf8_valid(copy, length))
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)copy[i] >= 0x80)
                copy[i] = '?';
    return copy;
}

static size_t text_length(const struct log_field *field)
{
    return field->length == SIZE_MAX ? strlen(field->text) : field->length;
}

static bool is_null(const struct log_field *field)
{
    return (field->type == LOG_FIELD_TEXT && field->text == NULL) ||
           (field->type == LOG_FIELD_UUID && field->uuid == NULL);
}

/* JSON lines */

static void add_text(struct json_writer *writer, const struct log_field *field)
{
    size_t length = text_length(field);
    char *text = valid_text(field->text, length);
    json_add_string(writer, field->key, text, length);
    free(text);
}

static void add_number(struct json_writer *writer, const struct log_field *field)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%.6g", field->number);
    if (strpbrk(text, "in") != NULL) /* inf, nan */
        json_add_null(writer, field->key);
    else
        json_add_raw(writer, field->key, text, (size_t)length);
}

static void add_field(struct json_writer *writer, const struct log_field *field)
{
    if (is_null(field)) {
        json_add_null(writer, field->key);
        return;
    }
    switch (field->type) {
    case LOG_FIELD_TEXT:
        add_text(writer, field);
        break;
    case LOG_FIELD_INT:
        json_add_int(writer, field->key, field->integer);
        break;
    case LOG_FIELD_NUMBER:
        add_number(writer, field);
        break;
    case LOG_FIELD_BOOL:
        json_add_bool(writer, field->key, field->boolean);
        break;
    case LOG_FIELD_UUID:
        json_add_uuid(writer, field->key, field->uuid);
        break;
    }
}

static void write_json(enum log_level level, const char *event, const struct log_field *fields)
{
    struct json_writer writer;
    json_writer_init(&writer);
    json_object_begin(&writer);
    json_add_time(&writer, "at", clock_unix_us());
    json_add_cstring(&writer, "level", level_name(level));
    json_add_cstring(&writer, "event", event);
    for (; fields->key != NULL; fields++)
        add_field(&writer, fields);
    json_object_end(&writer);
    json_newline(&writer);
    ssize_t written = write(STDERR_FILENO, json_text(&writer), json_length(&writer));
    (void)written; /* there is no other place to complain to */
    json_writer_deinit(&writer);
}

/* Journal */

static char *field_text(const struct log_field *field)
{
    if (is_null(field))
        return xstrdup("null");
    switch (field->type) {
    case LOG_FIELD_TEXT:
        return valid_text(field->text, text_length(field));
    case LOG_FIELD_INT:
        return xasprintf("%" PRId64, field->integer);
    case LOG_FIELD_NUMBER:
        return xasprintf("%.6g", field->number);
    case LOG_FIELD_BOOL:
        return xstrdup(field->boolean ? "true" : "false");
    case LOG_FIELD_UUID:
        break;
    }
    char *text = xmalloc(UUID_TEXT_BYTES + 1);
    uuid_format(field->uuid, text);
    return text;
}

static struct iovec entry(char *text)
{
    return (struct iovec){text, strlen(text)};
}

/* CHATGATE_KEY=value */
static struct iovec field_entry(const char *key, const char *text)
{
    char *line = xasprintf("CHATGATE_%s=%s", key, text);
    for (char *at = line; *at != '='; at++)
        *at = (char)toupper((unsigned char)*at);
    return entry(line);
}

static void write_journal(enum log_level level, const char *event, const struct log_field *fields)
{
    struct iovec entries[LOG_FIELDS_MAX + 3];
    int count = 0;
    char *message = xasprintf("MESSAGE=%s", event);
    entries[count++] = entry(xasprintf("PRIORITY=%d", (int)level));
    entries[count++] = entry(xstrdup("SYSLOG_IDENTIFIER=chatgate"));
    for (; fields->key != NULL && count < LOG_FIELDS_MAX + 2; fields++) {
        char *text = field_text(fields);
        char *longer = xasprintf("%s %s=%s", message, fields->key, text);
        free(message);
        message = longer;
        entries[count++] = field_entry(fields->key, text);
        free(text);
    }
    entries[count++] = entry(message);
    sd_journal_sendv(entries, count);
    for (int i = 0; i < count; i++)
        free(entries[i].iov_base);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (log_to_journal)
        write_journal(level, event, fields);
    else
        write_json(level, event, fields);
}
