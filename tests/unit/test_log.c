/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/log.h */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/log.h"

/* The library's function is replaced: what reaches the journal is kept here, one entry a line. */
static char journal[4096];

int sd_journal_sendv(const struct iovec *entries, int count);
int sd_journal_sendv(const struct iovec *entries, int count)
{
    size_t length = strlen(journal);
    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(journal + length, sizeof(journal) - length, "%.*s\n",
                                   (int)entries[i].iov_len, (const char *)entries[i].iov_base);
    return 0;
}

/* Standard error goes to a file while a test runs. */
static FILE *captured;
static int stderr_before;

static int begin(void **state)
{
    journal[0] = '\0';
    captured = tmpfile();
    stderr_before = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    return 0;
}

static int end(void **state)
{
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    fclose(captured);
    unsetenv("JOURNAL_STREAM");
    log_open(LOG_FORMAT_JSON);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

/* What was written since the last call. */
static const char *output(void)
{
    static char text[65536];
    size_t length = (size_t)pread(fileno(captured), text, sizeof(text) - 1, 0);
    text[length] = '\0';
    assert_int_equal(ftruncate(fileno(captured), 0), 0);
    lseek(fileno(captured), 0, SEEK_SET);
    return text;
}

/* The line from "level" on: the time before it varies. */
static const char *output_after_time(void)
{
    const char *text = output();
    static const char form[] = "{\"at\":\"2026-01-02T03:04:05.678Z\",";
    assert_memory_equal(text, form, strlen("{\"at\":\""));
    assert_memory_equal(text + strlen(form) - 3, "Z\",", 3);
    return text + strlen(form);
}

static void test_json(void **state)
{
    struct uuid id;
    assert_true(uuid_parse(&id, "018f6d1e-7b7a-7c3f-9f5e-1d2c3b4a5968", UUID_TEXT_BYTES));
    log_info("session closed", LOG_UUID("session", &id), LOG_STR("reason", "a \"b\"\n"),
             LOG_STRN("cut", "abcdef", 3), LOG_INT("code", 4002), LOG_INT("big", INT64_MIN),
             LOG_BOOL("clean", true), LOG_NUMBER("took_s", 0.25));
    assert_string_equal(
        output_after_time(),
        "\"level\":\"info\",\"event\":\"session closed\","
        "\"session\":\"018f6d1e-7b7a-7c3f-9f5e-1d2c3b4a5968\",\"reason\":\"a \\\"b\\\"\\n\","
        "\"cut\":\"abc\",\"code\":4002,\"big\":-9223372036854775808,\"clean\":true,"
        "\"took_s\":0.25}\n");
    log_error("nothing");
    assert_string_equal(output_after_time(), "\"level\":\"error\",\"event\":\"nothing\"}\n");
}

static void test_odd_values(void **state)
{
    log_info("odd", LOG_STR("a", NULL), LOG_UUID("b", NULL), LOG_NUMBER("c", NAN),
             LOG_NUMBER("d", INFINITY), LOG_STR("e", "a\xff\xc3"), LOG_ERRNO(-ENOENT));
    assert_string_equal(output_after_time(),
                        "\"level\":\"info\",\"event\":\"odd\",\"a\":null,\"b\":null,\"c\":null,"
                        "\"d\":null,\"e\":\"a??\",\"error\":\"No such file or directory\"}\n");
}

static int evaluated;
static int count_evaluation(void)
{
    return ++evaluated;
}

static void test_levels(void **state)
{
    log_set_level(LOG_LEVEL_WARNING);
    log_notice("no", LOG_INT("n", count_evaluation()));
    log_info("no", LOG_INT("n", count_evaluation()));
    assert_string_equal(output(), "");
    assert_int_equal(evaluated, 0);
    log_warning("yes", LOG_INT("n", count_evaluation()));
    assert_string_equal(output_after_time(), "\"level\":\"warning\",\"event\":\"yes\",\"n\":1}\n");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("yes");
    assert_string_equal(output_after_time(), "\"level\":\"debug\",\"event\":\"yes\"}\n");
    assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_parse("notice"), LOG_LEVEL_NOTICE);
    assert_int_equal(log_format_parse("auto"), LOG_FORMAT_AUTO);
    assert_int_equal(log_format_parse("journal"), LOG_FORMAT_JOURNAL);
    assert_int_equal(log_format_parse("json"), LOG_FORMAT_JSON);
}

static void test_journal(void **state)
{
    struct uuid id = {{1}};
    log_open(LOG_FORMAT_JOURNAL);
    log_error("room made", LOG_UUID("room", &id), LOG_INT("tries", 2), LOG_STR("why", NULL));
    assert_string_equal(journal,
                        "PRIORITY=3\n"
                        "SYSLOG_IDENTIFIER=chatgate\n"
                        "CHATGATE_ROOM=01000000-0000-0000-0000-000000000000\n"
                        "CHATGATE_TRIES=2\n"
                        "CHATGATE_WHY=null\n"
                        "MESSAGE=room made room=01000000-0000-0000-0000-000000000000 tries=2 "
                        "why=null\n");
    assert_string_equal(output(), "");
}

static void test_auto_finds_the_journal(void **state)
{
    struct stat status;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open(LOG_FORMAT_AUTO);
    log_info("to the journal");
    assert_non_null(strstr(journal, "MESSAGE=to the journal\n"));
    assert_string_equal(output(), "");

    setenv("JOURNAL_STREAM", "1:1", 1); /* standard error was redirected since */
    log_open(LOG_FORMAT_AUTO);
    log_info("to standard error");
    assert_string_equal(output_after_time(),
                        "\"level\":\"info\",\"event\":\"to standard error\"}\n");
}

static void flood(int lines)
{
    for (int i = 0; i < lines; i++)
        log_limited(LOG_LEVEL_WARNING, "flood", LOG_INT("i", i));
}

static void test_floods_are_limited(void **state)
{
    flood(1000);
    int lines = 0;
    for (const char *at = output(); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, LOG_LIMIT_BURST);
}

static void test_what_was_left_out_is_counted(void **state)
{
    struct log_limit limit = {0};
    int64_t suppressed = 0;
    int passed = 0;
    for (int i = 0; i < 100; i++)
        passed += log_limit_pass(&limit, &suppressed);
    assert_int_equal(passed, LOG_LIMIT_BURST);
    assert_int_equal(suppressed, 0);
    limit.window_start_us -= (LOG_LIMIT_WINDOW_S + 1) * INT64_C(1000000);
    assert_true(log_limit_pass(&limit, &suppressed));
    assert_int_equal(suppressed, 100 - LOG_LIMIT_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json, begin, end),
        cmocka_unit_test_setup_teardown(test_odd_values, begin, end),
        cmocka_unit_test_setup_teardown(test_levels, begin, end),
        cmocka_unit_test_setup_teardown(test_journal, begin, end),
        cmocka_unit_test_setup_teardown(test_auto_finds_the_journal, begin, end),
        cmocka_unit_test_setup_teardown(test_floods_are_limited, begin, end),
        cmocka_unit_test(test_what_was_left_out_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
