/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/metrics.h and gateway/process_metrics.h */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/jwt.h"
#include "gateway/metrics.h"
#include "gateway/process_metrics.h"
#include "gateway/version.h"
#include "protocol/command.h"
#include "protocol/error_code.h"
#include "sql/embedded.h"

static char *text;

static void render(void)
{
    size_t length;

    free(text);
    text = metrics_render(&length);
    assert_int_equal(strlen(text), length);
}

static int drop_text(void **state)
{
    free(text);
    text = NULL;
    return 0;
}

/* Is `line` a whole line of the text? */
static bool has_line(const char *line)
{
    size_t length = strlen(line);

    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void assert_line(const char *line)
{
    if (!has_line(line))
        print_error("missing: %s\n", line);
    assert_true(has_line(line));
}

static void test_all_series_exist_from_the_start(void **state)
{
    render();
    assert_line("# HELP chatgate_slow_consumers_dropped_total Sessions closed because their queue "
                "was full.");
    assert_line("# TYPE chatgate_slow_consumers_dropped_total counter");
    assert_line("chatgate_slow_consumers_dropped_total 0");
    assert_line("chatgate_connections_closed_total{reason=\"token_expired\"} 0");
    assert_line("chatgate_messages_received_total{type=\"queue.decide\"} 0");
    assert_line("chatgate_messages_received_total{type=\"invalid\"} 0");
    assert_line("chatgate_tokens_checked_total{result=\"bad_signature\"} 0");
    assert_line("chatgate_moderation_decisions_total{action=\"block\",source=\"operator\"} 0");
    assert_line("chatgate_message_ack_seconds_bucket{le=\"0.0005\"} 0");
    assert_line("chatgate_message_ack_seconds_bucket{le=\"+Inf\"} 0");
    assert_line("chatgate_message_ack_seconds_count 0");
}

static void test_counters_and_gauges(void **state)
{
    metrics_add(METRIC_DELIVERIES, 3);
    metrics_add(METRIC_DELIVERIES, 4);
    metrics_add_label(METRIC_CONNECTIONS, LABEL_TRANSPORT_WSS, 5);
    metrics_add_label(METRIC_CONNECTIONS, LABEL_TRANSPORT_WSS, -2);
    metrics_add_labels(METRIC_MODERATION_DECISIONS, LABEL_ACTION_DELIVER, LABEL_SOURCE_RULE, 9);
    metrics_set(METRIC_REDIS_UP, 1);
    metrics_set(METRIC_MODERATION_OLDEST_SECONDS, 12.25);
    metrics_set_label(METRIC_DB_POOL_CONNECTIONS, LABEL_DB_STATE_READY, 4);
    metrics_add(METRIC_SENT_BYTES, INT64_C(1) << 50);
    render();
    assert_line("chatgate_deliveries_total 7");
    assert_line("chatgate_connections{transport=\"wss\"} 3");
    assert_line("chatgate_connections{transport=\"ws\"} 0");
    assert_line("chatgate_moderation_decisions_total{action=\"deliver\",source=\"rule\"} 9");
    assert_line("chatgate_moderation_decisions_total{action=\"hold\",source=\"rule\"} 0");
    assert_line("chatgate_redis_up 1");
    assert_line("chatgate_moderation_oldest_seconds 12.25");
    assert_line("chatgate_db_pool_connections{state=\"ready\"} 4");
    assert_line("chatgate_sent_bytes_total 1125899906842624");
    assert_true(metrics_value(METRIC_DELIVERIES, 0, 0) == 7);
    assert_true(
        metrics_value(METRIC_MODERATION_DECISIONS, LABEL_ACTION_DELIVER, LABEL_SOURCE_RULE) == 9);
}

static void test_histogram(void **state)
{
    metrics_observe(METRIC_DELIVERY_SECONDS, 0);
    metrics_observe(METRIC_DELIVERY_SECONDS, .0005); /* a bound belongs to its bucket */
    metrics_observe(METRIC_DELIVERY_SECONDS, .0006);
    metrics_observe(METRIC_DELIVERY_SECONDS, 2.4);
    metrics_observe(METRIC_DELIVERY_SECONDS, 100);
    render();
    assert_line("# TYPE chatgate_delivery_seconds histogram");
    assert_line("chatgate_delivery_seconds_bucket{le=\"0.0005\"} 2");
    assert_line("chatgate_delivery_seconds_bucket{le=\"0.001\"} 3");
    assert_line("chatgate_delivery_seconds_bucket{le=\"1\"} 3");
    assert_line("chatgate_delivery_seconds_bucket{le=\"2.5\"} 4");
    assert_line("chatgate_delivery_seconds_bucket{le=\"+Inf\"} 5");
    assert_line("chatgate_delivery_seconds_sum 102.4011");
    assert_line("chatgate_delivery_seconds_count 5");
    assert_true(metrics_value(METRIC_DELIVERY_SECONDS, 0, 0) == 5);
}

static void test_delays_reach_a_day(void **state)
{
    metrics_observe_label(METRIC_ROOM_LAG_SECONDS, LABEL_DUE_LESSON_END, 0);
    metrics_observe_label(METRIC_ROOM_LAG_SECONDS, LABEL_DUE_LESSON_END, 3600);
    metrics_observe_label(METRIC_ROOM_LAG_SECONDS, LABEL_DUE_LESSON_END, 90000);
    render();
    assert_line("chatgate_room_lag_seconds_bucket{since=\"lesson_end\",le=\"1\"} 1");
    assert_line("chatgate_room_lag_seconds_bucket{since=\"lesson_end\",le=\"1800\"} 1");
    assert_line("chatgate_room_lag_seconds_bucket{since=\"lesson_end\",le=\"3600\"} 2");
    assert_line("chatgate_room_lag_seconds_bucket{since=\"lesson_end\",le=\"86400\"} 2");
    assert_line("chatgate_room_lag_seconds_bucket{since=\"lesson_end\",le=\"+Inf\"} 3");
}

static void test_labelled_histogram(void **state)
{
    render();
    assert_line("# TYPE chatgate_db_query_seconds histogram");
    assert_null(strstr(text, "chatgate_db_query_seconds_count"));
    metrics_observe_label(METRIC_DB_QUERY_SECONDS,
                          metrics_label_find(METRIC_DB_QUERY_SECONDS, "write_messages"), .003);
    render();
    assert_line("chatgate_db_query_seconds_bucket{query=\"write_messages\",le=\"0.005\"} 1");
    assert_line("chatgate_db_query_seconds_count{query=\"write_messages\"} 1");
}

static void test_sizes(void **state)
{
    metrics_observe(METRIC_WRITE_BATCH, 1);
    metrics_observe(METRIC_WRITE_BATCH, 200);
    render();
    assert_line("chatgate_write_batch_messages_bucket{le=\"1\"} 1");
    assert_line("chatgate_write_batch_messages_bucket{le=\"200\"} 2");
    assert_line("chatgate_write_batch_messages_sum 201");
}

/* The labels that stand for enums of other modules are those enums. */
static void test_labels_follow_their_enums(void **state)
{
    assert_int_equal(LABEL_COMMAND_QUEUE_STATS, COMMAND_QUEUE_STATS);
    assert_int_equal(LABEL_COMMAND_INVALID, COMMAND_COUNT);
    assert_int_equal(LABEL_AUTH_OK, JWT_OK);
    assert_int_equal(LABEL_AUTH_BAD_ROLE, JWT_BAD_ROLE);
    assert_int_equal(LABEL_ERROR_BAD_REQUEST, ERROR_BAD_REQUEST - 1);
    assert_int_equal(LABEL_ERROR_UNAVAILABLE, ERROR_UNAVAILABLE - 1);
    assert_int_equal(metrics_close_label(CLOSE_NORMAL), LABEL_CLOSE_NORMAL);
    assert_int_equal(metrics_close_label(CLOSE_SLOW), LABEL_CLOSE_SLOW);
    assert_int_equal(metrics_close_label(CLOSE_VERSION), LABEL_CLOSE_COUNT - 1);
    for (size_t i = 0; i < sql_statement_count; i++)
        assert_int_equal(metrics_label_find(METRIC_DB_QUERY_SECONDS, sql_statements[i]->name), i);
    assert_int_equal(metrics_label_find(METRIC_DB_QUERY_SECONDS, "no_such"), LABEL_QUERY_OTHER);
}

static void test_handshake_reasons(void **state)
{
    metrics_handshake_failed("handshake.origin");
    metrics_handshake_failed("expired");
    metrics_handshake_failed("no such reason");
    render();
    assert_line("chatgate_handshake_failures_total{reason=\"handshake.origin\"} 1");
    assert_line("chatgate_handshake_failures_total{reason=\"expired\"} 1");
    assert_line("chatgate_handshake_failures_total{reason=\"other\"} 1");
}

static void test_build_info(void **state)
{
    render();
    assert_non_null(
        strstr(text, "\nchatgate_build_info{version=\"" CHATGATE_VERSION "\",compiler=\""));
}

static void test_process(void **state)
{
    int before, fd;

    process_metrics_update();
    before = (int)metrics_value(METRIC_PROCESS_OPEN_FDS, 0, 0);
    assert_true(before >= 3);
    assert_true(metrics_value(METRIC_PROCESS_MAX_FDS, 0, 0) >= before);
    assert_true(metrics_value(METRIC_PROCESS_RESIDENT, 0, 0) > 100000);
    assert_true(metrics_value(METRIC_PROCESS_VIRTUAL, 0, 0) >
                metrics_value(METRIC_PROCESS_RESIDENT, 0, 0));
    assert_true(metrics_value(METRIC_PROCESS_CPU, 0, 0) > 0);
    assert_true(metrics_value(METRIC_PROCESS_START, 0, 0) <= (double)time(NULL) + 1);
    assert_true(metrics_value(METRIC_PROCESS_START, 0, 0) > (double)time(NULL) - 600);

    fd = open("/dev/null", O_RDONLY);
    process_metrics_update();
    assert_in_range(metrics_value(METRIC_PROCESS_OPEN_FDS, 0, 0), before, before + 1);
    close(fd);
}

/* promtool reads what Prometheus would read, and lints the names and the help. */
static void test_promtool(void **state)
{
    FILE *promtool;
    int status;

    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        print_message("promtool is missing: apt install prometheus\n");
        skip();
    }
    process_metrics_update();
    for (unsigned i = 0; i < LABEL_QUERY_COUNT; i++)
        metrics_observe_label(METRIC_DB_QUERY_SECONDS, i, .01);
    render();
    promtool = popen("promtool check metrics 2>&1", "w");
    assert_non_null(promtool);
    fputs(text, promtool);
    status = pclose(promtool);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_series_exist_from_the_start),
        cmocka_unit_test(test_counters_and_gauges),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_delays_reach_a_day),
        cmocka_unit_test(test_labelled_histogram),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_labels_follow_their_enums),
        cmocka_unit_test(test_handshake_reasons),
        cmocka_unit_test(test_build_info),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_promtool),
    };

    return cmocka_run_group_tests(tests, NULL, drop_text);
}
