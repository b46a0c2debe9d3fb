/* SPDX-License-Identifier: Apache-2.0 */
/* Where to connect to: a conninfo whose host names are looked up off the loop.
 *
 * PQconnectStart() is asynchronous in all but one thing: it calls getaddrinfo() for host names. So
 * we look them up ourselves and hand libpq each address as `hostaddr` beside its `host`, which it
 * still needs for TLS and .pgpass. A name with several addresses becomes several entries, which
 * libpq tries in turn, as it does with a list of hosts in the conninfo:
 *
 *     host=db,10.0.0.7 port=5432  ->  host=db,db,10.0.0.7 hostaddr=10.0.0.5,fd00::5, port=5432,...
 *
 * Each time the list begins with the next of the hosts. Names that don't resolve are left out. If
 * none does, that's the error. Where the conninfo has hostaddr, or a connection service file
 * (service=, PGSERVICE), names and their order are libpq's own affair.
 */

#include "gateway/pg_target.h"

#include "gateway/resolve.h"
#include "protocol/xalloc.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host {
    char *name;
    char *port;
    bool lookup; /* the name is neither a path nor an address */
};

struct pg_target {
    uv_loop_t *loop;
    const char *conninfo, *application_name;
    struct host *hosts;
    size_t count;

    /* The comma-separated lists for libpq; empty lists = as the conninfo says. */
    char *names, *addresses, *ports;
    size_t entries;

    size_t turn; /* the host that comes first */
    size_t next; /* how many were looked at, from there on */
    struct resolve *resolve;
    pg_target_fn done;
    void *context;
    char error[200];
};

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && *options->val ? options->val : NULL;
    return NULL;
}

static bool needs_lookup(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return *host != '\0' && *host != '/' && *host != '@' &&
           inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1 &&
           !strchr(host, '%'); /* an address with a scope */
}

/* Splits "a,b" and "1,2" into hosts; a single port is everyone's. */
static void split_hosts(struct pg_target *target, const char *names, const char *ports)
{
    bool common = !strchr(ports, ',');

    for (;;) {
        size_t name = strcspn(names, ","), port = strcspn(ports, ",");

        target->hosts = xreallocarray(target->hosts, target->count + 1, sizeof(*target->hosts));
        struct host *host = &target->hosts[target->count++];
        host->name = xmemdup(names, name);
        host->port = xmemdup(ports, port);
        host->lookup = needs_lookup(host->name);
        if (names[name] == '\0')
            return;
        names += name + 1;
        if (!common)
            ports += port + (ports[port] == ',');
    }
}

static bool any_lookup(const struct pg_target *target)
{
    for (size_t i = 0; i < target->count; i++)
        if (target->hosts[i].lookup)
            return true;
    return false;
}

static void read_hosts(struct pg_target *target)
{
    PQconninfoOption *given = PQconninfoParse(target->conninfo, NULL);
    PQconninfoOption *defaults = PQconndefaults();
    const char *names = option(given, "host"), *ports = option(given, "port");

    if (!names)
        names = option(defaults, "host");
    if (!ports)
        ports = option(defaults, "port");
    if (names && !option(given, "hostaddr") && !option(defaults, "hostaddr") &&
        !option(given, "service"))
        split_hosts(target, names, ports ? ports : "");
    PQconninfoFree(given);
    PQconninfoFree(defaults);
}

struct pg_target *pg_target_new(uv_loop_t *loop, const char *conninfo, const char *application_name)
{
    struct pg_target *target = xcalloc(1, sizeof(*target));

    target->loop = loop;
    target->turn = SIZE_MAX; /* the first try begins with the first */
    target->conninfo = conninfo;
    target->application_name = application_name;
    read_hosts(target);
    return target;
}

static void forget_entries(struct pg_target *target)
{
    free(target->names);
    free(target->addresses);
    free(target->ports);
    target->names = target->addresses = target->ports = NULL;
    target->entries = 0;
}

struct pg_target *pg_target_free(struct pg_target *target)
{
    if (!target)
        return NULL;
    pg_target_cancel(target);
    forget_entries(target);
    for (size_t i = 0; i < target->count; i++) {
        free(target->hosts[i].name);
        free(target->hosts[i].port);
    }
    free(target->hosts);
    free(target);
    return NULL;
}

static void append(char **list, bool first, const char *item)
{
    size_t length = *list ? strlen(*list) : 0;
    size_t room = length + strlen(item) + 2;

    *list = xrealloc(*list, room);
    snprintf(*list + length, room - length, "%s%s", first ? "" : ",", item);
}

static void add_entry(struct pg_target *target, const struct host *host, const char *address)
{
    bool first = target->entries++ == 0;

    append(&target->names, first, host->name);
    append(&target->addresses, first, address);
    append(&target->ports, first, host->port);
}

static void handle_addresses(void *context, int error, const struct addrinfo *addresses);

static const struct host *next_host(const struct pg_target *target)
{
    return &target->hosts[(target->turn + target->next) % target->count];
}

/* Adds hosts up to the next name. 0: all are done; 1: a lookup is under way. */
static int look_up_next(struct pg_target *target)
{
    for (; target->next < target->count; target->next++) {
        const struct host *host = next_host(target);

        if (!host->lookup) {
            add_entry(target, host, "");
            continue;
        }
        target->resolve = resolve_start(target->loop, host->name, NULL, handle_addresses, target);
        if (target->resolve)
            return 1;
    }
    return 0;
}

static void handle_addresses(void *context, int error, const struct addrinfo *addresses)
{
    struct pg_target *target = context;
    const struct host *host = next_host(target);
    char text[NI_MAXHOST];

    target->next++;
    target->resolve = NULL;
    if (error)
        snprintf(target->error, sizeof(target->error), "%s: %s", host->name, uv_strerror(error));
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) ==
            0)
            add_entry(target, host, text);
    if (look_up_next(target) == 0)
        target->done(target->context, target->entries > 0 ? NULL : target->error);
}

int pg_target_resolve(struct pg_target *target, pg_target_fn done, void *context)
{
    if (target->count < 2 && !any_lookup(target))
        return 0; /* the conninfo is good as it is */
    pg_target_cancel(target);
    forget_entries(target);
    target->next = 0;
    target->turn++;
    target->done = done;
    target->context = context;
    snprintf(target->error, sizeof(target->error), "no host to connect to");
    return look_up_next(target);
}

void pg_target_cancel(struct pg_target *target)
{
    resolve_cancel(target->resolve);
    target->resolve = NULL;
}

PGconn *pg_target_connect(const struct pg_target *target)
{
    /* What stands before dbname can be overridden by the conninfo, what stands after can't. GSS is
     * off since libpq would wait for the Kerberos server on the loop. */
    const char *keywords[] = {
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "target_session_attrs",
        "gssencmode",
        "dbname",
        "fallback_application_name",
        "client_encoding",
        target->entries > 0 ? "host" : NULL,
        "hostaddr",
        "port",
        NULL,
    };
    const char *values[] = {
        "5",
        "2",
        "3",
        "10000",
        "read-write",
        "disable",
        target->conninfo,
        target->application_name,
        "UTF8",
        target->names,
        target->addresses,
        target->ports,
        NULL,
    };

    return PQconnectStartParams(keywords, values, 1);
}
