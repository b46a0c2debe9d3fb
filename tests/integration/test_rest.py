# SPDX-License-Identifier: Apache-2.0
"""REST: the same services as the socket's, with the same errors."""

import json

import pytest

import people
from client import new_uuid
from rest import rest

MISSING = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
def call(cluster):
    """call(user, method, path, body, node=0): as that user; None = without a token."""

    async def call(user, method, path, body=None, node=0, **headers):
        token = cluster.token(user) if user else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await rest(cluster.nodes[node], method, path, body, token, named)

    return call


async def test_get_or_create(cluster, call, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    people.add_lesson(cluster, teacher, student)
    made = await call(teacher, "POST", "/api/chats/get-or-create", {"other_user_id": student.id})
    assert made.status in (200, 201)
    assert made.json["id"] == made.json["room"] == people.room_of(cluster, teacher, student)
    assert made.json["peer"]["id"] == student.id
    again = await call(student, "POST", "/api/chats/get-or-create", {"other_user_id": teacher.id}, node=1)
    assert again.status == 200 and again.json["id"] == made.json["id"]


async def test_get_or_create_is_never_a_500(call, make_user):
    teacher, student = make_user("teacher"), make_user("student")

    async def refused(other):
        answer = await call(teacher, "POST", "/api/chats/get-or-create", {"other_user_id": other})
        return answer.status, answer.error["code"], answer.error.get("reason")

    assert await refused(student.id) == (403, "forbidden", "no_lesson")
    assert await refused(make_user("teacher").id) == (403, "forbidden", "wrong_role")
    assert (await refused(teacher.id))[0] == 422
    assert (await refused(MISSING))[0] == 404
    for wrong in (None, 5, "x", [], {"a": 1}):
        assert (await refused(wrong))[:2] == (400, "bad_request")


async def test_list_send_history_read(cluster, call, connect, pair):
    student = await connect(pair.student, node=1)
    cid = new_uuid()
    path = f"/api/chats/{pair.room}"
    sent = await call(
        pair.teacher, "POST", f"{path}/messages", {"text": "by REST"}, Idempotency_Key=cid
    )
    assert sent.status in (200, 201)
    assert (sent.json["status"], sent.json["seq"], sent.json["cid"]) == ("delivered", 1, cid)
    assert (await student.expect("message", seq=1))["text"] == "by REST"
    again = await call(
        pair.teacher, "POST", f"{path}/messages", {"text": "by REST"}, node=1, Idempotency_Key=cid
    )
    assert again.status == 200 and again.json["dup"] is True and again.json["mid"] == sent.json["mid"]
    chats = await call(pair.student, "GET", "/api/chats")
    (room,) = chats.json["rooms"]
    assert (room["id"], room["unread"], room["last_message"]["text"]) == (pair.room, 1, "by REST")
    history = await call(pair.student, "GET", f"{path}/messages?after=0&limit=10")
    assert [item["text"] for item in history.json["messages"]] == ["by REST"]
    read = await call(pair.student, "POST", f"{path}/read", {"seq": 1})
    assert read.status == 200 and read.json["seq"] == 1
    chats = await call(pair.student, "GET", "/api/chats?limit=1")
    assert chats.json["rooms"][0]["unread"] == 0


async def test_send_conflict_and_missing_key(call, pair):
    path = f"/api/chats/{pair.room}/messages"
    cid = new_uuid()
    await call(pair.teacher, "POST", path, {"text": "one"}, Idempotency_Key=cid)
    conflict = await call(pair.teacher, "POST", path, {"text": "two"}, Idempotency_Key=cid)
    assert (conflict.status, conflict.error["code"]) == (409, "cid_conflict")
    missing = await call(pair.teacher, "POST", path, {"text": "x"})
    assert missing.status == 400
    wrong = await call(pair.teacher, "POST", path, {"text": "x"}, Idempotency_Key="no-uuid")
    assert wrong.status == 400


async def test_held_text_answers_with_the_reason(call, pair):
    answer = await call(
        pair.teacher, "POST", f"/api/chats/{pair.room}/messages",
        {"text": "Call me: +7 912 345-67-89"}, Idempotency_Key=new_uuid(),
    )
    assert answer.status in (200, 201, 202)
    assert answer.json["status"] in ("blocked", "pending_moderation") and answer.json["reason"]
    history = await call(pair.student, "GET", f"/api/chats/{pair.room}/messages")
    assert history.json["messages"] == []


PATHS = [
    ("GET", "/api/chats", None),
    ("POST", "/api/chats/get-or-create", {"other_user_id": MISSING}),
    ("GET", f"/api/chats/{MISSING}/messages", None),
    ("POST", f"/api/chats/{MISSING}/messages", {"text": "x"}),
    ("POST", f"/api/chats/{MISSING}/read", {"seq": 1}),
    ("GET", "/api/moderation/queue", None),
    ("POST", f"/api/moderation/messages/{MISSING}/verdict", {"verdict": "deliver"}),
    ("POST", "/api/auth/refresh", {}),
]


@pytest.mark.parametrize("method, path, body", PATHS)
async def test_every_path_wants_a_token(call, method, path, body):
    answer = await call(None, method, path, body, Idempotency_Key=MISSING)
    assert (answer.status, answer.error["code"]) == (401, "unauthorized")
    assert "bearer" in answer.headers["www-authenticate"].lower()


async def test_expired_token_says_so(cluster, pair):
    answer = await rest(
        cluster.nodes[0], "GET", "/api/chats", token=cluster.token(pair.teacher, ttl_s=-60)
    )
    assert (answer.status, answer.error["code"]) == (401, "token_expired")


@pytest.mark.parametrize("method, path, body", PATHS[2:5])
async def test_rooms_that_are_not_ones_own_are_404(call, make_pair, method, path, body):
    pair, others = make_pair(), make_pair()
    for room in (MISSING, others.room):
        answer = await call(
            pair.teacher, method, path.replace(MISSING, room), body, Idempotency_Key=new_uuid()
        )
        assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/api/chats/x/messages", "/api/chats//messages", "/api/chats/%00/messages",
     "/api/chats/..%2f..%2fetc/messages", "/api/nothing", "/api", "/API/CHATS"],
)
async def test_paths_that_are_not_there_are_404(call, pair, path):
    assert (await call(pair.teacher, "GET", path)).status in (400, 404)


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("DELETE", "/api/chats", "GET"),
        ("GET", "/api/chats/get-or-create", "POST"),
        ("PUT", f"/api/chats/{MISSING}/messages", "GET"),
        ("GET", f"/api/chats/{MISSING}/read", "POST"),
        ("GET", "/api/auth/login", "POST"),
        ("POST", "/openapi.json", "GET"),
        ("POST", "/", "GET"),
    ],
)
async def test_wrong_method_is_405_with_allow(call, pair, method, path, allowed):
    answer = await call(pair.teacher, method, path)
    assert answer.status == 405 and allowed in answer.headers["allow"]


BODIES = {
    "empty": "",
    "no JSON": "seq=1",
    "list": "[1]",
    "duplicate": '{"seq":1,"seq":2}',
    "deep": '{"seq":' + "[" * 40 + "]" * 40 + "}",
    "fraction": '{"seq":1.0}',
    "huge": '{"seq":99999999999999999999}',
    "negative": '{"seq":-1}',
    "missing": "{}",
    "trailing": '{"seq":1} x',
    "bad UTF-8": b'{"seq":"\xff"}',
    "BOM": '\ufeff{"seq":1}'.encode(),
}


@pytest.mark.parametrize("case", BODIES)
async def test_bad_bodies_are_400(call, pair, case):
    answer = await call(pair.teacher, "POST", f"/api/chats/{pair.room}/read", BODIES[case])
    assert (answer.status, answer.error["code"]) == (400, "bad_request")


async def test_other_content_types_are_415(call, pair):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
        answer = await call(
            pair.teacher, "POST", f"/api/chats/{pair.room}/read", '{"seq":0}', Content_Type=kind
        )
        assert answer.status == 415, kind
    answer = await call(
        pair.teacher, "POST", f"/api/chats/{pair.room}/read", '{"seq":0}',
        Content_Type="application/json; charset=utf-8",
    )
    assert answer.status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "before=1&after=1", "before=x", "after=1.5"])
async def test_bad_queries_are_400(call, pair, query):
    answer = await call(pair.teacher, "GET", f"/api/chats/{pair.room}/messages?{query}")
    assert (answer.status, answer.error["code"]) == (400, "bad_request")


async def test_absurd_limits_are_cut(call, pair):
    answer = await call(pair.teacher, "GET", f"/api/chats/{pair.room}/messages?limit=999999999")
    assert answer.status == 200


async def test_token_in_the_query_is_refused(cluster, pair):
    token = cluster.token(pair.teacher)
    for name in ("token", "access_token"):
        answer = await rest(cluster.nodes[0], "GET", f"/api/chats?{name}={token}")
        assert answer.status in (400, 401)


async def test_request_id_is_echoed(call, pair):
    answer = await call(pair.teacher, "GET", "/api/chats", X_Request_Id="abc-123")
    assert answer.headers["x-request-id"] == "abc-123"
    assert (await call(pair.teacher, "GET", "/api/chats")).headers["x-request-id"]


async def test_answers_are_not_cached_or_sniffed(call, pair):
    answer = await call(pair.teacher, "GET", "/api/chats")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_documents_are_served(cluster):
    for path, key in [("/openapi.json", "openapi"), ("/asyncapi.json", "asyncapi")]:
        answer = await rest(cluster.nodes[0], "GET", path)
        assert answer.status == 200 and key in answer.json


async def test_the_chat_page_has_a_strict_policy(cluster):
    answer = await rest(cluster.nodes[0], "GET", "/")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy


async def test_keep_alive_serves_many_requests(cluster, pair):
    import asyncio
    import http.client

    def talk():
        connection = http.client.HTTPConnection("127.0.0.1", cluster.nodes[0].port, timeout=10)
        headers = {"Authorization": f"Bearer {cluster.token(pair.teacher)}"}
        statuses = []
        for _ in range(5):
            connection.request("GET", "/api/chats", headers=headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses

    assert await asyncio.to_thread(talk) == [200] * 5


# Moderation over REST.


async def test_queue_is_for_moderators(call, pair, moderator):
    for path, method, body in [
        ("/api/moderation/queue", "GET", None),
        (f"/api/moderation/messages/{MISSING}/verdict", "POST", {"verdict": "deliver"}),
    ]:
        answer = await call(pair.teacher, method, path, body)
        assert (answer.status, answer.error["code"]) == (403, "forbidden")
    answer = await call(
        moderator, "POST", f"/api/moderation/messages/{MISSING}/verdict", {"verdict": "deliver"}
    )
    assert answer.status == 404


async def test_verdict_delivers_and_the_second_loses(cluster, call, connect, pair, moderator):
    student = await connect(pair.student, node=1)
    (row,) = cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text) VALUES (%s, %s, 'ты дурак')"
        " RETURNING id::text",
        pair.room, pair.teacher.id,
    )
    seen, path = [], "/api/moderation/queue?limit=100"
    page = (await call(moderator, "GET", path)).json
    while True:
        seen += [case["mid"] for case in page["cases"]]
        if not page.get("cursor"):
            break
        page = (await call(moderator, "GET", f"{path}&cursor={page['cursor']}")).json
    assert row[0] in seen
    verdict = f"/api/moderation/messages/{row[0]}/verdict"
    won = await call(moderator, "POST", verdict, {"verdict": "deliver", "note": "fine"})
    assert (won.status, won.json["status"], won.json["seq"]) == (200, "delivered", 1)
    assert (await student.expect("message", seq=1))["text"] == "ты дурак"
    lost = await call(moderator, "POST", verdict, {"verdict": "block"}, node=1)
    assert (lost.status, lost.error["code"]) == (409, "already_decided")
    wrong = await call(moderator, "POST", verdict, {"verdict": "perhaps"})
    assert wrong.status == 400
    assert "дурак" not in json.dumps(lost.json, ensure_ascii=False)
