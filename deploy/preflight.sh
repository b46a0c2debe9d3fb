#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Is this machine fit for a deploy, or was the deploy good? See --help.
set -uo pipefail

usage() {
    cat <<'END'
preflight.sh [OPTION]...: run before a deploy and after it

  --before         the new program is not started yet: migrations that are missing and units that
                   are not active are told, but are no failure
  --backfill       make missing rooms without asking
  --config FILE    the nodes' configuration (/etc/chatgate/chatgate.ini)
  --chatgate FILE  the program (chatgate, from the PATH)
  --admin URL      where a node shows its health, instead of those of the active units; may be
                   given again for each node
  --no-units       there is no systemd here
  --help           this text

Looks at the database, the ledger of migrations, triggers and functions, missing rooms, Redis and
the rest of `chatgate doctor` (rights, keys, clock, certificate), the units, the health of each
node. Stops at the first failure with status 1 and says what to do about it. 0: all is well, 64: the
command line is wrong. Secrets come from the configuration, the environment, or as systemd hands
them over: /etc/chatgate/credentials is read where CREDENTIALS_DIRECTORY is not set.
END
}

before=no pending=no backfill=no units=yes config=/etc/chatgate/chatgate.ini chatgate=chatgate admin=()
alias_unit=thebot-backend.service

wrong_usage() {
    printf '%s: %s\nSee --help.\n' "${0##*/}" "$1" >&2
    exit 64
}

read_options() {
    while (($# > 0)); do
        case $1 in
        --before) before=yes ;;
        --backfill) backfill=yes ;;
        --no-units) units=no ;;
        --config | --chatgate | --admin)
            (($# > 1)) || wrong_usage "$1: what?"
            case $1 in
            --config) config=$2 ;;
            --chatgate) chatgate=$2 ;;
            --admin) admin+=("${2%/}") ;;
            esac
            shift
            ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) wrong_usage "unknown option $1" ;;
        esac
        shift
    done
}

set_colours() {
    if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
        red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
    else
        red='' green='' yellow='' plain=''
    fi
}

ok() { printf '%sok%s    %s\n' "$green" "$plain" "$*"; }

note() { printf '%sNOTE%s  %s\n' "$yellow" "$plain" "$*"; }

indent() { sed 's/^/      /'; }

# stop WHAT ADVICE: the first failure is the last thing that is said.
stop() {
    printf '%sFAIL%s  %s\n      -> %s\n' "$red" "$plain" "$1" "$2"
    exit 1
}

program() {
    "$chatgate" "$@" --config "$config" 2>&1
}

check_program() {
    local version said
    version=$("$chatgate" version 2>&1) || stop "no program: $chatgate" \
        "install chatgate, or name it by --chatgate"
    ok "program: ${version%%$'\n'*}"
    [[ -r $config ]] || stop "configuration: $config cannot be read" \
        "run this as root, or name the file by --config"
    if ! said=$(program check-config); then
        indent <<<"$said"
        stop "configuration: a node would refuse it" "correct $config; see chatgate.ini(5)"
    fi
    ok "configuration: $config"
}

# The ledger needs the database, so both are told from one call.
check_ledger() {
    local said status
    said=$(program migrate status)
    status=$?
    case $status in
    0) ok "database and ledger: all migrations are applied" ;;
    69)
        indent <<<"$said"
        stop "database: it cannot be reached" \
            "see that Postgres runs, and that database.url and pg_hba.conf let this machine in"
        ;;
    78)
        indent <<<"$said"
        [[ $before == yes && $said == *pending* && $said != *" changed "* ]] ||
            stop "ledger: a node will not serve on this database" \
                "\`$chatgate migrate up --config $config\`, or install the program that fits"
        pending=$said
        note "ledger: migrations are missing; \`$chatgate migrate up\` comes next"
        ;;
    *)
        indent <<<"$said"
        stop "ledger: chatgate migrate status ended with $status" "see its words above"
        ;;
    esac
}

check_rooms() {
    local said status
    if grep -qE '^050_.* pending' <<<"$pending"; then
        note "triggers, functions, rooms: not looked at, migration 050 is missing"
        return
    fi
    said=$(program verify)
    status=$?
    if ((status == 0)); then
        ok "triggers, functions, rooms: healthy"
        return
    elif ((status != 1)); then
        indent <<<"$said"
        stop "rooms: chatgate verify ended with $status" "see its words above"
    fi
    grep -E '^  (FAIL|WARN)' <<<"$said" | indent
    if grep -qE '^  FAIL  (trigger|function) ' <<<"$said"; then
        stop "triggers and functions: bookings make no rooms" \
            "verify-chat-creation.sh --backfill puts them back, as the database's owner"
    elif ! grep -qE '^  FAIL  candidates:' <<<"$said"; then
        stop "rooms: the data needs a person" \
            "\`$chatgate verify --verbose\` shows the rows; see deploy/RUNBOOK.md"
    elif [[ ${offered:-no} == no ]]; then
        offered=yes
        offer_backfill
        check_rooms
    else
        stop "rooms: some are still missing" "\`$chatgate verify --verbose\` lists them"
    fi
}

offer_backfill() {
    local answer=n
    if [[ $backfill == no && -t 0 ]]; then
        read -r -p "Make the missing rooms now? [y/N] " answer
    fi
    [[ $backfill == yes || $answer == [yY]* ]] ||
        stop "rooms: some are missing" "\`$chatgate backfill --config $config\`, or --backfill"
    "$chatgate" backfill --config "$config" | indent
    ((PIPESTATUS[0] == 0)) || stop "rooms: the backfill failed" "see its words above; run it again"
}

# Redis, rights, keys, clock, the certificate and its days: the program knows how to look, and says
# what to do.
check_doctor() {
    local said status
    said=$(program doctor)
    status=$?
    grep -E '^(warn|FAIL|DOWN| +->)' <<<"$said" | indent
    if [[ $pending != no ]] && ! grep -E '^(FAIL|DOWN)' <<<"$said" | grep -qv '^FAIL  migrations '; then
        status=0
    fi
    ((status == 0)) || stop "what a node needs: see above" "do what the arrows say"
    ok "Redis, rights, keys, clock, certificate: a node can serve"
}

active_nodes() {
    systemctl list-units --state=active --plain --no-legend 'chatgate@*.service' |
        while read -r unit _; do echo "$unit"; done
}

check_units() {
    local unit failed
    [[ $units == yes ]] || return 0
    command -v systemctl >/dev/null || stop "units: no systemctl" "say --no-units"
    failed=$(systemctl list-units --state=failed --plain --no-legend 'chatgate*' | head -n 1)
    if [[ -n $failed && $before == no ]]; then
        stop "units: ${failed%% *} has failed" \
            "journalctl -u ${failed%% *} -p warning -n 50; then systemctl restart $alias_unit"
    fi
    if ! systemctl is-active -q "$alias_unit" || [[ -z $(active_nodes) ]]; then
        [[ $before == yes ]] || stop "units: $alias_unit is not active, or no node is" \
            "systemctl enable --now chatgate@1 $alias_unit"
        note "units: $alias_unit is not active, or no node is"
        return
    fi
    ok "units: $alias_unit is active"
    while read -r unit; do
        unit=${unit#chatgate@}
        admin+=("$(node_admin "${unit%.service}")")
    done < <(active_nodes)
}

# As chatgate@.service has it: 909N, unless the node's own file says otherwise.
node_admin() {
    local port=909$1
    if [[ -r /etc/chatgate/node-$1.env ]]; then
        port=$(sed -n 's/^CHATGATE_LISTEN_ADMIN_PORT=//p' "/etc/chatgate/node-$1.env" | tail -n 1)
    fi
    echo "http://127.0.0.1:${port:-909$1}"
}

check_nodes() {
    local url code
    for url in "${admin[@]}"; do
        code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url/readyz")
        case $code in
        200) ok "node $url: ready" ;;
        000) stop "node $url: nobody answers" "journalctl -t chatgate -p warning -n 50" ;;
        *)
            stop "node $url: not ready ($code)" \
                "it drains or has no database; curl $url/readyz, journalctl -t chatgate -n 50"
            ;;
        esac
    done
    ((${#admin[@]} > 0)) || note "no node was looked at"
}

read_options "$@"
set_colours
if [[ -z ${CREDENTIALS_DIRECTORY:-} && -r /etc/chatgate/credentials ]]; then
    export CREDENTIALS_DIRECTORY=/etc/chatgate/credentials
fi
check_program
check_ledger
check_rooms
check_doctor
check_units
check_nodes
printf '%s\n' "Fit."
