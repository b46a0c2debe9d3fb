/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gateway/config.h with gateway/config_source.h: which source wins, and every fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/config.h"
#include "gateway/config_key.h"
#include "gateway/config_source.h"

static char folder[] = "/tmp/chatgate-config-XXXXXX";
static char path[64], ini[64];
static struct config_sources *sources;
static struct config_errors errors;

static const char good_ini[] = "[redis]\nkey = 0123456789abcdef\n"
                               "[messages]\ntext_key = 0123456789abcdef\n"
                               "[auth]\nhs256_secret = 0123456789abcdef0123456789abcdef\n";

/* A file of that name and mode in the test's folder; returns its path. */
static const char *file(const char *name, mode_t mode, const char *text)
{
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static int begin(void **state)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    clearenv();
    sources = config_sources_new();
    snprintf(ini, sizeof(ini), "%s/chatgate.ini", folder);
    file("chatgate.ini", 0600, "");
    config_sources_set_path(sources, ini);
    return 0;
}

static int end(void **state)
{
    char command[64];
    config_sources_free(sources);
    config_errors_deinit(&errors);
    snprintf(command, sizeof(command), "/bin/rm -r %s", folder);
    return system(command);
}

static struct config *load(void)
{
    struct config *config = config_load(sources, &errors);
    config_errors_print(&errors, stdout);
    assert_non_null(config);
    return config;
}

static void expect_faults(size_t count)
{
    struct config *config = config_load(sources, &errors);
    config_errors_print(&errors, stdout);
    assert_null(config);
    assert_int_equal(errors.count, count);
}

/* Whether fault i is this text; %s in it stands for the folder. */
static void expect_fault(size_t i, const char *format)
{
    char expected[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(expected, sizeof(expected), format, folder);
#pragma GCC diagnostic pop
    assert_string_equal(errors.lines[i], expected);
}

static void set(const char *assignment)
{
    bool taken = config_sources_set(sources, assignment, &errors);
    config_errors_print(&errors, stdout);
    assert_true(taken);
}

static void test_defaults(void **state)
{
    struct config *config = load();
    assert_int_equal(config->listen.port, 8080);
    assert_string_equal(config->listen.tls_key, "");
    assert_int_equal(config->limits.frame_bytes, 65536);
    assert_null(config_unref(config));
    assert_null(config_unref(NULL));
}

/* Each stronger source in turn overrides the one before. */
static void test_precedence(void **state)
{
    file("chatgate.ini", 0600, "[redis]\nkey = ini\n[node]\nname = ini\n");
    struct config *config = load();
    assert_string_equal(config->redis.key, "ini");
    config_unref(config);

    file("redis.key", 0440, "credential\n"); /* systemd's group bits */
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    config = load();
    assert_string_equal(config->redis.key, "credential");
    config_unref(config);

    setenv("CHATGATE_REDIS_KEY_FILE", file("key", 0600, "file\r\n"), 1);
    config = load();
    assert_string_equal(config->redis.key, "file");
    config_unref(config);

    setenv("CHATGATE_REDIS_KEY", "environment", 1);
    setenv("CHATGATE_NODE_NAME", "environment", 1);
    config = load();
    assert_string_equal(config->redis.key, "environment");
    assert_string_equal(config->node.name, "environment");
    config_unref(config);

    set("node.name=flag");
    set("node.name=flag=2");
    config = load();
    assert_string_equal(config->node.name, "flag=2");
    config_unref(config);
}

static void test_origins(void **state)
{
    file("chatgate.ini", 0600, "\n[listen]\nport = 1\nbacklog = 2\n");
    setenv("CHATGATE_LISTEN_BACKLOG", "3", 1);
    set("listen.admin_port=4");
    struct config_value values[CONFIG_KEY_COUNT] = {0};
    config_sources_read(sources, values, &errors);
    char place[80];
    snprintf(place, sizeof(place), "%s:3", ini);
    assert_string_equal(values[CONFIG_INDEX_listen_port].origin, place);
    assert_string_equal(values[CONFIG_INDEX_listen_backlog].origin, "CHATGATE_LISTEN_BACKLOG");
    assert_string_equal(values[CONFIG_INDEX_listen_admin_port].origin, "--set listen.admin_port");
    assert_null(values[CONFIG_INDEX_listen_address].text);
    config_values_deinit(values);
}

static void test_every_fault_is_told_with_its_place(void **state)
{
    file("chatgate.ini", 0600,
         "[listen]\nprot = 1\nport = x\n[colours]\nink = 2\n[limits]\nhistory_page = 1\n"
         "history_page = 2\nport = 3\nnonsense\n");
    setenv("CHATGATE_LOG_LEVEL", "loud", 1);
    setenv("CHATGATE_LOG_LEVLE", "info", 1);
    setenv("CHATGATE_BIN", "/no/business/of/ours", 1);
    set("node.name=a\nb");
    expect_faults(9);
    expect_fault(0, "%s/chatgate.ini:2: unknown key listen.prot; did you mean port in [listen]?");
    expect_fault(1, "%s/chatgate.ini:5: unknown key colours.ink; `chatgate config --example` shows "
                    "all");
    expect_fault(2, "%s/chatgate.ini:8: limits.history_page was already set in line 7");
    expect_fault(3, "%s/chatgate.ini:9: unknown key limits.port; did you mean port in [listen]?");
    expect_fault(4, "%s/chatgate.ini:10: expected [section], key = value, or # a comment");
    expect_fault(5, "CHATGATE_LOG_LEVLE: unknown key log.levle; did you mean level in [log]?");
    expect_fault(6, "%s/chatgate.ini:3: listen.port: 'x' is not a whole number (0 to 65535)");
    expect_fault(7, "--set node.name: node.name: has a control character (a line break?) inside");
    expect_fault(8, "CHATGATE_LOG_LEVEL: log.level: 'loud' is none of "
                    "error|warning|notice|info|debug");
}

static void test_flags_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",
        "listen.port",
        "=1",
        "listen=1",
        "listen.port:1",
        "Listen.Port=1",
        "listen.port =1",
        "listen.prot=1",
        "redis.key=hunter2",
        "database.url=postgresql://anna:hunter2@db/chat",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(config_sources_set(sources, bad[i], &errors));
    assert_int_equal(errors.count, sizeof(bad) / sizeof(bad[0]));
    expect_fault(7, "--set: unknown key listen.prot; did you mean port in [listen]?");
    expect_fault(8, "--set redis.key: refused, as every user of this machine can read the "
                    "arguments of a program; put the secret into a file and set "
                    "CHATGATE_REDIS_KEY_FILE to its path");
    for (size_t i = 0; i < errors.count; i++)
        assert_null(strstr(errors.lines[i], "hunter2"));
    set("database.url=postgresql://anna@db/chat");
    set("redis.key=");
}

static void test_secrets_that_others_can_read(void **state)
{
    file("chatgate.ini", 0640, "[redis]\nkey = hunter2\n[database]\nurl = host=a password=b\n");
    setenv("CHATGATE_AUTH_HS256_SECRET_FILE", file("secret", 0604, "hunter2"), 1);
    expect_faults(3);
    expect_fault(0, "%s/chatgate.ini:2: redis.key is a secret, but group or others may access this "
                    "file (mode 0640); chmod 600 it, or move the secret to a file of its own");
    expect_fault(1, "%s/chatgate.ini:4: database.url is a secret, but group or others may access "
                    "this file (mode 0640); chmod 600 it, or move the secret to a file of its own");
    expect_fault(2, "CHATGATE_AUTH_HS256_SECRET_FILE (%s/secret): holds a secret, but group or "
                    "others may access it (mode 0604); chmod 600 it");
}

static void test_open_files_without_secrets(void **state)
{
    file("chatgate.ini", 0644, "[redis]\nkey =\n[database]\nurl = host=a\n");
    setenv("CHATGATE_NODE_NAME_FILE", file("name", 0644, "a"), 1);
    config_unref(load());
}

static void test_files_that_cannot_be_read(void **state)
{
    char missing[64];
    snprintf(missing, sizeof(missing), "%s/missing", folder);
    setenv("CHATGATE_REDIS_KEY_FILE", missing, 1);
    setenv("CHATGATE_NODE_NAME_FILE", folder, 1);
    config_sources_set_path(sources, missing);
    expect_faults(3);
    expect_fault(0, "%s/missing: No such file or directory");
    expect_fault(1, "CHATGATE_REDIS_KEY_FILE (%s/missing): No such file or directory");
    expect_fault(2, "CHATGATE_NODE_NAME_FILE (%1$s): Is a directory");
}

static void test_a_fifo_holds_nothing_up(void **state)
{
    snprintf(path, sizeof(path), "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    config_sources_set_path(sources, path);
    expect_faults(1);
    expect_fault(0, "%s/fifo: Invalid argument");
}

/* What check says of good_ini with these lines behind it. */
static void check_says(const char *lines, const char *fault)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s%s", good_ini, lines);
    file("chatgate.ini", 0600, text);
    struct config *config = load();
    bool good = config_check(config, &errors);
    if (fault == NULL) {
        assert_int_equal(errors.count, 0);
        assert_true(good);
    } else {
        assert_false(good);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.lines[0], fault);
    }
    config_unref(config);
    config_errors_deinit(&errors);
}

static void test_check_addresses(void **state)
{
    check_says("", NULL);
    check_says("[listen]\naddress = *\nadmin_address = ::1\nport = 0\nadmin_port = 0\n", NULL);
    check_says("[listen]\naddress = localhost\n",
               "listen.address: 'localhost' is neither an IPv4 or IPv6 address nor *");
    check_says("[listen]\nadmin_address =\n",
               "listen.admin_address: '' is neither an IPv4 or IPv6 address nor *");
    check_says("[listen]\nport = 9090\n", "listen.port and listen.admin_port: both are 9090");
    check_says("[listen]\ntls_key = /x\n",
               "listen.tls_certificate and listen.tls_key: set both or none");
    check_says("[listen]\ntls_certificate = /x\ntls_key = /x\n",
               "listen.tls_certificate, listen.tls_key: /x: No such file or directory");
}

static void test_check_lists(void **state)
{
    static const char wrong[] =
        "http.allowed_origins: '%s' is no origin; write https://host or https://host:port, lower "
        "case, without a path";
    static const char *const bad[] = {"example.com", "https://", "https://a/", "https://A",
                                      "ftp://a",     "null",     "*"};
    check_says("[http]\nallowed_origins = https://a.example, http://b:8080 ,\n", NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char lines[128], fault[256];
        snprintf(lines, sizeof(lines), "[http]\nallowed_origins = https://ok, %s\n", bad[i]);
        snprintf(fault, sizeof(fault), wrong, bad[i]);
        check_says(lines, fault);
    }
    check_says("[http]\ntrusted_proxies = 10.0.0.0/8, ::1\n", NULL);
    check_says("[http]\ntrusted_proxies = 10.0.0.0/99\n",
               "http.trusted_proxies: '10.0.0.0/99' is no list of addresses or networks");
}

static void test_check_back_ends(void **state)
{
    check_says("[database]\nurl = host=/tmp dbname=x\n", NULL);
    check_says("[database]\nurl = nonsense://a\n",
               "database.url: libpq cannot read it; write postgresql://user@host:port/name or "
               "host=... dbname=...");
    check_says("[redis]\nurl = unix:/run/redis.sock\n", NULL);
    file("chatgate.ini", 0600, "[redis]\nkey_previous = short\nurl = http://a\n");
    struct config *config = load();
    assert_false(config_check(config, &errors));
    config_errors_print(&errors, stdout);
    assert_int_equal(errors.count, 5);
    assert_memory_equal(errors.lines[0], "redis.url: ", strlen("redis.url: "));
    expect_fault(1, "redis.key: is not set; the nodes sign what they tell each other with it "
                    "(openssl rand -hex 32 makes one)");
    expect_fault(2, "redis.key_previous: has fewer than 16 characters; it must be what redis.key "
                    "was before (openssl rand -hex 32 makes one)");
    expect_fault(3, "messages.text_key: is not set; resends are recognised by hashes made with it "
                    "(openssl rand -hex 32 makes one)");
    assert_memory_equal(errors.lines[4],
                        "auth.keys, auth.hs256_secret: ", strlen("auth.keys, auth.hs256_secret: "));
    config_unref(config);
}

static void test_check_the_rest(void **state)
{
    check_says("[limits]\noutbound_bytes = 16384\n",
               "limits.outbound_bytes: is less than limits.frame_bytes, so that a single frame "
               "could close a connection");
    check_says("[node]\nname = eu-1.example:8080\n", NULL);
    check_says("[node]\nname = eu 1\n", "node.name: at most 63 letters, digits and . _ : -");
    check_says("[node]\nname = "
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
               "node.name: at most 63 letters, digits and . _ : -");
}

/* Reload */

struct changes {
    char text[512];
};

static void handle_change(void *context, const char *name, bool applied)
{
    struct changes *changes = context;
    size_t length = strlen(changes->text);
    snprintf(changes->text + length, sizeof(changes->text) - length, "%s%s ", applied ? "" : "!",
             name);
}

static void write_good(const char *lines)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s%s", good_ini, lines);
    file("chatgate.ini", 0600, text);
}

static void test_reload(void **state)
{
    struct changes changes = {""};
    write_good("[listen]\nport = 1\n[limits]\nhistory_page = 10\n[node]\nname = a\n");
    struct config *running = load();
    write_good("[listen]\nport = 2\n[limits]\nhistory_page = 20\n[node]\nname = b\n");
    struct config *config = config_reload(running, sources, &errors, handle_change, &changes);
    assert_non_null(config);
    assert_string_equal(changes.text, "!listen.port limits.history_page !node.name ");
    assert_int_equal(config->listen.port, 1);
    assert_string_equal(config->node.name, "a");
    assert_int_equal(config->limits.history_page, 20);
    assert_int_equal(running->limits.history_page, 10);
    config_unref(running);
    config_unref(config);
}

static void test_a_faulty_reload_changes_nothing(void **state)
{
    struct changes changes = {""};
    write_good("");
    struct config *running = load();
    write_good("[limits]\nhistory_page = 0\n");
    assert_null(config_reload(running, sources, &errors, handle_change, &changes));
    assert_int_equal(errors.count, 1);
    config_errors_deinit(&errors);
    file("chatgate.ini", 0600, "[limits]\nhistory_page = 50\n"); /* lacks the secrets */
    assert_null(config_reload(running, sources, &errors, handle_change, &changes));
    assert_string_equal(changes.text, "");
    assert_int_equal(running->limits.history_page, 100);
    config_unref(running);
}

static void test_refs(void **state)
{
    struct config *config = load();
    assert_ptr_equal(config_ref(config), config);
    assert_null(config_unref(config));
    assert_int_equal(config->listen.port, 8080);
    config_unref(config);
}

static void test_lists(void **state)
{
    const char *cursor = " , a,b c\t,, d ,", *item = NULL;
    static const char *const expected[] = {"a", "b c", "d"};
    size_t length = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(config_list_next(&cursor, &item, &length));
        assert_int_equal(length, strlen(expected[i]));
        assert_memory_equal(item, expected[i], length);
    }
    assert_false(config_list_next(&cursor, &item, &length));
    cursor = "";
    assert_false(config_list_next(&cursor, &item, &length));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_precedence),
        TEST(test_origins),
        TEST(test_every_fault_is_told_with_its_place),
        TEST(test_flags_that_are_none),
        TEST(test_secrets_that_others_can_read),
        TEST(test_open_files_without_secrets),
        TEST(test_files_that_cannot_be_read),
        TEST(test_a_fifo_holds_nothing_up),
        TEST(test_check_addresses),
        TEST(test_check_lists),
        TEST(test_check_back_ends),
        TEST(test_check_the_rest),
        TEST(test_reload),
        TEST(test_a_faulty_reload_changes_nothing),
        TEST(test_refs),
        TEST(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
