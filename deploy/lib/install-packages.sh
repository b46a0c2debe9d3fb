#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install-packages.sh PACKAGE...: apt-get install, as root, that starts no service and makes no
# Postgres cluster. Both switches are files that exist for the time of the installation only.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/chatgate-install.conf
made=()

clean_up() {
    [[ ${#made[@]} -eq 0 ]] || rm -f -- "${made[@]}"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Somebody's own policy stays in force; without one, ours says "forbidden" (101) to every start.
if [[ ! -e $policy ]]; then
    made+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
made+=("$cluster")
mkdir -p "${cluster%/*}"
echo 'create_main_cluster = false' >"$cluster"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
# The lists on the machine may be old or empty: only then is it worth asking for new ones.
"${apt[@]}" install --no-install-recommends "$@" </dev/null || {
    "${apt[@]}" update </dev/null
    "${apt[@]}" install --no-install-recommends "$@" </dev/null
}
