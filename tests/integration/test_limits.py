# SPDX-License-Identifier: Apache-2.0
"""Limits: what a client may cost, and what it hears when it costs more."""

import asyncio
import json
import time

import pytest

import people
from client import Client, Closed, Refused, new_uuid
from raw import Raw
from texts import prose
from rest import rest


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(
        nodes=2,
        limits={
            "messages_per_s": 5,
            "message_burst": 10,
            "connections_per_user": 3,
            "connections_per_ip": 60,
            "requests_per_s": 50,
            "opens_per_minute": 5,
            "outbound_bytes": 65536,
        },
        auth={"hello_timeout_ms": 700},
        heartbeat={"ping_s": 1, "pong_timeout_s": 1},
    )


async def test_welcome_tells_the_limits(connect, pair):
    limits = (await connect(pair.teacher)).welcome["limits"]
    assert limits["messages_per_s"] == 5 and limits["message_burst"] == 10
    assert limits["frame_bytes"] == 65536 and limits["text_code_points"] == 4000


async def test_message_flood_is_rate_limited(connect, pair):
    teacher = await connect(pair.teacher)
    outcomes = await asyncio.gather(
        *(teacher.begin("send", room=pair.room, cid=new_uuid(), text=f"{n}") for n in range(16)),
        return_exceptions=True,
    )
    good = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert 10 <= len(good) <= 12
    for refusal in refused:
        assert refusal.code == "rate_limited" and 0 < refusal.retry_after_ms <= 5000
    await asyncio.sleep(max(refusal.retry_after_ms for refusal in refused) / 1000 + 0.1)
    assert (await teacher.send(pair.room, "later"))["status"] == "delivered"


async def test_the_limit_is_a_users_over_all_nodes(connect, pair):
    """A node hears of the other's messages when they are committed, and counts them."""
    devices = [await connect(pair.teacher), await connect(pair.teacher, node=1)]
    for n in range(10):
        await devices[0].send(pair.room, f"{n}")
    await devices[1].expect("message", seq=10)
    outcomes = await asyncio.gather(
        *(
            devices[1].begin("send", room=pair.room, cid=new_uuid(), text=f"more {n}")
            for n in range(10)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, dict) for outcome in outcomes) <= 4


async def test_going_on_after_rate_limited_is_4005(connect, pair):
    teacher = await connect(pair.teacher)
    text = json.dumps({"t": "send", "room": pair.room, "cid": new_uuid(), "text": "x"})
    for n in range(2, 3000):
        try:
            await teacher.send_text(text.replace("{", '{"id":%d,' % n, 1))
        except Exception:
            break
    assert await teacher.closed() == 4005


async def test_request_flood_is_rate_limited(connect, pair):
    teacher = await connect(pair.teacher)
    outcomes = await asyncio.gather(
        *(teacher.begin("rooms") for _ in range(120)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert refused and all(refusal.code == "rate_limited" for refusal in refused)


async def test_opens_are_limited(cluster, connect, make_user):
    teacher = make_user("teacher")
    students = [make_user("student") for _ in range(8)]
    for student in students:
        people.add_lesson(cluster, teacher, student)
    client = await connect(teacher)
    outcomes = []
    for student in students:
        try:
            outcomes.append(await client.request("open", **{"with": student.id}))
        except Refused as refusal:
            outcomes.append(refusal.code)
    assert "rate_limited" in outcomes and 5 <= sum(isinstance(o, dict) for o in outcomes) <= 6


async def test_connections_of_a_user_are_limited(cluster, connect, pair):
    devices = [await connect(pair.teacher) for _ in range(3)]
    with pytest.raises(Closed) as closed:
        await connect(pair.teacher)
    assert closed.value.code == 4503
    assert all(device.is_open for device in devices)
    await devices[0].close()
    await asyncio.sleep(0.1)
    await connect(pair.teacher)


async def test_connections_of_an_address_are_limited(cluster):
    """Whatever gets no answer or 429 or 503, the node answers others as soon as there is room."""
    sockets = [await Raw.connect(cluster.nodes[1]) for _ in range(80)]
    served = 0
    for socket in sockets:
        await socket.write(f"GET /api/chats HTTP/1.1\r\nHost: 127.0.0.1:{cluster.nodes[1].port}\r\n\r\n")
        response = await socket.response()
        served += response is not None and response.status == 401
    assert 1 <= served <= 80
    for socket in sockets:
        await socket.close()
    await asyncio.sleep(0.3)
    assert (await rest(cluster.nodes[1], "GET", "/api/chats")).status == 401


async def test_more_silent_connections_than_an_address_may_have(cluster):
    sockets = []
    refused = 0
    for _ in range(70):
        socket = await Raw.connect(cluster.nodes[1])
        await socket.write(socket.upgrade_request())
        response = await socket.response()
        refused += response is None or response.status in (429, 503)
        sockets.append(socket)
    assert refused >= 10
    for socket in sockets:
        await socket.close()
    await asyncio.sleep(0.3)


async def test_silence_before_hello_is_4006(cluster, raw, pair):
    socket = await raw()
    await socket.upgrade(None)
    begun = time.monotonic()
    assert await socket.close_code() == 4006
    assert 0.4 < time.monotonic() - begun < 3


async def test_upgrade_with_a_token_still_has_to_say_hello(cluster, raw, pair):
    socket = await raw()
    await socket.upgrade(cluster.token(pair.teacher))
    assert await socket.close_code() == 4006


async def test_a_dead_peer_is_4003(cluster, raw, pair):
    socket = await raw()
    await socket.upgrade(cluster.token(pair.teacher))
    await socket.hello()
    begun = time.monotonic()
    assert await socket.close_code() == 4003  # pings are read and not answered
    assert time.monotonic() - begun < 8


async def test_a_live_peer_is_pinged_and_stays(connect, pair):
    teacher = await connect(pair.teacher)  # its library answers pings
    await asyncio.sleep(4)
    assert teacher.is_open
    await teacher.send(pair.room, "still here")


async def test_slow_consumer_is_4002(make_cluster):
    """A client that stops reading loses its connection, not its messages."""
    small = make_cluster(
        nodes=1,
        limits={"outbound_bytes": 65536},
        heartbeat={"ping_s": 300},
    )
    pair = people.add_pair(small)
    node = small.nodes[0]
    sleeper = await Raw.connect(node, receive_buffer=4096)
    sleeper.writer.transport.get_extra_info("socket").setsockopt(1, 8, 4096)  # SO_RCVBUF
    await sleeper.upgrade(small.token(pair.student))
    await sleeper.hello()
    teacher = await Client.open(node.ws_url, small.token(pair.teacher))
    sent = 0
    deadline = time.monotonic() + 60
    while node.metric("chatgate_slow_consumers_dropped_total") == 0:
        assert time.monotonic() < deadline, "the queue of a sleeper has no bound"
        for _ in range(20):
            sent += 1
            await teacher.send(pair.room, prose(450, seed=sent))
    assert await sleeper.close_code(timeout=30) == 4002
    await sleeper.close()
    back = await Client.open(node.ws_url, small.token(pair.student), hello={"rooms": {pair.room: 0}})
    await back.expect("message", seq=sent, timeout=30)
    assert [one["seq"] for one in back.taken("message")] == list(range(1, sent + 1))
    assert node.metric("chatgate_connections_closed_total", reason="slow") == 1
    await back.close()
    await teacher.close()


async def test_typing_is_shed_not_queued(cluster, raw, connect, pair):
    """Typing for a client that does not read costs it nothing and closes nothing."""
    teacher = await connect(pair.teacher)
    student = await connect(pair.student, node=1)
    for _ in range(30):
        await teacher.post("typing", room=pair.room)
        await asyncio.sleep(0.025)
    await student.expect("typing")
    assert student.is_open


async def test_rest_has_the_same_limits(cluster, pair):
    token = cluster.token(pair.teacher)
    statuses = []
    for n in range(14):
        answer = await rest(
            cluster.nodes[0], "POST", f"/api/chats/{pair.room}/messages", {"text": f"{n}"},
            token=token, headers={"Idempotency-Key": new_uuid()},
        )
        statuses.append(answer.status)
        if answer.status == 429:
            assert answer.error["code"] == "rate_limited"
            assert answer.error["retry_after_ms"] > 0 and int(answer.headers["retry-after"]) >= 1
    assert 429 in statuses and statuses[0] in (200, 201)


async def test_login_guessing_is_slowed(make_cluster):
    strict = make_cluster(auth={"login_attempts": 3, "login_window_s": 60})
    user = people.add_user(strict, "student", password_hash="$2b$04$" + "x" * 53)
    statuses = []
    for n in range(6):
        answer = await rest(
            strict.nodes[0], "POST", "/api/auth/login",
            {"email": user.email, "password": f"guess {n}"},
        )
        statuses.append(answer.status)
    assert statuses[:3] == [401] * 3 and statuses[-1] == 429


async def test_bodies_are_limited(cluster, pair):
    answer = await rest(
        cluster.nodes[0], "POST", "/api/chats/get-or-create", "x" * 70000,
        token=cluster.token(pair.teacher),
    )
    assert answer.status == 413 and answer.error["code"] == "too_large"


async def test_many_pending_logins_are_bounded(make_cluster):
    busy = make_cluster(
        auth={"bcrypt_cost": 12, "bcrypt_threads": 1, "bcrypt_queue": 3, "login_attempts": 1000}
    )
    user = people.add_user(
        busy, "student",
        password_hash="$2b$12$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
    )
    answers = await asyncio.gather(
        *(
            rest(busy.nodes[0], "POST", "/api/auth/login",
                 {"email": user.email, "password": f"guess {n}"})
            for n in range(20)
        )
    )
    statuses = sorted(answer.status for answer in answers)
    assert set(statuses) == {401, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
