# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages: which are missing, and their installation without waking any service.

# Prints the packages of the named lists (build, run, test) that are neither installed nor
# replaced by a command of another origin.
packages_missing() {
    local package command wanted=()
    while read -r package command; do
        [[ -z $package || $package == \#* ]] && continue
        [[ -n $command ]] && command -v "$command" >/dev/null && continue
        wanted+=("$package")
    done < <(cd "$root/deploy/packages" && cat "${@/%/.txt}")
    [[ ${#wanted[@]} -gt 0 ]] || return 0
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
            sed -n 's/^installed //p' | sort -u)
}

# Makes sure that all packages of the named lists are there, asking first.
packages_ensure() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say "This is no Debian: install what deploy/packages/*.txt names by your own means."
        return 0
    fi
    mapfile -t missing < <(packages_missing "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "Missing Debian packages: ${missing[*]}"
    if ! confirm "Install them with apt-get?"; then
        die 69 "not installed; do it with: apt-get install --no-install-recommends ${missing[*]}" \
            "(or say --yes)"
    fi
    packages_install "${missing[@]}"
}

# As root, or by sudo. The script is handed over whole, so that its clean-up runs as root too.
packages_install() {
    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || die 69 "installing packages takes root, and there is no sudo"
        as_root=(sudo)
    fi
    step "installing ${#} packages"
    "${as_root[@]}" bash "$root/deploy/lib/install-packages.sh" "$@" >&2 ||
        die 69 "apt-get failed; its messages are above"
}
