# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The private Postgres and Redis of deploy/dev: no TCP, only Unix sockets in a folder of 0700.
#
# They live in .chatgate/services, unless a socket's path would pass the kernel's 107 bytes, or we
# are root and the unprivileged user that Postgres insists on cannot reach the clone (/root/...):
# then in a folder under /var/tmp, whose name is kept in .chatgate/services.path.

socket_path_max=107
pg_bin=/usr/lib/postgresql/15/bin
redis_exe=/usr/bin/redis-check-rdb # redis-tools has the server too: the program looks at its name

# services_identity: sets $service_user and $as_service, as whom the services run: never root. Who
# owns their folder keeps it; for a new one, the user that the package of Postgres brought.
services_identity() {
    as_service=(env)
    service_user=$(id -un)
    [[ $EUID -eq 0 ]] || return 0
    if [[ -d $services && ! -O $services ]]; then
        service_user=$(stat -c %U "$services")
    else
        service_user=postgres
        getent passwd postgres >/dev/null || service_user=nobody
    fi
    as_service=(setpriv "--reuid=$service_user" "--regid=$(id -g "$service_user")" --clear-groups
        --reset-env --)
}

# Sets $services to the folder that is or would be theirs.
services_find() {
    services=$state/services
    [[ ! -r $state/services.path ]] || services=$(<"$state/services.path")
    services_identity
}

services_fit() {
    local longest=$1/sockets/.s.PGSQL.5432
    ((${#longest} <= socket_path_max)) && "${as_service[@]}" test -x "$state"
}

# Sets $services, making the folder if there is none yet.
services_place() {
    services_find
    [[ -d $services/sockets ]] && return 0
    services=$state/services
    rm -f "$state/services.path"
    if services_fit "$services"; then
        [[ -d $services ]] || mkdir -m 700 "$services"
    else
        services=$(mktemp -d /var/tmp/chatgate.XXXXXX)
        echo "$services" >"$state/services.path"
        say "Postgres and Redis keep their files in $services: $state is out of reach for" \
            "user $service_user, or too long for a socket's path"
    fi
    [[ $EUID -ne 0 ]] || chown "$service_user:" "$services"
    in_services mkdir sockets
}

# Commands of the services run in their folder: the caller's may be closed to their user.
in_services() {
    (cd "$services" && exec "${as_service[@]}" "$@") 9>&-
}

postgres_pid() {
    local pid
    pid=$(in_services head -n 1 data/postmaster.pid 2>/dev/null) || return 1
    process_runs "$pid" "$pg_bin/postgres" && echo "$pid"
}

redis_pid() {
    pidfile_pid "$services/redis.pid" "$redis_exe"
}

# The cluster's owner is the service user. The gateway's role, chatgate, owns its database and is
# no superuser; peer authentication lets the user who calls us, and nobody else, be that role.
postgres_create() {
    step "creating a Postgres cluster in $services"
    in_services rm -rf data.new
    in_services "$pg_bin/initdb" -A peer --no-sync --no-locale -E UTF8 -U "$service_user" -D data.new \
        >"$state/initdb.log" 2>&1 || die 70 "initdb failed: see $state/initdb.log"
    in_services tee data.new/pg_hba.conf >/dev/null <<'END'
local all chatgate peer map=gateway
local all all peer
END
    in_services tee data.new/pg_ident.conf >/dev/null <<END
gateway "$(id -un)" chatgate
END
    in_services tee -a data.new/postgresql.conf >/dev/null <<END
# deploy/dev
listen_addresses = ''
unix_socket_directories = '"${services//\'/\'\'}/sockets"'
max_connections = 200
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
END
    in_services mv data.new data
}

postgres_start() {
    postgres_pid >/dev/null && return 0
    in_services test -d data || postgres_create
    step "starting Postgres"
    in_services "$pg_bin/pg_ctl" start -D data -w -t 60 -s -l postgres.log ||
        die 69 "Postgres did not start: see $services/postgres.log"
}

# Role and database of the gateway; both calls are cheap when they are there.
postgres_database() {
    in_services psql -X -q -v ON_ERROR_STOP=1 -h "$services/sockets" -U "$service_user" postgres <<'END'
SELECT 'CREATE ROLE chatgate LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chatgate') \gexec
SELECT 'CREATE DATABASE chatgate OWNER chatgate'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'chatgate') \gexec
END
}

database_url() {
    local host=$services/sockets
    host=${host//%/%25}
    host=${host//\//%2F}
    host=${host// /%20}
    echo "postgresql://chatgate@/chatgate?host=$host"
}

database_psql() {
    PGOPTIONS='-c client_min_messages=warning' psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" "$(database_url)"
}

redis_start() {
    redis_pid >/dev/null && return 0
    step "starting Redis"
    in_services ln -sfn "$redis_exe" redis-server
    in_services tee redis.conf >/dev/null <<'END'
port 0
unixsocket sockets/redis
unixsocketperm 700
save ""
appendonly no
daemonize yes
pidfile redis.pid
logfile redis.log
END
    in_services ./redis-server ./redis.conf || die 69 "Redis did not start: see $services/redis.log"
    for _ in {1..50}; do
        redis-cli -s "$services/sockets/redis" ping >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    die 69 "Redis does not answer: see $services/redis.log"
}

postgres_stop() {
    postgres_pid >/dev/null || return 0
    in_services "$pg_bin/pg_ctl" stop -D data -m fast -w -s >&2
}

redis_stop() {
    local pid
    pid=$(redis_pid) || return 0
    process_stop "$pid" "$redis_exe" 5
}
