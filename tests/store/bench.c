/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the Postgres pipeline and the bus are, each driven as hard as it takes, in one process.
 */

#include "gateway/bus.h"
#include "gateway/clock.h"
#include "gateway/pg_params.h"
#include "gateway/pg_pool.h"
#include "sql/embedded.h"
#include "tests/store/loop.h"
#include "tests/store/redis_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUN_MS = 2000, WAIT_MS = 10000, PAYLOAD_BYTES = 200 };

static const char key[] = "a key of the bus, for benches";

struct bench {
    uv_loop_t loop;
    int up, done, received, confirmed, closed;
    struct pg_pool *pool;
    struct bus *sender, *receiver;
    bool over;
};

static const struct sql_statement echo = {"echo", "SELECT $1::int8", 1};

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void handle_state(void *context, bool up, const char *reason)
{
    struct bench *bench = context;

    bench->up += up;
}

static void handle_closed(void *context)
{
    struct bench *bench = context;

    bench->closed++;
}

static void send_query(struct bench *bench, pg_done_fn done)
{
    struct pg_params params = PG_PARAMS_INIT;

    pg_params_int8(&params, bench->done);
    pg_pool_query(bench->pool, &echo, &params, done, bench);
}

static void handle_reply(void *context, const struct pg_reply *reply)
{
    struct bench *bench = context;

    if (reply->outcome == PG_OK)
        bench->done++;
    if (!bench->over)
        send_query(bench, handle_reply);
}

static void bench_pool(size_t size, int concurrency)
{
    struct bench bench = {0};
    struct pg_conn_options options = {
        .conninfo = getenv("CHATGATE_TEST_DATABASE_URL"),
        .context = &bench,
        .on_state = handle_state,
    };
    double cpu, count;

    uv_loop_init(&bench.loop);
    bench.pool = pg_pool_new(&bench.loop, &options, size);
    loop_wait(&bench.loop, &bench.up, (int)size, WAIT_MS);
    for (int i = 0; i < concurrency; i++)
        send_query(&bench, handle_reply);
    loop_sleep(&bench.loop, 200);
    cpu = cpu_seconds();
    count = bench.done;
    loop_sleep(&bench.loop, RUN_MS);
    count = bench.done - count;
    cpu = cpu_seconds() - cpu;
    bench.over = true;
    printf("pg: %zu connections, %3d at once: %7.0f queries/s, %5.2f us CPU of ours each\n", size,
           concurrency, count * 1000 / RUN_MS, cpu * 1e6 / count);
    pg_pool_close(bench.pool, handle_closed, &bench);
    loop_wait(&bench.loop, &bench.closed, 1, WAIT_MS);
    uv_loop_close(&bench.loop);
}

static void publish_some(struct bench *bench, int count)
{
    static const char payload[PAYLOAD_BYTES];
    const struct bus_header header = {.kind = 'm', .number = 1};

    for (int i = 0; i < count; i++)
        bus_publish(bench->sender, "u:0", &header, payload, sizeof(payload));
}

static void handle_message(void *context, const char *channel, const struct bus_header *header,
                           const char *payload, size_t n)
{
    struct bench *bench = context;

    bench->received++;
    if (!bench->over)
        publish_some(bench, 1);
}

static void handle_confirmed(void *context, bool ok)
{
    struct bench *bench = context;

    bench->confirmed += ok;
}

static struct bus *open_bus(struct bench *bench, const char *url)
{
    struct bus_options options = {
        .url = url,
        .node_name = "bench",
        .key = key,
        .key_bytes = sizeof(key),
        .context = bench,
        .on_message = handle_message,
        .on_state = handle_state,
    };
    const char *error;

    return bus_new(&bench->loop, &options, &error);
}

static void subscribe_many(struct bench *bench, int count)
{
    uint64_t start_ms = clock_now_ms();
    char channel[60];

    for (int i = 0; i < count; i++) {
        snprintf(channel, sizeof(channel), "u:%d", i);
        bus_subscribe(bench->receiver, channel, handle_confirmed, bench);
    }
    loop_wait(&bench->loop, &bench->confirmed, count, WAIT_MS);
    printf("bus: %d subscriptions confirmed in %.2f s\n", bench->confirmed,
           (double)(clock_now_ms() - start_ms) / 1000);
}

static void bench_bus(void)
{
    struct bench bench = {0};
    struct redis_server server;
    char url[120];
    double cpu, count;

    uv_loop_init(&bench.loop);
    redis_server_init(&server, NULL);
    redis_server_start(&server);
    snprintf(url, sizeof(url), "unix:%s", server.socket);
    bench.sender = open_bus(&bench, url);
    bench.receiver = open_bus(&bench, url);
    loop_wait(&bench.loop, &bench.up, 2, WAIT_MS);
    subscribe_many(&bench, 100000);
    publish_some(&bench, 2000);
    cpu = cpu_seconds();
    count = bench.received;
    loop_sleep(&bench.loop, RUN_MS);
    count = bench.received - count;
    cpu = cpu_seconds() - cpu;
    bench.over = true;
    printf("bus: %7.0f frames of %d bytes/s signed, published, received and checked, "
           "%.2f us CPU of ours each\n",
           count * 1000 / RUN_MS, PAYLOAD_BYTES, cpu * 1e6 / count);
    bus_close(bench.sender, handle_closed, &bench);
    bus_close(bench.receiver, handle_closed, &bench);
    loop_wait(&bench.loop, &bench.closed, 2, WAIT_MS);
    uv_loop_close(&bench.loop);
    redis_server_deinit(&server);
}

static void bench_frames(void)
{
    enum { COUNT = 200000 };
    struct bus_signer *signer = bus_signer_new(key, sizeof(key), NULL, 0);
    const struct bus_header header = {.kind = 'm', .number = 1};
    static const char payload[PAYLOAD_BYTES];
    unsigned char frame[BUS_FRAME_HEADER_BYTES];
    double start = cpu_seconds();

    for (int i = 0; i < COUNT; i++)
        bus_frame_encode(signer, "u:0", &header, payload, sizeof(payload), frame);
    printf("bus: %.2f us to sign a frame of %d bytes\n", (cpu_seconds() - start) * 1e6 / COUNT,
           PAYLOAD_BYTES);
    bus_signer_free(signer);
}

int main(void)
{
    if (!getenv("CHATGATE_TEST_DATABASE_URL") || !getenv("CHATGATE_TEST_REDIS_SERVER")) {
        fputs("skipped: no servers, see tests/store/run\n", stderr);
        return 77;
    }
    bench_pool(1, 1);
    bench_pool(1, 64);
    bench_pool(2, 128);
    bench_pool(4, 256);
    bench_frames();
    bench_bus();
    return 0;
}
