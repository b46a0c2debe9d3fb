/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis of a test's own, to be killed, frozen and started again. */

#include "tests/store/redis_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    close(fd);
    return ntohs(address.sin_port);
}

void redis_server_init(struct redis_server *server, const char *password)
{
    *server = (struct redis_server){.password = password};
    snprintf(server->directory, sizeof(server->directory), "/tmp/chatgate-redis-XXXXXX");
    if (!mkdtemp(server->directory))
        abort();
    snprintf(server->socket, sizeof(server->socket), "%s/s", server->directory);
    server->port = free_port();
}

static void run_server(const struct redis_server *server)
{
    char port[12];

    snprintf(port, sizeof(port), "%d", server->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The name makes a server of redis-check-rdb too: they are one binary. */
    execl(getenv("CHATGATE_TEST_REDIS_SERVER"), "redis-server", "--port", port, "--bind",
          "127.0.0.1", "--unixsocket", server->socket, "--save", "", "--appendonly", "no",
          "--daemonize", "no", "--logfile", "/dev/null", "--dir", server->directory,
          "--enable-debug-command", "yes", server->password ? "--requirepass" : NULL,
          server->password, NULL);
    _exit(127);
}

static int answers(const struct redis_server *server)
{
    redisContext *redis = redisConnectUnix(server->socket);
    redisReply *reply = redis && !redis->err ? redisCommand(redis, "PING") : NULL;

    if (reply)
        freeReplyObject(reply);
    if (redis)
        redisFree(redis);
    return reply != NULL;
}

void redis_server_start(struct redis_server *server)
{
    assert(server->pid == 0);
    unlink(server->socket);
    server->pid = fork();
    if (server->pid == 0)
        run_server(server);
    for (int i = 0; i < 500 && !answers(server); i++)
        usleep(10 * 1000);
    assert(answers(server));
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void redis_server_deinit(struct redis_server *server)
{
    redis_server_kill(server);
    unlink(server->socket);
    rmdir(server->directory);
}
