# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What can be seen without building. Each function prints what is wrong and fails; lint_checks
# names them.

lint_checks=(shell format layers licence leftovers python javascript migrations)

# Our files, as git knows them or would take them; the rest is built or fetched.
files() {
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
        while IFS= read -r file; do [[ -f $file ]] && echo "$file"; done
}

shell_scripts() {
    files | while IFS= read -r file; do
        # Libraries are checked where a script sources them, with -a.
        [[ -x $file ]] && head -n 1 "$file" | grep -qE '^#!.*\b(ba)?sh\b' && echo "$file"
    done
    return 0
}

lint_shell() {
    local scripts
    mapfile -t scripts < <(shell_scripts)
    shellcheck -x -a "${scripts[@]}"
}

lint_format() {
    local sources
    mapfile -t sources < <(files '*.c' '*.h')
    clang-format --dry-run -Werror "${sources[@]}" 2>"$logs/format.txt" && return 0
    echo "$logs/format.txt tells the places; clang-format -i mends them:"
    sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: error.*/\1/p' "$logs/format.txt" | sort | uniq -c
    return 1
}

# protocol <- moderation <- gateway: nothing looks up, and only the gateway does I/O.
lint_layers() {
    local wrong=0
    ! grep -nE '#include "(moderation|gateway|sql|tests)/' protocol/*.[ch] || wrong=1
    ! grep -nE '#include "(gateway|sql|tests)/' moderation/*.[ch] || wrong=1
    ! grep -nE '#include <(libwebsockets|libpq-fe|hiredis|uv|sys/socket)' \
        protocol/*.[ch] moderation/*.[ch] || wrong=1
    return "$wrong"
}

lint_licence() {
    local file wrong=0
    while IFS= read -r file; do
        head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' && continue
        echo "$file has no SPDX line"
        wrong=1
    done < <(files '*.c' '*.h' '*.sh' '*.py' '*.js' '*.mjs' 'sql/migrations/*.sql' '*meson.build')
    return "$wrong"
}

lint_leftovers() {
    ! files '*.c' '*.h' '*.sh' '*.py' '*.js' '*.mjs' '*.sql' '*.css' '*.html' |
        grep -v '^tests/lib/lint\.sh$' | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b'
}

lint_python() {
    local sources
    mapfile -t sources < <(files '*.py')
    PYTHONPYCACHEPREFIX=$(mktemp -d) "$python" -m py_compile "${sources[@]}"
}

lint_javascript() {
    local file wrong=0
    while IFS= read -r file; do
        node --check "$file" || wrong=1
    done < <(files '*.js' '*.mjs')
    return "$wrong"
}

# squawk knows which DDL locks a busy table, rewrites it, or can't be run again. Each finding is
# mended, or excused with a reason.
lint_migrations() {
    local excuses=tests/sql/squawk-excuses found file rule line wrong=0
    squawk_ensure || return
    found=$(squawk --pg-version 15 --reporter gcc sql/migrations/*.sql |
        sed -nE 's|^sql/migrations/([^:]+):([0-9]+):[0-9]+: [a-z]+: ([^ ]+).*|\1 \3 \2|p')
    while read -r file rule line; do
        grep -qE "^($file|\*) $rule ." "$excuses" && continue
        echo "sql/migrations/$file:$line: $rule, and no excuse for it in $excuses"
        wrong=1
    done <<<"$found"
    while read -r file rule _; do
        grep -qE "^${file/\*/[^ ]+} $rule " <<<"$found" && continue
        echo "$excuses: $file $rule excuses nothing"
        wrong=1
    done < <(grep -v '^#' "$excuses" | grep .)
    return "$wrong"
}
