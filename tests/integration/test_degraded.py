# SPDX-License-Identifier: Apache-2.0
"""Back ends that go away: Redis is a convenience, Postgres is the truth, and the nodes live."""

import asyncio
import time

import pytest

import people
from client import Refused, new_uuid
from rest import rest


@pytest.fixture(scope="module")
def cluster(make_cluster):
    cluster = make_cluster(
        nodes=2,
        own_redis=True,
        own_postgres=True,
        delivery={"head_check_s": 2},
        database={"statement_timeout_ms": 2000},
        heartbeat={"ping_s": 300},
    )
    return cluster


@pytest.fixture(autouse=True)
def healed(cluster):
    """Every test finds both back ends well, and leaves them so."""
    yield
    if not cluster.redis.running:
        cluster.redis.start()
    if not cluster.postgres.running:
        cluster.postgres.start()
    wait_for(cluster, lambda node: node.probe("/readyz") == 200, "ready")
    wait_for(cluster, lambda node: node.metric("chatgate_redis_up") == 1, "Redis up")


def wait_for(cluster, check, what, timeout_s=30):
    from services import wait_until

    for node in cluster.nodes:
        wait_until(lambda: check(node), timeout_s, f"{node.name}: {what}")


async def until(check, what, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not await asyncio.to_thread(check):
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        await asyncio.sleep(0.1)


async def talk_over_nodes(teacher, student, room, count=5):
    for n in range(count):
        sent = await teacher.send(room, f"text {n}")
        got = await student.expect("message", seq=sent["seq"], timeout=20)
        assert got["mid"] == sent["mid"]
        await student.send(room, f"answer {n}")
        await teacher.expect("message", seq=sent["seq"] + 1, timeout=20)


@pytest.mark.parametrize("how", ["stop", "kill", "freeze"])
async def test_chat_goes_on_without_redis(cluster, connect, pair, how):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    await talk_over_nodes(teacher, student, pair.room)
    await asyncio.to_thread(getattr(cluster.redis, how))
    try:
        await talk_over_nodes(teacher, student, pair.room)
        await until(lambda: cluster.nodes[0].metric("chatgate_redis_up") == 0, "noticed")
        await talk_over_nodes(teacher, student, pair.room)
        assert cluster.nodes[0].probe("/healthz") == 200
        newcomer = await connect(pair.student, hello={"rooms": {pair.room: 0}})
        await teacher.send(pair.room, "to the newcomer too")
        await newcomer.expect("message", text="to the newcomer too")
    finally:
        if how == "freeze":
            cluster.redis.thaw()
        else:
            await asyncio.to_thread(cluster.redis.start)
    await until(lambda: cluster.nodes[0].metric("chatgate_redis_up") == 1, "healed")
    await until(lambda: cluster.nodes[1].metric("chatgate_redis_up") == 1, "healed")
    await talk_over_nodes(teacher, student, pair.room)
    numbers = [frame["seq"] for frame in student.taken("message")]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_nothing_is_lost_in_a_redis_restart(cluster, connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    stop = asyncio.Event()

    async def talk():
        count = 0
        while not stop.is_set():
            await teacher.send(pair.room, f"{count}")
            count += 1
            await asyncio.sleep(0.01)
        return count

    talking = asyncio.create_task(talk())
    for _ in range(3):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(cluster.redis.kill)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(cluster.redis.start)
    await asyncio.sleep(0.5)
    stop.set()
    count = await talking
    await student.expect("message", seq=count, timeout=30)
    assert [frame["seq"] for frame in student.taken("message")] == list(range(1, count + 1))


async def test_start_without_redis(cluster, pair):
    """A node that starts while Redis is away serves all the same."""
    from client import Client

    await asyncio.to_thread(cluster.redis.stop)
    node = cluster.nodes[1]
    await asyncio.to_thread(node.restart)
    client = await Client.open(node.ws_url, cluster.token(pair.teacher))
    assert (await client.send(pair.room, "x"))["seq"] == 1
    await client.close()
    await asyncio.to_thread(cluster.redis.start)


async def test_publishes_of_strangers_are_dropped(cluster, connect, pair):
    """Whoever gets at Redis can forge nothing: frames are signed."""
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    bus = cluster.redis.client()
    recorded = []
    listener = bus.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("*")
    listener.get_message(timeout=1)
    await teacher.send(pair.room, "recorded")
    await student.expect("message", seq=1)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        message = await asyncio.to_thread(listener.get_message, timeout=0.2)
        if message and message["type"] == "pmessage":
            recorded.append((message["channel"], message["data"]))
    listener.close()
    mine = [(channel, data) for channel, data in recorded if pair.student.id.encode() in channel]
    assert mine, "the channel of the student carried nothing"
    dropped = cluster.nodes[1].metric("chatgate_bus_dropped_total")
    for channel, data in mine:
        for forged in (
            data,  # replayed
            data[:-1],
            data[:10],
            data[:5] + bytes([data[5] ^ 1]) + data[6:],
            data.replace(b"recorded", b"fabulous"),
            b"",
            b"\0" * 300,
            b'{"t":"message"}',
            b"%s%n" * 1000,
        ):
            bus.publish(channel, forged)
    await student.never("message")
    await until(
        lambda: cluster.nodes[1].metric("chatgate_bus_dropped_total") > dropped, "forgeries counted"
    )
    await teacher.send(pair.room, "and on")
    assert (await student.expect("message", seq=2))["text"] == "and on"


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_without_postgres_answers_are_unavailable(cluster, connect, pair, how):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    await teacher.send(pair.room, "before")
    cid = new_uuid()
    await asyncio.to_thread(getattr(cluster.postgres, how))
    for t, fields in [
        ("send", {"room": pair.room, "cid": cid, "text": "meanwhile"}),
        ("history", {"room": pair.room}),
        ("rooms", {}),
        ("open", {"with": pair.student.id}),
    ]:
        refusal = await teacher.refused(t, **fields)
        assert refusal.code == "unavailable", t
        assert refusal.retry_after_ms > 0, t
    for method, path, body in [
        ("GET", "/api/chats", None),
        ("POST", "/api/chats/get-or-create", {"other_user_id": pair.student.id}),
    ]:
        answer = await rest(
            cluster.nodes[0], method, path, body, token=cluster.token(pair.teacher)
        )
        assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, path
    await until(lambda: cluster.nodes[0].probe("/readyz") == 503, "readyz tells")
    assert cluster.nodes[0].probe("/healthz") == 200
    assert teacher.is_open and student.is_open
    await asyncio.to_thread(cluster.postgres.start)

    async def resent():
        try:
            return await teacher.send(pair.room, "meanwhile", cid)
        except Refused as refusal:
            assert refusal.code == "unavailable"
            return None

    deadline = time.monotonic() + 30
    while (answer := await resent()) is None:
        assert time.monotonic() < deadline, "does not heal"
        await asyncio.sleep(0.3)
    assert answer["seq"] == 2
    assert (await student.expect("message", seq=2))["text"] == "meanwhile"
    assert len(people.messages_of(cluster, pair.room)) == 2


async def test_no_new_admissions_without_postgres(cluster, raw, pair):
    await asyncio.to_thread(cluster.postgres.stop)
    await until(lambda: cluster.nodes[0].probe("/readyz") == 503, "readyz tells")
    socket = await raw()
    await socket.write(socket.upgrade_request(cluster.token(pair.teacher)))
    response = await socket.response()
    if response.status == 101:  # told over the socket, with a code that says: come back
        await socket.send_text('{"t":"hello","id":1}')
        assert await socket.close_code() == 4001
    else:
        assert response.status == 503
    login = await rest(
        cluster.nodes[0], "POST", "/api/auth/login",
        {"email": pair.teacher.email, "password": "x"},
    )
    assert login.status == 503


async def test_postgres_frozen_is_answered_in_time(cluster, connect, pair):
    """A database that hangs without closing anything: the deadline of statements answers."""
    teacher = await connect(pair.teacher)
    pids = [
        row[0]
        for row in cluster.query(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'chatgate' AND datname = %s",
            cluster.database,
        )
    ]
    import os
    import signal

    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        refusal = await teacher.refused("send", room=pair.room, cid=new_uuid(), text="x")
        assert refusal.code == "unavailable" and time.monotonic() - begun < 12
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_sessions_of_the_database_are_killed_under_load(cluster, connect, pair):
    """Every acked message is there exactly once, whatever the backends die of."""
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    acked = {}

    async def talk():
        for n in range(60):
            cid, text = new_uuid(), f"text {n}"
            while True:
                try:
                    acked[cid] = (await teacher.send(pair.room, text, cid))["mid"]
                    break
                except Refused as refusal:
                    assert refusal.code == "unavailable"
                    await asyncio.sleep(0.05)

    talking = asyncio.create_task(talk())
    while not talking.done():
        cluster.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'chatgate' AND datname = %s",
            cluster.database,
        )
        await asyncio.sleep(0.4)
    await talking
    rows = people.messages_of(cluster, pair.room)
    assert {row["cid"]: row["id"] for row in rows} == acked and len(rows) == 60
    await student.expect("message", seq=60, timeout=30)
    assert [frame["seq"] for frame in student.taken("message")] == list(range(1, 61))
