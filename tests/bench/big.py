# SPDX-License-Identifier: Apache-2.0
"""Scenarios of a database that has been in use for years: answers must not depend on its size."""

import http.client
import json
import random
import time

from stage import Stage

PEOPLE = 1000  # of either role; each teacher has a room with each student
LONG_ROOM = 1_000_000
PENDING = 100_000
PAGE = 50

# Rows as the gateway writes them. Replica: no triggers and foreign keys, which would take longer
# than all the rest.
SEED = """
SET session_replication_role = replica;
INSERT INTO users (id, email, first_name, last_name, role)
SELECT gen_random_uuid(), role || n || '@big.example', initcap(role), 'Big', role
FROM generate_series(1, {people}) n, unnest('{{teacher,student}}'::text[]) role;
INSERT INTO chat_rooms (id, teacher_id, student_id, head)
SELECT gen_random_uuid(), t.id, s.id, 0
FROM (SELECT id FROM users WHERE role = 'teacher' AND last_name = 'Big') t,
     (SELECT id FROM users WHERE role = 'student' AND last_name = 'Big') s;
CREATE TEMP TABLE picked AS SELECT * FROM chat_rooms TABLESAMPLE SYSTEM (1) LIMIT 1000;
CREATE TEMP TABLE long AS SELECT * FROM picked LIMIT 1;
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, moderation_completed_at,
                      created_at, cid, text_hash, seq)
SELECT gen_random_uuid(), r.id, CASE n % 2 WHEN 0 THEN teacher_id ELSE student_id END,
       repeat('word ', 20), 'delivered', t, t, gen_random_uuid(), '\\x00', n
FROM long r, generate_series(1, {length}) n,
     LATERAL (SELECT now() AT TIME ZONE 'utc' - interval '1 year' + n * interval '10 s' AS t) at;
UPDATE chat_rooms SET head = {length} FROM long WHERE chat_rooms.id = long.id;
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, created_at, cid, text_hash)
SELECT gen_random_uuid(), r.id, r.student_id, repeat('word ', 20), 'pending_moderation',
       now() AT TIME ZONE 'utc' - (n * 1000 + {pending} / 1000 - i) * interval '1 s',
       gen_random_uuid(), '\\x00'
FROM (SELECT *, row_number() OVER () AS n FROM picked) r, generate_series(1, {pending} / 1000) i;
INSERT INTO moderation_cases (message_id, room_id, sender_id, opened_at, reason, detail)
SELECT id, chat_room_id, sender_id, created_at AT TIME ZONE 'utc', 'contact.phone',
       '{{"rules": ["phone"], "spans": [[0, 4]]}}'
FROM messages WHERE status = 'pending_moderation';
RESET session_replication_role;
"""


def big_stage(settings):
    stage = Stage(1, settings.config)
    stage.db.execute(SEED.format(people=PEOPLE, length=LONG_ROOM, pending=PENDING))
    stage.query("VACUUM ANALYZE")
    stage.settle()
    return stage


class Caller:
    """One user's REST calls over one connection, one after the other."""

    def __init__(self, stage, user):
        self.connection = http.client.HTTPConnection("127.0.0.1", stage.nodes[0].port, timeout=20)
        self.headers = {
            "Authorization": f"Bearer {stage.token(str(user), ttl_s=86400)}",
            "Content-Type": "application/json",
        }
        self.times_ms = []

    def call(self, method, path, body=None):
        begin = time.perf_counter()
        self.connection.request(method, path, body and json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.times_ms.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]}")
        return json.loads(data)


def row(what, times_ms):
    times_ms.sort()
    p50, p99 = (times_ms[int(len(times_ms) * share)] for share in (0.5, 0.99))
    return {"what": what, "calls": len(times_ms), "p50 ms": f"{p50:.2f}", "p99 ms": f"{p99:.2f}",
            "max ms": f"{times_ms[-1]:.2f}"}


def history_rows(stage, calls):
    ((room, teacher),) = stage.query(
        "SELECT id, teacher_id FROM chat_rooms WHERE head = %s", LONG_ROOM)
    for what, low, high in (("the end", LONG_ROOM, LONG_ROOM + 1), ("anywhere", 100, LONG_ROOM),
                            ("the beginning", PAGE + 1, PAGE + 2)):
        caller = Caller(stage, teacher)
        for _ in range(calls):
            page = caller.call("GET", f"/api/chats/{room}/messages?limit={PAGE}"
                                      f"&before={random.randrange(low, high)}")
            assert len(page["messages"]) == PAGE
        yield row(f"history of {LONG_ROOM}: {what}", caller.times_ms)


def open_rows(stage, calls):
    """Each by a user of its own, who was not heard of before."""
    teachers = [row[0] for row in stage.query(
        "SELECT id FROM users WHERE role = 'teacher' AND last_name = 'Big' ORDER BY random() LIMIT %s", calls)]
    students = [row[0] for row in stage.query(
        "SELECT id FROM users WHERE role = 'student' AND last_name = 'Big' ORDER BY random() LIMIT %s", calls)]
    newcomers = stage.add_users("student", calls)
    stage.query("INSERT INTO lessons (teacher_id, student_id, start_time)"
                " SELECT t, s, now() AT TIME ZONE 'utc'"
                " FROM unnest(%s::uuid[], %s::uuid[]) AS lesson (t, s)", teachers, newcomers)
    for name, others in (("existing", students), ("new", newcomers)):
        times_ms = []
        for teacher, other in zip(teachers, others):
            caller = Caller(stage, teacher)
            caller.connection.connect()
            caller.call("POST", "/api/chats/get-or-create", {"other_user_id": str(other)})
            caller.connection.close()
            times_ms += caller.times_ms
        yield row(f"get-or-create: {name}", times_ms)


def queue_rows(stage, calls):
    (moderator,) = stage.add_users("moderator", 1)
    caller = Caller(stage, moderator)
    cursor = None
    for _ in range(calls):
        page = caller.call("GET", "/api/moderation/queue?limit=100"
                           + (f"&cursor={cursor}" if cursor else ""))
        assert len(page["cases"]) == 100
        cursor = page.get("cursor")
        if not cursor:
            break
    yield row(f"queue of {PENDING}: pages of 100", caller.times_ms)


def pages(settings):
    """Requests one at a time, over REST: pages of a room of 1,000,000 messages, get-or-create among
    1,000,000 rooms, pages of a queue of 100,000."""
    stage = big_stage(settings)
    try:
        calls = settings.clients or 500
        for rows in (history_rows, open_rows, queue_rows):
            yield from rows(stage, calls)
    finally:
        stage.destroy()


def start(settings):
    """From exec to ready with 1,000,000 rooms in the database."""
    stage = big_stage(settings)
    try:
        (node,) = stage.nodes
        for number in range(settings.repeat):
            node.stop()
            begin = time.perf_counter()
            node.start()
            yield {"run": number + 1, "ready after s": f"{time.perf_counter() - begin:.2f}"}
    finally:
        stage.destroy()
