#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Looks whether bookings make chat rooms, and repairs it. See --help.
#
# Each check is a query of sql/checks, run as it stands there; this script only says which of its
# rows are faults. Everything but the repair runs in read-only transactions. Needs bash and psql.
set -uo pipefail

usage() {
    cat <<'END'
verify-chat-creation.sh [OPTION]...: do bookings make chat rooms, and is any room missing?

  --check-only  look, change nothing (the default)
  --backfill    look, then repair: put back what migration 050 installs, make the missing rooms,
                look again
  --verbose     more detail: definitions, the bookings without a room, the rooms made today
  --remote      the database is on another machine: DB_HOST must be set, TLS is insisted on
                (PGSSLMODE=require, unless you set it)
  --json        the result as one JSON object on standard output
  --help        this text

  DB_HOST (localhost), DB_PORT (5432), DB_NAME, DB_USER (postgres), DB_PASSWORD
  say where the database is; libpq's variables (PGHOST, PGSERVICE, PGPASSFILE, ...) do as well.

Ends with 0 if all is well, 1 if not, 64 if the command line is wrong.

  DB_NAME=platform deploy/verify-chat-creation.sh --check-only
  DB_HOST=db.example.com DB_NAME=platform deploy/verify-chat-creation.sh --remote --backfill
END
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
backfill=no verbose=no remote=no json=no
faults=() warnings=() json_checks=() rooms_made='' repaired=no

wrong_usage() {
    printf '%s: %s\nSee --help.\n' "${0##*/}" "$1" >&2
    exit 64
}

read_options() {
    while (($# > 0)); do
        case $1 in
        --check-only) backfill=no ;;
        --backfill) backfill=yes ;;
        --verbose) verbose=yes ;;
        --remote) remote=yes ;;
        --json) json=yes ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) wrong_usage "unknown option $1" ;;
        esac
        shift
    done
}

# Finds sql/ in the clone, or what `meson install` put beside the program.
find_sql() {
    for sql in "$here/../sql" "$here/../share/chatgate/sql"; do
        [[ -d $sql/checks ]] && return
    done
    printf '%s: there is no sql/checks, neither in %s nor in %s\n' "${0##*/}" \
        "${here%/*}/sql" "${here%/*}/share/chatgate/sql" >&2
    exit 1
}

# Everything goes to psql by the environment, so that no password is ever an argument.
set_environment() {
    if [[ $remote == yes ]]; then
        [[ -n ${DB_HOST:-${PGHOST:-${PGSERVICE:-}}} ]] || wrong_usage "--remote: set DB_HOST"
        export PGSSLMODE=${PGSSLMODE:-require}
    fi
    if [[ -z ${PGSERVICE:-} ]]; then
        export PGHOST=${DB_HOST:-${PGHOST:-localhost}} PGPORT=${DB_PORT:-${PGPORT:-5432}}
        export PGUSER=${DB_USER:-${PGUSER:-postgres}} PGDATABASE=${DB_NAME:-${PGDATABASE:-}}
        [[ -n $PGDATABASE ]] || wrong_usage "set DB_NAME, the name of the database"
    fi
    [[ -z ${DB_PASSWORD:-} ]] || export PGPASSWORD=$DB_PASSWORD
    export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} PGAPPNAME=verify-chat-creation
    export PGCLIENTENCODING=UTF8
}

set_colours() {
    if [[ -t 1 && -z ${NO_COLOR:-} && $json == no ]]; then
        red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' bold=$'\e[1m' plain=$'\e[0m'
    else
        red='' green='' yellow='' bold='' plain=''
    fi
}

say() {
    [[ $json == yes ]] || printf '%s\n' "$*"
}

# line COLOUR WORD TEXT
line() {
    [[ $json == yes ]] || printf '  %s%-4s%s  %s\n' "$1" "$2" "$plain" "$3"
}

detail() {
    say "          $*"
}

ok() { line "$green" ok "$1${2:+: $2}"; }

warn() {
    warnings+=("$1: $2")
    line "$yellow" WARN "$1: $2"
}

fail() {
    faults+=("$1: $2")
    line "$red" FAIL "$1: $2"
}

run_psql() {
    psql -X -q -w -v ON_ERROR_STOP=1 "$@"
}

# ask QUERY: a single value, read-only.
ask() {
    PGOPTIONS="${PGOPTIONS:-} -c default_transaction_read_only=on" run_psql -At -c "$1"
}

# Runs sql/checks/NAME.sql into the array rows, a row an element, its columns parted by the unit
# separator; the last column is the whole row as JSON. Fails the check if Postgres refuses.
rows=()
run_check() {
    local name=$1 query output row
    query=$(<"$sql/checks/$name.sql")
    output=$(mktemp) || exit 1
    rows=()
    if ! PGOPTIONS="${PGOPTIONS:-} -c default_transaction_read_only=on" run_psql -At -0 -F $'\x1f' \
        -c "SELECT q.*, row_to_json(q) FROM (${query%;}) q" >"$output" 2>&1; then
        fail "$name" "$(head -n 1 "$output")"
        rm -f "$output"
        return 1
    fi
    mapfile -d '' -t rows <"$output"
    rm -f "$output"
    local objects=()
    for row in "${rows[@]}"; do
        objects+=("${row##*$'\x1f'}")
    done
    json_checks+=("\"$name\":[$(join , "${objects[@]}")]")
}

join() {
    local IFS=$1
    shift
    printf '%s' "$*"
}

# columns ROW: into the array column.
columns() {
    mapfile -d $'\x1f' -t column < <(printf '%s' "$1")
}

check_connection() {
    local answer
    if ! answer=$(ask "SELECT current_database() || ' as ' || current_user || ', PostgreSQL '
            || current_setting('server_version')" 2>&1); then
        fail connection "$(head -n 1 <<<"$answer")"
        return 1
    fi
    ok connection "$answer"
}

# Without the platform's tables nothing below could run.
check_tables() {
    local missing
    missing=$(ask "SELECT string_agg(t, ', ') FROM unnest('{users,lessons,bookings,chat_rooms,
        messages}'::text[]) t WHERE to_regclass('public.' || t) IS NULL" 2>&1)
    [[ $? -eq 0 && -z $missing ]] && return
    fail tables "missing: ${missing%%$'\n'*}; is this the platform's database?"
    return 1
}

# check_objects NAME KIND: triggers or functions, the faulty ones by name.
check_objects() {
    local row column good=0
    run_check "$1" || return
    for row in "${rows[@]}"; do
        columns "$row"
        if [[ ${column[1]} == t ]]; then
            good=$((good + 1))
            [[ $verbose == no ]] || detail "${column[0]}: ${column[3]}"
        else
            fail "$2 ${column[0]}" "${column[2]}"
        fi
    done
    ((good < ${#rows[@]})) || ok "$1" "all $good are in place"
}

check_statistics() {
    local row column
    run_check statistics || return
    ok statistics ''
    for row in "${rows[@]}"; do
        columns "$row"
        detail "${column[0]}: ${column[1]}"
    done
}

check_candidates() {
    local column row
    run_check candidates || return
    columns "${rows[0]}"
    if [[ ${column[1]} == 0 ]]; then
        ok candidates "no active booking lacks its room"
        return
    fi
    fail candidates "${column[1]} active bookings without a room (${column[2]} rooms to make)"
    columns "${rows[1]}"
    detail "of lessons that are over: ${column[1]} bookings, ${column[2]} rooms"
    [[ $verbose == no ]] || check_candidate_list
}

check_candidate_list() {
    local row column
    run_check candidate_list || return
    for row in "${rows[@]}"; do
        columns "$row"
        detail "booking ${column[0]}, teacher ${column[2]}, student ${column[3]}, ${column[4]}"
    done
}

check_duplicates() {
    local row column
    run_check duplicates || return
    ((${#rows[@]} > 0)) || ok duplicates "no pair has two rooms"
    for row in "${rows[@]}"; do
        columns "$row"
        fail duplicates "teacher ${column[0]}, student ${column[1]}: ${column[2]} rooms"
    done
}

check_members() {
    local row column
    run_check invalid_members || return
    ((${#rows[@]} > 0)) || ok invalid_members "each room has a teacher and a student"
    for row in "${rows[@]}"; do
        columns "$row"
        fail invalid_members "room ${column[0]}, ${column[1]} ${column[2]}: ${column[3]}"
    done
}

# A lesson that was deleted, or has no teacher yet, is the platform's business; one that never was
# is damage.
check_lessons() {
    local row column
    run_check bookings_without_lesson || return
    ((${#rows[@]} > 0)) || ok bookings_without_lesson "each active booking has a lesson"
    for row in "${rows[@]}"; do
        columns "$row"
        if [[ ${column[3]} == 'no such lesson' ]]; then
            fail bookings_without_lesson "booking ${column[0]}, lesson ${column[1]}: ${column[3]}"
        else
            warn bookings_without_lesson "booking ${column[0]}, lesson ${column[1]}: ${column[3]}"
        fi
    done
}

check_bookings() {
    local row column
    run_check last_bookings || return
    ok last_bookings "a room is made when one becomes active:"
    for row in "${rows[@]}"; do
        columns "$row"
        [[ ${column[4]} == f ]] || column[1]+=' (deleted)'
        detail "${column[2]}  ${column[0]}  ${column[1]}, ${column[8]:+room }${column[8]:-no room}"
    done
}

check_rooms_today() {
    local row column
    run_check rooms_today || return
    ok rooms_today "${#rows[@]} rooms made today (UTC)"
    [[ $verbose == yes ]] || return 0
    for row in "${rows[@]}"; do
        columns "$row"
        detail "${column[3]}  ${column[0]}"
    done
}

check_lag() {
    local column
    run_check room_lag || return
    columns "${rows[0]}"
    ok room_lag "of ${column[0]} rooms of lessons that are over, ${column[1]} came in time"
    detail "the others ${column[2]:-0} s late on average, ${column[3]:-0} s at most;" \
        "${column[4]} over an hour"
}

check_all() {
    faults=() warnings=() json_checks=()
    check_connection && check_tables || return
    check_objects triggers trigger
    check_objects functions function
    check_statistics
    check_candidates
    check_duplicates
    check_members
    check_lessons
    check_bookings
    check_rooms_today
    check_lag
}

objects_are_faulty() {
    printf '%s\n' "${faults[@]}" | grep -qE '^(trigger|function) '
}

# Migration 050 puts back what it installs. Whoever runs this, the functions stay with the role that
# owns the gateway's tables: as SECURITY DEFINER they have the rights of their owner.
hand_over="DO \$\$
DECLARE
    f regprocedure;
    keeper name := (SELECT relowner::regrole FROM pg_class
                    WHERE oid = 'public.chat_room_changes'::regclass);
BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND (proname IN ('create_chat_on_booking_active', 'create_chats_for_active_bookings',
                         'create_chats_for_completed_lessons') OR proname LIKE 'chatgate\\_%')
        AND proowner <> keeper::regrole
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO %I', f, keeper);
    END LOOP;
END \$\$"

repair_objects() {
    say "Putting back the triggers and functions (migration 050) ..."
    run_psql -f "$sql/migrations/050_chat_on_booking.sql" -c "$hand_over" >&2 || return
    repaired=yes
}

# Shows the backfill's notices as a bar on a terminal, and a line each 5 s elsewhere.
show_progress() {
    local text shown=$SECONDS open=no
    while IFS= read -r text; do
        if [[ ! $text =~ chat\ backfill:\ ([0-9]+)\ of\ ([0-9]+) ]]; then
            [[ $open == no ]] || printf '\n'
            printf '%s\n' "$text"
            open=no
        elif [[ -t 2 ]]; then
            draw_bar "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
            open=yes
        elif ((SECONDS - shown >= 5)); then
            printf 'rooms: %s of %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
            shown=$SECONDS
        fi
    done >&2
    [[ $open == no ]] || printf '\n' >&2
}

draw_bar() {
    local filled=$(($1 * 40 / $2)) bar
    printf -v bar '%*s' "$filled" ''
    printf '\r[%-40s] %s of %s rooms' "${bar// /#}" "$1" "$2"
}

# The number of rooms comes from the log of changes: what was really made, whoever else made some.
make_rooms() {
    local before
    before=$(ask "SELECT coalesce(max(id), 0) FROM public.chat_room_changes") || return
    if objects_are_faulty; then
        repair_objects || return
    fi
    say "Making the missing rooms ..."
    run_psql -c "CALL public.chatgate_backfill_rooms()" 2>&1 | show_progress || return
    rooms_made=$(ask "SELECT count(*) FROM public.chat_room_changes WHERE id > $before
        AND way = 'backfill' AND change IN ('created', 'revived')") || return
    say "Rooms made: $rooms_made"
    take_census
}

# For the gateway's metrics, where it is installed (migration 080).
take_census() {
    local there
    there=$(ask "SELECT to_regprocedure('public.chatgate_take_census(bigint)') IS NOT NULL") || return
    [[ $there != t ]] || run_psql -qAt -c "SELECT public.chatgate_take_census($rooms_made)" >/dev/null
}

repair() {
    say ''
    if [[ $(ask "SELECT to_regclass('public.chat_room_changes') IS NOT NULL") != t ]]; then
        fail backfill "migration 050 was never applied: run \`chatgate migrate up\`"
    elif make_rooms; then
        say ''
        check_all
    else
        fail backfill "it stopped; what was made is kept, run it again"
    fi
}

json_string() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\t'/ }
    printf '"%s"' "${text//$'\n'/ }"
}

json_list() {
    local items=() text
    for text in "$@"; do
        items+=("$(json_string "$text")")
    done
    printf '[%s]' "$(join , "${items[@]}")"
}

print_json() {
    local healthy=true
    ((${#faults[@]} == 0)) || healthy=false
    printf '{"healthy":%s,"faults":%s,"warnings":%s,"rooms_made":%s,"repaired":%s,"checks":{%s}}\n' \
        "$healthy" "$(json_list "${faults[@]}")" "$(json_list "${warnings[@]}")" \
        "${rooms_made:-null}" "$([[ $repaired == yes ]] && echo true || echo false)" \
        "$(join , "${json_checks[@]}")"
}

print_verdict() {
    local text
    say ''
    if ((${#faults[@]} == 0)); then
        say "${bold}Healthy.${plain}"
        return
    fi
    say "${bold}Not healthy${plain}, faults: ${#faults[@]}"
    for text in "${faults[@]}"; do
        say "  $text"
    done
    if [[ $backfill == no ]] && printf '%s\n' "${faults[@]}" |
        grep -qE '^(trigger|function|candidates)\b'; then
        say "Repair triggers, functions and missing rooms with: ${0##*/} --backfill"
    fi
}

read_options "$@"
if ! command -v psql >/dev/null; then
    printf '%s: psql is missing; Debian has it in postgresql-client\n' "${0##*/}" >&2
    exit 1
fi
find_sql
set_environment
set_colours
check_all
if [[ $backfill == yes && ${faults[0]:-} != @(connection|tables):* ]]; then
    repair
fi
[[ $json == no ]] || print_json
print_verdict
((${#faults[@]} == 0))
