# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The gateway nodes of deploy/dev: build, configuration, start and stop. A node is a number;
# its configuration, with its ports, is .chatgate/nodeN.ini (0600, it holds the secrets).

build=$(realpath -m "$state/build")
chatgate=$build/gateway/chatgate
ws_path=/ws

nodes_build() {
    if [[ ! -f $build/build.ninja ]]; then
        step "configuring the build in $build"
        (cd "$root" && meson setup "$build") >"$state/build.log" 2>&1 || build_failed
    fi
    step "building"
    ninja -C "$build" >"$state/build.log" 2>&1 || build_failed
}

build_failed() {
    tail -n 40 "$state/build.log" >&2
    die 70 "the build failed: see $state/build.log"
}

# Sets $hs256_secret, $redis_key and $text_key, making them once.
nodes_secrets() {
    local name
    hs256_secret='' redis_key='' text_key=''
    if [[ ! -s $state/secrets ]]; then
        (
            umask 077
            for name in hs256_secret redis_key text_key; do
                echo "$name=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
            done >"$state/secrets.new"
        )
        mv "$state/secrets.new" "$state/secrets"
    fi
    # shellcheck source=/dev/null
    source "$state/secrets"
}

node_setting() {
    sed -n "s/^$2 = //p" "$state/node$1.ini" 2>/dev/null || true
}

node_pid() {
    pidfile_pid "$state/node$1.pid" "$chatgate"
}

# Prints the numbers of all nodes that ever had a configuration.
nodes_known() {
    local ini
    for ini in "$state"/node*.ini; do
        [[ ! $ini =~ node([0-9]+)\.ini$ ]] || echo "${BASH_REMATCH[1]}"
    done | sort -n
}

# nodes_ports COUNT: fills ports[N] and admin_ports[N]. A running node keeps its own; one that
# was stopped gets its old ones back where they are free.
nodes_ports() {
    local n old next=8080 next_admin=9090
    ports=() admin_ports=()
    for ((n = 1; n <= $1; n++)); do
        node_pid "$n" >/dev/null || continue
        ports[n]=$(node_setting "$n" port)
        admin_ports[n]=$(node_setting "$n" admin_port)
    done
    for ((n = 1; n <= $1; n++)); do
        [[ -z ${ports[n]:-} ]] || continue
        old=$(node_setting "$n" port)
        free_port "${old:-$next}" "${ports[@]}" "${admin_ports[@]}"
        ports[n]=$port next=$((port + 1))
        old=$(node_setting "$n" admin_port)
        free_port "${old:-$next_admin}" "${ports[@]}" "${admin_ports[@]}"
        admin_ports[n]=$port next_admin=$((port + 1))
    done
}

node_config() {
    local origins=() p
    for p in "${ports[@]}"; do
        origins+=("http://127.0.0.1:$p, http://localhost:$p")
    done
    cat <<END
; Written by deploy/dev up at every start; edit deploy/lib/nodes.sh instead.
[node]
name = node$1
[listen]
address = 127.0.0.1
port = ${ports[$1]}
admin_port = ${admin_ports[$1]}
[http]
allowed_origins = $(IFS=,; echo "${origins[*]}")
[database]
url = $(database_url)
[redis]
url = unix:$services/sockets/redis
key = $redis_key
[auth]
hs256_secret = $hs256_secret
token_ttl_s = 86400
[messages]
text_key = $text_key
[drain]
window_s = 1
END
}

# Starts node N, or restarts it where its program or its configuration changed.
node_start() {
    local n=$1 pid ini=$state/node$1.ini
    (umask 077 && node_config "$n" >"$ini.new")
    if pid=$(node_pid "$n"); then
        if cmp -s "$ini.new" "$ini" && ! process_outdated "$pid"; then
            rm "$ini.new"
            return 0
        fi
        step "restarting node$n: its program or configuration changed"
        process_stop "$pid" "$chatgate" 15
    else
        step "starting node$n on port ${ports[n]}"
    fi
    mv "$ini.new" "$ini"
    setsid "$chatgate" serve --config "$ini" </dev/null >>"$state/node$n.log" 2>&1 9>&- &
    echo $! >"$state/node$n.pid"
    started+=("$n")
}

# Waits until node N says that it is ready, which includes Postgres.
node_wait() {
    local n=$1 try url=http://127.0.0.1:${admin_ports[$1]}/readyz
    for try in {1..150}; do
        curl -fs -o /dev/null --max-time 2 "$url" && return 0
        # Just started, it may still be the shell that becomes it.
        ((try < 10)) || node_pid "$n" >/dev/null || break
        sleep 0.1
    done
    say "node$n is not ready; the end of $state/node$n.log:"
    tail -n 20 "$state/node$n.log" >&2
    die 69 "node$n did not become ready ($url)"
}

node_stop() {
    local pid
    pid=$(node_pid "$1") || return 0
    process_stop "$pid" "$chatgate" 15
    rm -f "$state/node$1.pid"
}

# Nodes that an earlier, larger --nodes left running.
nodes_stop_above() {
    local n
    for n in $(nodes_known); do
        ((n > $1)) || continue
        node_stop "$n"
        rm -f "$state/node$n.ini"
    done
}

nodes_migrate() {
    CHATGATE_DATABASE_URL=$(database_url) "$chatgate" migrate up >"$state/migrate.log" 2>&1 || {
        cat "$state/migrate.log" >&2
        die 70 "the migrations failed: see $state/migrate.log"
    }
}
