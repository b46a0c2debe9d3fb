# SPDX-License-Identifier: Apache-2.0
"""What a client must not be able to do to itself or to others by asking for much, or in odd ways."""

import asyncio
import contextlib
import json
import time

import pytest

import people
from client import Client, new_uuid
from raw import CLOSE, TEXT, Raw, frame


def fill(cluster, room, sender, count, text, status="delivered"):
    """Rows as another program writes them, a millisecond apart."""
    cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text, status, created_at)"
        " SELECT %s, %s, %s, %s, now() AT TIME ZONE 'utc' - (%s - n) * interval '1 ms'"
        " FROM generate_series(1, %s) n",
        room, sender.id, text, status, count, count,
    )


def more_rooms(cluster, student, count):
    """Rooms of the student with other teachers."""
    teachers = [people.add_user(cluster, "teacher") for _ in range(count)]
    for teacher in teachers:
        people.add_booking(cluster, people.add_lesson(cluster, teacher), student)
    return [people.room_of(cluster, teacher, student) for teacher in teachers]


async def test_long_messages_do_not_end_a_resume(cluster, connect, pair):
    """More in one page than an outbound queue takes, though the client reads."""
    rooms = [pair.room, *more_rooms(cluster, pair.student, 3)]
    for room in rooms:
        fill(cluster, room, pair.student, 120, "x" * 4000)
    student = await connect(pair.student, hello={"rooms": {room: 0 for room in rooms}})
    for room in rooms:
        assert [m["seq"] for m in student.taken("message", room=room)] == list(range(1, 121))


async def test_many_own_messages_do_not_end_a_resume(cluster, connect, pair):
    fill(cluster, pair.room, pair.student, 700, "x" * 1000, status="pending_moderation")
    await asyncio.sleep(1)  # the database hints at each row; nobody is there to hear it
    student = await connect(pair.student)
    assert len({m["mid"] for m in student.taken("own")}) == 700


async def drained_until_closed(sock):
    """The close code; None if the peer hung up without one."""
    while (answer := await sock.next_frame()) is not None:
        if answer[0] == CLOSE:
            return int.from_bytes(answer[1][:2], "big")
    return None


async def test_ids_that_do_not_rise_end_in_a_close(cluster, raw, pair):
    sock = await (await raw()).upgrade(cluster.token(pair.student))
    await sock.hello()
    await sock.write(frame(TEXT, '{"t":"rooms","id":1}') * 30)
    assert await drained_until_closed(sock) == 1008


async def test_refusals_are_limited_too(make_cluster):
    """Nothing is malformed in a text that is too long; but each costs a parse and an answer."""
    cluster = make_cluster(limits={"requests_per_s": 50})
    pair = people.add_pair(cluster)
    sock = await (await Raw.connect(cluster.nodes[0])).upgrade(cluster.token(pair.student))
    await sock.hello()
    for number in range(2, 300):
        send = {"t": "send", "id": number, "room": pair.room, "cid": new_uuid(), "text": "x" * 5000}
        await sock.write(frame(TEXT, json.dumps(send)))
    assert await drained_until_closed(sock) == 4005
    await sock.close()


@contextlib.contextmanager
def held(cluster, statement, *parameters):
    """A transaction that somebody forgot to end."""
    with cluster.postgres.connect(cluster.database) as forgetful:
        forgetful.autocommit = False
        forgetful.execute(statement, parameters)
        yield
        forgetful.rollback()


async def slowest_send(clients):
    """The longest time that one of them waits for an ack, over a few rounds."""
    slowest = 0
    for _ in range(5):
        start = time.monotonic()
        await asyncio.gather(*(client.send(room, "hello") for client, room in clients))
        slowest = max(slowest, time.monotonic() - start)
    return slowest


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM chat_rooms WHERE id = %(room)s FOR UPDATE",
        "SELECT FROM users WHERE id = %(teacher)s FOR UPDATE",
    ],
    ids=["room", "sender"],
)
async def test_a_lock_holds_up_one_room(cluster, connect, make_pair, statement):
    stuck, *pairs = [make_pair() for _ in range(8)]
    teacher = await connect(stuck.teacher)
    clients = [(await connect(pair.teacher), pair.room) for pair in pairs]
    statement = statement.replace("%(room)s", f"'{stuck.room}'")
    statement = statement.replace("%(teacher)s", f"'{stuck.teacher.id}'")
    with held(cluster, statement):
        waiting = [
            teacher.begin("send", room=stuck.room, cid=new_uuid(), text=f"waits {n}")
            for n in range(3)
        ]
        await asyncio.sleep(0.2)
        assert await slowest_send(clients) < 1
        assert not any(answer.done() for answer in waiting)
    assert [(await answer)["seq"] for answer in waiting] == [1, 2, 3]


async def test_a_lock_that_stays_is_unavailable(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    cid = new_uuid()
    with held(cluster, f"SELECT FROM chat_rooms WHERE id = '{pair.room}' FOR UPDATE"):
        refusal = await teacher.refused("send", room=pair.room, cid=cid, text="later")
        assert refusal.code == "unavailable" and refusal.retry_after_ms > 0
    assert (await teacher.send(pair.room, "later", cid=cid))["seq"] == 1


async def test_one_address_cannot_fill_the_house_by_silence(make_cluster):
    cluster = make_cluster(limits={"connections": 60, "connections_per_ip": 10})
    node = cluster.nodes[0]
    silent = [await Raw.connect(node) for _ in range(100)]
    await asyncio.sleep(0.3)
    assert node.metric("chatgate_handshake_failures_total", reason="connections_per_ip") >= 80
    for sock in silent:
        await sock.close()


HEAD = "Host: chat.example\r\n"
HEALTH = f"GET /healthz HTTP/1.1\r\n{HEAD}\r\n"


async def test_slow_bodies_keep_nobody_out(make_cluster):
    """A body that never ends holds no place that others need, and not for long."""
    cluster = make_cluster(http={"header_timeout_ms": 2000})
    node, pair = cluster.nodes[0], people.add_pair(cluster)
    slow = [await Raw.connect(node) for _ in range(600)]
    for sock in slow:
        await sock.write(
            f"POST /api/auth/login HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n{"
        )
    await asyncio.sleep(0.3)
    client = await Client.open(node.ws_url, cluster.token(pair.teacher))
    await client.send(pair.room, "in spite of them")
    await client.close()
    assert await asyncio.wait_for(slow[0].reader.read(), 10) == b""
    for sock in slow:
        await sock.close()


@pytest.mark.parametrize(
    "request_",
    [
        f"GET /healthz HTTP/1.1\r\n{HEAD}Content-Length: {len(HEALTH)}\r\n\r\n",
        f"PUT /healthz HTTP/1.1\r\n{HEAD}Content-Length: {len(HEALTH)}\r\n\r\n",
        f"POST /api/x HTTP/1.1\r\n{HEAD}Content-Length: {len(HEALTH)}\r\n\r\n",
        f"POST /api/auth/login HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n",
        f"POST /api/auth/login HTTP/1.1\r\n{HEAD}Content-Length: 0\r\n"
        f"Content-Length: {len(HEALTH)}\r\n\r\n",
    ],
    ids=["get", "put", "post", "chunked", "two lengths"],
)
@pytest.mark.parametrize("first", ["", HEALTH], ids=["first", "second"])
async def test_a_body_is_never_taken_for_a_request(raw, first, request_):
    sock = await raw()
    await sock.write(first)
    if first:
        assert (await sock.response()).status == 200
    await sock.write(request_ + HEALTH)
    assert await sock.response() is not None
    assert await asyncio.wait_for(sock.reader.read(), 5) == b""


async def test_a_post_without_a_length(cluster, raw, pair):
    sock = await raw()
    await sock.write(
        f"POST /api/auth/refresh HTTP/1.1\r\n{HEAD}"
        f"Authorization: Bearer {cluster.token(pair.teacher)}\r\n\r\n"
    )
    answer = await sock.response()
    assert answer.status == 200 and answer.headers["connection"] == "close"


async def test_a_proxys_connection_serves_one_request(make_cluster):
    cluster = make_cluster(http={"trusted_proxies": "127.0.0.1"})
    sock = await Raw.connect(cluster.nodes[0])
    await sock.write(HEALTH * 2)
    answer = await sock.response()
    assert answer.status == 200 and answer.headers["connection"] == "close"
    assert await asyncio.wait_for(sock.reader.read(), 5) == b""
    await sock.close()


async def test_many_pages_at_once_are_not_slow(cluster, connect, pair):
    """More than an outbound queue takes, asked for in one breath."""
    fill(cluster, pair.room, pair.teacher, 100, "x" * 600)
    student = await connect(pair.student)
    asked = [student.begin("history", room=pair.room, limit=100) for _ in range(30)]
    sent = student.begin("send", room=pair.room, cid=new_uuid(), text="between them")
    for answer in await asyncio.gather(*asked):
        assert len(answer["messages"]) > 50
    assert (await sent)["seq"] == 101
    asked = [student.begin("history", room=new_uuid()) for _ in range(200)]
    refused = await asyncio.gather(*asked, return_exceptions=True)
    assert {refusal.code for refusal in refused} <= {"not_found", "rate_limited"}
    assert (await student.request("rooms"))["rooms"]
