# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What deploy/dev and tests/run share: words to the person, questions, where things are.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
state=$(realpath -m "${CHATGATE_STATE:-$root/.chatgate}")

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' red='' plain=''
fi

# What is going on, to standard error: standard output is for what was asked for.
say() {
    printf '%s\n' "$*" >&2
}

step() {
    printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2
}

# die STATUS MESSAGE: statuses are sysexits' (64 usage, 69 a dependency is missing, 70 a bug).
die() {
    local status=$1
    shift
    printf '%s%s:%s %s\n' "$red" "${0##*/}" "$plain" "$*" >&2
    exit "$status"
}

# Asks on the terminal; with --yes answers itself, without a terminal declines.
confirm() {
    local answer
    [[ ${assume_yes:-no} == yes ]] && return 0
    [[ -t 0 ]] || return 1
    read -r -p "$1 [Y/n] " answer
    [[ -z $answer || $answer == [yY]* ]]
}
