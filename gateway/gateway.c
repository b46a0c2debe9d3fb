/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: makes the parts, runs the loop, reloads, drains, takes the parts down.
 *
 * Parts are made from the bottom up: clocks and keys, the database and the bus, who is connected,
 * and last the doors. They go down in the other order; what closes by callback (connections to the
 * database and to Redis) is waited for by letting the loop run until it has nothing left.
 */
#include "gateway/gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <uv.h>

#include "gateway/access_watch.h"
#include "gateway/announce.h"
#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/config_errors.h"
#include "gateway/config_jwt.h"
#include "gateway/database.h"
#include "gateway/drain.h"
#include "gateway/epoch.h"
#include "gateway/handover.h"
#include "gateway/handshake.h"
#include "gateway/head_check.h"
#include "gateway/hints.h"
#include "gateway/housekeeping.h"
#include "gateway/jwt_keys.h"
#include "gateway/listener.h"
#include "gateway/log.h"
#include "gateway/login.h"
#include "gateway/loop_lag.h"
#include "gateway/metrics.h"
#include "gateway/moderators.h"
#include "gateway/node.h"
#include "gateway/own_sweep.h"
#include "gateway/pg_conn.h"
#include "gateway/pg_pool.h"
#include "gateway/presence.h"
#include "gateway/rate_limit.h"
#include "gateway/room.h"
#include "gateway/room_stats.h"
#include "gateway/room_watch.h"
#include "gateway/rule_ceiling.h"
#include "gateway/rule_watch.h"
#include "gateway/screening_sweep.h"
#include "gateway/session.h"
#include "gateway/text_hash.h"
#include "gateway/timer_wheel.h"
#include "gateway/tls.h"
#include "gateway/transport.h"
#include "gateway/user.h"
#include "gateway/version.h"
#include "gateway/windows.h"
#include "gateway/worker.h"
#include "gateway/writer.h"
#include "moderation/rule_set.h"
#include "moderation/screen.h"
#include "protocol/xalloc.h"

enum {
    WHEEL_SLOT_MS = 10,
    WHEEL_SLOTS = 4096,
    RATE_ENTRIES = 65536, /* users whose limits are counted at once */
    SPARE_DESCRIPTORS = 256,
};

struct gateway {
    struct node node;
    uv_loop_t loop;
    const struct config_sources *sources;
    struct loop_lag *lag;
    struct housekeeping *housekeeping;
    struct room_stats *room_stats;
    struct drain *drain;
    uv_signal_t signals[3];
    bool stopping;
};

/* --- configuration that becomes objects --- */

static struct jwt_keys *load_keys(const struct config *config)
{
    char error[JWT_KEYS_ERROR_BYTES];
    struct jwt_keys *keys = config_jwt_keys(config, error);

    if (!keys)
        log_error("the keys for tokens can't be used", LOG_STR("error", error));
    return keys;
}

static bool load_tls(struct node *node, const struct config *config)
{
    char error[TLS_ERROR_BYTES];

    if (!*config->listen.tls_certificate)
        return true;
    node->tls = tls_new(node, config->listen.tls_certificate, config->listen.tls_key, error);
    if (!node->tls)
        log_error("the certificate can't be used", LOG_STR("error", error));
    return node->tls != NULL;
}

static void configure_rates(struct node *node)
{
    const struct config *config = node->config;

    rate_table_configure(node->message_rates, config->limits.messages_per_s,
                         config->limits.message_burst);
    rate_table_configure(node->open_rates, config->limits.opens_per_minute / 60.0,
                         config->limits.opens_per_minute);
    rate_table_configure(node->request_rates, config->limits.requests_per_s,
                         config->limits.requests_per_s);
}

/* The name is fixed when it is set; else it is where clients find the node. */
static void name_node(struct node *node)
{
    const struct config *config = node->config;

    if (*config->node.name)
        snprintf(node->name, sizeof(node->name), "%s", config->node.name);
    else
        snprintf(node->name, sizeof(node->name), "%s:%d", config->listen.address,
                 listener_port(node->public_listener));
}

/* The soft limit becomes what is needed and no more: libwebsockets walks a table of that size at
 * every close. Connections beyond it, allowed by a reload, wait until descriptors are free. */
static void reserve_descriptors(const struct config *config)
{
    struct rlimit limit;
    /* A TLS connection has its socket and the pair behind it. */
    rlim_t each = *config->listen.tls_key ? 3 : 1;
    rlim_t wanted = (rlim_t)config->limits.connections * each + SPARE_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log_warning("fewer descriptors than limits.connections needs; raise LimitNOFILE",
                    LOG_INT("descriptors", limit.rlim_cur), LOG_INT("needed", wanted));
}

/* --- the bus --- */

/* Something may have been committed that was not, or will not be, published to us. */
static void look_again(struct node *node)
{
    if (node->head_check)
        head_check_now(node->head_check);
}

static void handle_bus_state(void *context, bool up, const char *reason)
{
    struct node *node = context;

    if (up)
        log_notice("Redis is up");
    else
        log_limited(LOG_LEVEL_WARNING, "Redis is away; head checks deliver across nodes",
                    LOG_STR("reason", reason));
    look_again(node);
}

static void handle_bus_node(void *context, enum bus_node_event event, const char *name)
{
    struct node *node = context;

    switch (event) {
    case BUS_NODE_JOINED:
        log_info("a node joined", LOG_STR("node", name));
        look_again(node);
        break;
    case BUS_NODE_WITHHELD:
        log_info("a node is back", LOG_STR("node", name));
        look_again(node);
        break;
    case BUS_NODE_LEFT:
        log_info("a node left", LOG_STR("node", name));
        break;
    case BUS_NODE_LOST:
        log_warning("a node fell silent", LOG_STR("node", name));
        look_again(node);
        break;
    }
}

static bool open_bus(struct node *node)
{
    const struct config *config = node->config;
    const char *previous = config->redis.key_previous, *error;
    struct bus_options options = {
        .url = config->redis.url,
        .password = *config->redis.password ? config->redis.password : NULL,
        .node_name = node->name,
        .key = config->redis.key,
        .key_bytes = strlen(config->redis.key),
        .previous_key = *previous ? previous : NULL,
        .previous_key_bytes = strlen(previous),
        .context = node,
        .on_message = announce_received,
        .on_state = handle_bus_state,
        .on_node = handle_bus_node,
    };

    node->bus = bus_new(node->loop, &options, &error);
    if (!node->bus)
        log_error("the settings of Redis can't be used", LOG_STR("error", error));
    return node->bus != NULL;
}

/* --- parts --- */

static struct listener *open_listener(struct node *node, const char *address, int port, bool admin)
{
    struct listener *listener = listener_new(node, address, port, admin);

    if (!listener)
        log_error("cannot listen", LOG_STR("address", address), LOG_INT("port", port),
                  LOG_ERRNO(errno));
    return listener;
}

static void open_database(struct node *node)
{
    struct pg_conn_options options;

    epoch_watch(node);
    database_options(node, &options);
    node->pool = pg_pool_new(node->loop, &options, (size_t)node->config->database.pool_size);
    node->writer = writer_new(node);
    node->hints = hints_open(node);
}

static void open_engines(struct node *node)
{
    const struct config *config = node->config;

    node->wheel = timer_wheel_new(node->loop, WHEEL_SLOT_MS, WHEEL_SLOTS);
    node->worker = worker_new(node->loop, (unsigned)config->auth.bcrypt_threads,
                              (unsigned)config->auth.bcrypt_queue);
    node->message_rates = rate_table_new(RATE_ENTRIES, 1, 1);
    node->open_rates = rate_table_new(RATE_ENTRIES, 1, 1);
    node->request_rates = rate_table_new(RATE_ENTRIES, 1, 1);
    configure_rates(node);
    node->screener = screener_new();
    node->text_hasher =
        text_hasher_new(config->messages.text_key, strlen(config->messages.text_key));
    node->login = login_new(node);
    json_writer_init(&node->json);
    list_init(&node->handshakes);
    address_counts_init(&node->addresses);
    handle_table_init(&node->sessions);
    handle_table_init(&node->exchanges);
}

static void open_rooms(struct node *node)
{
    node->users = users_new(node);
    node->windows = windows_new(node);
    node->rooms = rooms_new(node);
    node->moderators = moderators_new(node);
    node->presence = presence_new(node);
    node->room_watch = room_watch_new(node);
    node->rule_watch = rule_watch_new(node);
    node->rule_ceiling = rule_ceiling_new(node);
    node->own_sweep = own_sweep_new(node);
    node->screening_sweep = screening_sweep_new(node);
    node->access = access_watch_new(node);
    node->head_check = head_check_new(node);
}

/* 0, or an exit status. Whatever was made is taken down by close_parts(). */
static int open_parts(struct gateway *gateway)
{
    struct node *node = &gateway->node;
    const struct config *config = node->config;

    reserve_descriptors(config);
    open_engines(node);
    node->keys = load_keys(config);
    if (!node->keys || !load_tls(node, config))
        return EX_CONFIG;
    node->public_listener = open_listener(node, config->listen.address, config->listen.port, false);
    node->admin_listener =
        open_listener(node, config->listen.admin_address, config->listen.admin_port, true);
    if (!node->public_listener || !node->admin_listener)
        return EX_UNAVAILABLE;
    name_node(node);
    if (!open_bus(node))
        return EX_CONFIG;
    open_database(node);
    open_rooms(node);
    node->transport = transport_new(node);
    if (!node->transport)
        return EX_UNAVAILABLE;
    node->handover = handover_new(node);
    gateway->housekeeping = housekeeping_new(node);
    gateway->room_stats = room_stats_new(node);
    listener_start(node->public_listener);
    listener_start(node->admin_listener);
    return EX_OK;
}

static void close_doors(struct gateway *gateway)
{
    struct node *node = &gateway->node;

    gateway->drain = drain_free(gateway->drain);
    gateway->room_stats = room_stats_free(gateway->room_stats);
    gateway->housekeeping = housekeeping_free(gateway->housekeeping);
    listener_close(node->public_listener);
    listener_close(node->admin_listener);
    node->public_listener = node->admin_listener = NULL;
    handshakes_close(node);
    handover_close(node->handover);
    tls_free(node->tls);
    transport_close(node->transport);
}

static void close_back_ends(struct node *node)
{
    if (node->windows)
        windows_close(node->windows);
    node->screening_sweep = screening_sweep_free(node->screening_sweep);
    node->head_check = head_check_free(node->head_check);
    node->access = access_watch_free(node->access);
    node->own_sweep = own_sweep_free(node->own_sweep);
    node->room_watch = room_watch_free(node->room_watch);
    node->rule_watch = rule_watch_free(node->rule_watch);
    node->rule_ceiling = rule_ceiling_free(node->rule_ceiling);
    node->presence = presence_free(node->presence);
    if (node->hints)
        pg_conn_close(node->hints, NULL, NULL);
    if (node->writer)
        writer_close(node->writer, NULL, NULL);
    if (node->pool)
        pg_pool_close(node->pool, NULL, NULL);
    if (node->bus)
        bus_close(node->bus, NULL, NULL);
    node->worker = worker_free(node->worker);
}

static void free_parts(struct node *node)
{
    node->transport = transport_free(node->transport);
    node->handover = handover_free(node->handover);
    node->moderators = moderators_free(node->moderators);
    node->rooms = rooms_free(node->rooms);
    node->windows = windows_free(node->windows);
    node->users = users_free(node->users);
    handle_table_deinit(&node->exchanges);
    handle_table_deinit(&node->sessions);
    address_counts_deinit(&node->addresses);
    json_writer_deinit(&node->json);
    node->login = login_free(node->login);
    node->text_hasher = text_hasher_free(node->text_hasher);
    node->screener = screener_free(node->screener);
    node->rules = rule_set_unref(node->rules);
    node->request_rates = rate_table_free(node->request_rates);
    node->open_rates = rate_table_free(node->open_rates);
    node->message_rates = rate_table_free(node->message_rates);
    node->keys = jwt_keys_free(node->keys);
}

static void close_parts(struct gateway *gateway)
{
    struct node *node = &gateway->node;

    close_doors(gateway);
    uv_run(node->loop, UV_RUN_NOWAIT); /* connections end while their back ends still stand */
    close_back_ends(node);
    for (size_t i = 0; i < 3; i++)
        if (!uv_is_closing((uv_handle_t *)&gateway->signals[i]))
            uv_close((uv_handle_t *)&gateway->signals[i], NULL);
    gateway->lag = loop_lag_free(gateway->lag);
    uv_run(node->loop, UV_RUN_DEFAULT); /* the wheel's timer runs only while something is armed */
    free_parts(node);
    node->wheel = timer_wheel_free(node->wheel);
    uv_run(node->loop, UV_RUN_DEFAULT);
}

/* --- signals --- */

static void handle_drained(void *context)
{
    struct gateway *gateway = context;
    log_notice("drained");
    uv_stop(&gateway->loop);
}

/* The second signal does not wait. */
static void handle_stop(uv_signal_t *signal, int number)
{
    struct gateway *gateway = signal->data;
    (void)number;

    if (gateway->drain)
        uv_stop(&gateway->loop);
    else
        gateway->drain = drain_start(&gateway->node, handle_drained, gateway);
}

static void handle_changed(void *context, const char *name, bool applied)
{
    (void)context;
    if (applied)
        log_notice("setting changed", LOG_STR("setting", name));
    else
        log_warning("setting changed, but needs a restart", LOG_STR("setting", name));
}

/* False: the new certificate can't be used, and the old one stays. A node that had none speaks TLS
 * to connections from now on; one that loses its certificate would go back to plain text by a slip
 * of the pen, so that needs a restart. */
static bool reload_tls(struct node *node, const struct config *config)
{
    char error[TLS_ERROR_BYTES];

    if (!*config->listen.tls_certificate) {
        if (node->tls)
            log_warning("TLS goes on with the old certificate until a restart");
        return true;
    }
    if (!node->tls)
        return load_tls(node, config);
    if (!tls_reload(node->tls, config->listen.tls_certificate, config->listen.tls_key, error))
        return true;
    log_error("the new certificate can't be used", LOG_STR("error", error));
    return false;
}

static void set_bus_keys(struct node *node, const struct config *config)
{
    const char *key = config->redis.key, *previous = config->redis.key_previous;

    bus_set_keys(node->bus, key, strlen(key), *previous ? previous : NULL, strlen(previous));
}

/* False: something in it can't be used, and the old one stays. */
static bool put_in_force(struct node *node, struct config *config)
{
    struct jwt_keys *keys = load_keys(config);

    if (!keys)
        return false;
    if (!reload_tls(node, config)) {
        jwt_keys_free(keys);
        return false;
    }
    jwt_keys_free(node->keys);
    node->keys = keys;
    config_unref(node->config);
    node->config = config_ref(config);
    set_bus_keys(node, config);
    configure_rates(node);
    login_configure(node->login);
    log_set_level(log_level_parse(config->log.level));
    return true;
}

static void reload(struct gateway *gateway)
{
    struct config_errors errors = CONFIG_ERRORS_INIT;
    struct config *config =
        config_reload(gateway->node.config, gateway->sources, &errors, handle_changed, NULL);

    for (size_t i = 0; i < errors.count; i++)
        log_error("configuration not reloaded", LOG_STR("error", errors.lines[i]));
    config_errors_deinit(&errors);
    bool ok = config && put_in_force(&gateway->node, config);
    config_unref(config);
    metrics_add_label(METRIC_CONFIG_RELOADS, ok ? LABEL_RESULT_OK : LABEL_RESULT_FAILED, 1);
    if (ok)
        log_notice("configuration reloaded");
}

static void handle_reload(uv_signal_t *signal, int number)
{
    (void)number;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_now_us());
    reload(signal->data);
    sd_notify(0, "READY=1");
}

static void watch_signals(struct gateway *gateway)
{
    static const struct {
        int number;
        uv_signal_cb handle;
    } table[] = {{SIGTERM, handle_stop}, {SIGINT, handle_stop}, {SIGHUP, handle_reload}};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&gateway->loop, &gateway->signals[i]);
        gateway->signals[i].data = gateway;
        uv_signal_start(&gateway->signals[i], table[i].handle, table[i].number);
    }
}

/* --- run --- */

int gateway_run(const struct config_sources *sources, struct config *config)
{
    struct gateway *gateway = xcalloc(1, sizeof(*gateway));
    struct node *node = &gateway->node;

    uv_loop_init(&gateway->loop);
    gateway->sources = sources;
    node->loop = &gateway->loop;
    node->config = config_ref(config);
    gateway->lag = loop_lag_new(&gateway->loop);
    watch_signals(gateway);

    int status = open_parts(gateway);
    if (status == EX_OK) {
        log_notice("listening", LOG_STR("node", node->name),
                   LOG_INT("port", listener_port(node->public_listener)),
                   LOG_INT("admin_port", listener_port(node->admin_listener)),
                   LOG_BOOL("tls", node->tls != NULL));
        uv_run(&gateway->loop, UV_RUN_DEFAULT);
    }
    close_parts(gateway);
    uv_loop_close(&gateway->loop);
    config_unref(node->config);
    free(gateway);
    return status;
}
