/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting.
 *
 * The program owns its listening sockets: systemd may hand them down, several processes of one
 * machine may share a port, and draining closes them while connections live on. When descriptors
 * run out, accepting pauses for a moment instead of spinning on a socket that stays readable; it
 * also does where TLS clients come faster than limits.handshakes_per_s.
 */
#include "gateway/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/address.h"
#include "gateway/clock.h"
#include "gateway/config.h"
#include "gateway/connection.h"
#include "gateway/handshake.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/timer_wheel.h"
#include "gateway/tls.h"
#include "protocol/xalloc.h"

enum {
    ACCEPTS_PER_TURN = 64, /* then other work gets its turn */
    PAUSE_MS = 200,
    /* The kernel swallows megabytes before we notice a stalled reader; this bounds it. */
    SEND_BUFFER_BYTES = 64 * 1024,
};

struct listener {
    struct node *node;
    int fd;
    bool admin;
    uv_poll_t poll;
    struct timer_entry pause;
};

/* --- the socket --- */

static int inherited_socket(bool admin)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(0, &names), fd = -ENOENT;

    for (int i = 0; i < count; i++) {
        if (!strcmp(names[i], admin ? "admin" : "public"))
            fd = SD_LISTEN_FDS_START + i;
        free(names[i]);
    }
    free(names);
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

static int bind_one(const struct addrinfo *address, int backlog)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1, no = 0;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (!bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, backlog))
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Whether some other program (not a sibling with the same user's SO_REUSEPORT) has the port is
 * found by bind() itself. */
static int bind_socket(const char *host, int port, int backlog)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    char service[8];

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(strcmp(host, "*") ? host : "::", service, &hints, &found))
        return -EADDRNOTAVAIL;
    int fd = bind_one(found, backlog);
    freeaddrinfo(found);
    if (fd == -EAFNOSUPPORT && !strcmp(host, "*"))
        return bind_socket("0.0.0.0", port, backlog);
    return fd;
}

int listener_port(const struct listener *listener)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof(name);

    if (getsockname(listener->fd, (struct sockaddr *)&name, &length))
        return 0;
    if (name.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&name)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
}

/* --- accepting --- */

static void handle_acceptable(uv_poll_t *poll, int status, int events);

static void handle_pause_end(struct timer_entry *entry)
{
    struct listener *listener = container_of(entry, struct listener, pause);
    uv_poll_start(&listener->poll, UV_READABLE, handle_acceptable);
}

static void pause_accepting(struct listener *listener, int64_t delay_ms)
{
    uv_poll_stop(&listener->poll);
    timer_wheel_arm(listener->node->wheel, &listener->pause, (uint64_t)delay_ms, handle_pause_end);
}

/* A client of our own TLS can't be refused in words before the costly part, the TLS handshake. So
 * it waits in the kernel's queue until there is a place for it. */
static bool paces(const struct listener *listener)
{
    return !listener->admin && listener->node->tls;
}

static int64_t place_wait_ms(const struct listener *listener)
{
    const struct node *node = listener->node;

    if (!paces(listener))
        return 0;
    return rate_limit_check(&node->admission.bucket, (int64_t)clock_now_ms(),
                            node->config->limits.handshakes_per_s,
                            node->config->limits.handshake_burst, 1);
}

static void take_place(struct listener *listener)
{
    struct node *node = listener->node;

    rate_limit_take(&node->admission.bucket, (int64_t)clock_now_ms(),
                    node->config->limits.handshakes_per_s, node->config->limits.handshake_burst, 1);
}

/* A peer is counted before it has said anything: silent ones fill a house too. Those over the limit
 * get as far as the handshake, where they are told, but only as many again. A proxy's clients are
 * counted when their heads are read. False: too many even for that. */
static bool count_peer(struct connection *connection)
{
    struct node *node = connection->node;
    const struct config *config = node->config;

    connection->proxied = address_in_list(&connection->address, config->http.trusted_proxies);
    if (connection->admin || connection->proxied)
        return true;
    size_t count = connection_enter_address(connection),
           limit = (size_t)config->limits.connections_per_ip;
    connection->surplus = count > limit;
    return count <= 2 * limit;
}

static void welcome(struct listener *listener, int fd)
{
    struct node *node = listener->node;
    int yes = 1, bytes = SEND_BUFFER_BYTES;

    if (!listener->admin && node->connection_count >= (size_t)node->config->limits.connections) {
        metrics_handshake_failed("limits.connections");
        close(fd); /* a full house: even a refusal would cost more than it is worth */
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    struct connection *connection = connection_new(node);
    connection->admin = listener->admin;
    address_of_peer(&connection->address, fd);
    if (!count_peer(connection)) {
        metrics_handshake_failed("connections_per_ip");
        connection_free(connection);
        close(fd);
        return;
    }
    if (paces(listener)) {
        take_place(listener);
        connection->tls = true;
        tls_accept(node->tls, connection, fd);
    } else {
        handshake_start(connection, fd);
    }
}

static void starve(struct listener *listener)
{
    log_limited(LOG_LEVEL_ERROR, "cannot accept connections; raise the limit of descriptors",
                LOG_ERRNO(errno));
    pause_accepting(listener, PAUSE_MS);
}

static void handle_acceptable(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)status;
    (void)events;

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int64_t wait_ms = place_wait_ms(listener);
        if (wait_ms) {
            metrics_add(METRIC_ADMISSION_PAUSES, 1);
            pause_accepting(listener, wait_ms);
            return;
        }
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(listener, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            return starve(listener);
        else if (errno == EAGAIN)
            return;
    }
}

/* --- life --- */

struct listener *listener_new(struct node *node, const char *address, int port, bool admin)
{
    int fd = inherited_socket(admin);
    if (fd < 0)
        fd = bind_socket(address, port, node->config->listen.backlog);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    listener->node = node;
    listener->fd = fd;
    listener->admin = admin;
    timer_entry_init(&listener->pause);
    uv_poll_init(node->loop, &listener->poll, fd);
    listener->poll.data = listener;
    return listener;
}

void listener_start(struct listener *listener)
{
    uv_poll_start(&listener->poll, UV_READABLE, handle_acceptable);
}

static void handle_poll_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    close(listener->fd);
    free(listener);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    timer_wheel_cancel(&listener->pause);
    uv_poll_stop(&listener->poll);
    uv_close((uv_handle_t *)&listener->poll, handle_poll_closed);
}
