# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What deploy/dev prints: where to go and what to paste, and the same as JSON for scripts.

# Of all users of sql/demo.sql. It is no secret: nothing here listens beyond this machine.
demo_password=demo

# Fills users[role] with "id email", room with the demo pair's room.
demo_read() {
    local role id email
    declare -gA users=()
    while IFS='|' read -r role id email; do
        users[$role]="$id $email"
    done < <(database_psql -c "SELECT DISTINCT ON (role) role, id, email FROM users
        WHERE email LIKE '%@example.test' AND deleted_at IS NULL ORDER BY role, created_at, id")
    room=$(database_psql -c "SELECT r.id FROM chat_rooms r
        WHERE r.teacher_id = '${users[teacher]% *}' AND r.student_id = '${users[student]% *}'")
}

demo_token() {
    "$chatgate" token mint --config "$state/node1.ini" --user "${users[$1]% *}" --ttl 86400
}

new_uuid() {
    cat /proc/sys/kernel/random/uuid
}

ws_url() {
    echo "ws://127.0.0.1:$(node_setting "$1" port)$ws_path"
}

http_url() {
    echo "http://127.0.0.1:$(node_setting "$1" port)"
}

hello_line() {
    echo '{"t":"hello","id":1}'
}

send_line() {
    printf '{"t":"send","id":2,"room":"%s","cid":"%s","text":"%s"}\n' "$room" "$(new_uuid)" "$1"
}

# print_up NODES: everything that a person needs next.
print_up() {
    local teacher student moderator other=$(($1 > 1 ? 2 : 1))
    demo_read
    teacher=$(demo_token teacher)
    student=$(demo_token student)
    moderator=$(demo_token moderator)
    cat <<END

The chat page:   $(http_url 1)/
Sign in as       ${users[teacher]#* } or ${users[student]#* };
password         $demo_password

Tokens for a day:
teacher          $teacher
student          $student
moderator        $moderator

The teacher, on node 1 (websocat, or wscat below it; then paste the two lines of JSON):
websocat -H='Authorization: Bearer $teacher' --protocol chatgate.v1 $(ws_url 1)
wscat -s chatgate.v1 -H 'Authorization: Bearer $teacher' -c $(ws_url 1)
$(hello_line)
$(send_line "Hello from the teacher")

The student, on node $other, in another terminal:
websocat -H='Authorization: Bearer $student' --protocol chatgate.v1 $(ws_url "$other")
wscat -s chatgate.v1 -H 'Authorization: Bearer $student' -c $(ws_url "$other")
$(hello_line)
$(send_line "Hello from the student")

The same by REST:
curl -H 'Authorization: Bearer $student' -w '\n' $(http_url "$other")/api/chats
curl -H 'Authorization: Bearer $teacher' -w '\n' -H 'Content-Type: application/json' -H 'Idempotency-Key: $(new_uuid)' -d '{"text":"Hello by REST"}' $(http_url 1)/api/chats/$room/messages

The queue, as the moderator sees it: connect as above with the moderator's token, then
$(hello_line)
{"t":"queue.watch","id":2,"limit":50}

Program:         $chatgate doctor -c $state/node1.ini
Database:        psql '$(database_url)'
Redis:           redis-cli -s '$services/sockets/redis'
Metrics:         curl http://127.0.0.1:$(node_setting 1 admin_port)/metrics
Next:            deploy/dev status, logs, down
END
}

# running PID_FUNCTION
running() {
    "$1" >/dev/null && echo running || echo stopped
}

status_text() {
    local n pid
    echo "postgres  $(postgres_pid >/dev/null && echo "running, $(database_url)" || echo stopped)"
    echo "redis     $(redis_pid >/dev/null && echo "running, unix:$services/sockets/redis" || echo stopped)"
    for n in $(nodes_known); do
        if pid=$(node_pid "$n"); then
            echo "node$n     running, pid $pid, $(ws_url "$n"), $(node_health "$n")"
        else
            echo "node$n     stopped"
        fi
    done
}

node_health() {
    if curl -fs -o /dev/null --max-time 2 "http://127.0.0.1:$(node_setting "$1" admin_port)/readyz"; then
        echo ready
    else
        echo "not ready"
    fi
}

# The values are of our own making and need no escaping, but for paths.
json_escape() {
    local text=${1//\\/\\\\}
    printf '%s' "${text//\"/\\\"}"
}

status_json() {
    local n pid health role comma=''
    printf '{"nodes":['
    for n in $(nodes_known); do
        pid=$(node_pid "$n") || continue
        health=$(node_health "$n")
        printf '%s{"name":"node%s","ws_url":"%s","http_url":"%s","admin_url":"%s","pid":%s,"ready":%s}' \
            "$comma" "$n" "$(ws_url "$n")" "$(http_url "$n")" \
            "http://127.0.0.1:$(node_setting "$n" admin_port)" "$pid" \
            "$([[ $health == ready ]] && echo true || echo false)"
        comma=,
    done
    printf '],"users":['
    if postgres_pid >/dev/null && [[ -n $comma ]]; then
        demo_read
        comma=''
        for role in teacher student moderator admin; do
            printf '%s{"id":"%s","email":"%s","password":"%s","role":"%s","token":"%s"}' "$comma" \
                "${users[$role]% *}" "${users[$role]#* }" "$demo_password" "$role" \
                "$(demo_token "$role")"
            comma=,
        done
    fi
    printf '],"state":{"postgres":"%s","redis":"%s"}' "$(running postgres_pid)" "$(running redis_pid)"
    printf ',"database_url":"%s","redis_url":"unix:%s"}\n' "$(json_escape "$(database_url)")" \
        "$(json_escape "$services/sockets/redis")"
}
