# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Processes that we started: a pid is believed only if it still runs the program it should, since
# the kernel gives old pids to new processes.

# process_runs PID EXECUTABLE: a rebuilt executable counts, as the old file of the same name.
process_runs() {
    local exe
    [[ $1 =~ ^[0-9]+$ ]] || return 1
    exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
    [[ ${exe% (deleted)} == "$2" ]]
}

# process_outdated PID: whether its executable was replaced on disk since it started.
process_outdated() {
    [[ $(readlink "/proc/$1/exe" 2>/dev/null) == *' (deleted)' ]]
}

# pidfile_pid FILE EXECUTABLE: prints the pid if it is ours and alive; else fails.
pidfile_pid() {
    local pid
    [[ -r $1 ]] && read -r pid <"$1" && process_runs "$pid" "$2" && echo "$pid"
}

# process_stop PID EXECUTABLE SECONDS: asks it to end, waits, and only then insists.
process_stop() {
    local pid=$1 exe=$2 tenths=$(($3 * 10))
    kill -TERM "$pid" 2>/dev/null || return 0
    while process_runs "$pid" "$exe"; do
        if ((tenths-- <= 0)); then
            say "process $pid did not end in $3 s: killed"
            kill -KILL "$pid" 2>/dev/null || true
            return 0
        fi
        sleep 0.1
    done
}

# Prints who listens on a TCP port, as "name (pid N)"; fails if nobody does.
port_owner() {
    local line
    line=$(ss -Hltnp "sport = :$1" | head -n 1)
    [[ -n $line ]] || return 1
    if [[ $line =~ \(\(\"([^\"]*)\",pid=([0-9]+) ]]; then
        echo "${BASH_REMATCH[1]} (pid ${BASH_REMATCH[2]})"
    else
        echo "another user's process"
    fi
}

# free_port FIRST [TAKEN...]: sets $port to the first port from FIRST on that nobody has.
free_port() {
    local owner first=$1 taken=" ${*:2} "
    for ((port = first; port < first + 200; port++)); do
        [[ $taken == *" $port "* ]] && continue
        owner=$(port_owner "$port") || return 0
        say "port $port is in use by $owner: taking the next"
    done
    die 69 "no free port between $first and $((first + 199))"
}
