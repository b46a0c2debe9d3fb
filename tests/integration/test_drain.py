# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: ready no more, 4000 to everybody spread over a window, exit 0."""

import asyncio
import json
import time

import pytest

import people
from client import Client, new_uuid
from raw import CLOSE, Raw


@pytest.fixture
def cluster(make_cluster):
    cluster = make_cluster(nodes=2, drain={"window_s": 3})
    yield cluster
    cluster.destroy()


async def test_everybody_hears_4000_within_the_window(cluster, make_pair):
    leaving, staying = cluster.nodes
    pairs = [make_pair() for _ in range(10)]
    clients = [
        await Client.open(leaving.ws_url, cluster.token(user))
        for pair in pairs
        for user in (pair.teacher, pair.student)
    ]
    other = await Client.open(staying.ws_url, cluster.token(pairs[0].teacher))
    begun = time.monotonic()
    leaving.signal(15)
    await asyncio.sleep(0.3)
    assert leaving.probe("/readyz") in (503, None)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", leaving.port)
    ends = []

    async def end(client):
        assert await client.closed() == 4000
        ends.append(time.monotonic() - begun)

    await asyncio.gather(*(end(client) for client in clients))
    assert max(ends) - min(ends) > 0.5, "not spread"
    assert max(ends) < 5
    assert await asyncio.to_thread(leaving.wait, 15) == 0
    assert other.is_open
    await other.send(pairs[0].room, "goes on")
    await other.close()


async def test_the_close_frame_carries_a_hint(cluster, pair):
    node = cluster.nodes[0]
    socket = await Raw.connect(node)
    await socket.upgrade(cluster.token(pair.teacher))
    await socket.hello()
    node.signal(15)
    opcode, payload = await socket.next_frame()
    while opcode != CLOSE:
        opcode, payload = await socket.next_frame()
    assert int.from_bytes(payload[:2], "big") == 4000
    hint = json.loads(payload[2:])
    assert hint["retry_after_ms"] >= 0
    await socket.close()
    assert await asyncio.to_thread(node.wait, 15) == 0


async def test_talk_goes_on_until_the_end_and_nothing_is_lost(cluster, pair):
    leaving, staying = cluster.nodes
    teacher = await Client.open(leaving.ws_url, cluster.token(pair.teacher))
    student = await Client.open(staying.ws_url, cluster.token(pair.student))
    acked = []

    async def talk():
        while True:
            acked.append((await teacher.send(pair.room, "x", new_uuid()))["mid"])

    talking = asyncio.create_task(talk())
    await asyncio.sleep(0.3)
    leaving.signal(15)
    assert await teacher.closed() == 4000
    with pytest.raises(Exception):
        await talking
    rows = people.messages_of(cluster, pair.room)
    assert {row["id"] for row in rows} >= set(acked)
    await student.expect("message", seq=len(rows), timeout=20)
    assert [one["seq"] for one in student.taken("message")] == list(range(1, len(rows) + 1))
    assert await asyncio.to_thread(leaving.wait, 15) == 0
    await student.close()


async def test_an_idle_node_is_gone_at_once(make_cluster):
    idle = make_cluster(drain={"window_s": 30})
    begun = time.monotonic()
    assert await asyncio.to_thread(idle.nodes[0].stop, 15) == 0
    assert time.monotonic() - begun < 3


async def test_sigint_drains_too(make_cluster):
    node = make_cluster(drain={"window_s": 0}).nodes[0]
    node.signal(2)
    assert await asyncio.to_thread(node.wait, 15) == 0


async def test_drain_with_postgres_away(make_cluster):
    lonely = make_cluster(own_postgres=True, drain={"window_s": 1})
    await asyncio.to_thread(lonely.postgres.kill)
    assert await asyncio.to_thread(lonely.nodes[0].stop, 20) == 0


async def test_peers_that_never_answer_the_close_do_not_hold_it(cluster, pair):
    node = cluster.nodes[0]
    socket = await Raw.connect(node)
    await socket.upgrade(cluster.token(pair.teacher))
    await socket.hello()
    half = await Raw.connect(node)
    await half.write("GET / HTTP/1.1\r\n")
    node.signal(15)
    assert await asyncio.to_thread(node.wait, 20) == 0
    await socket.close()
    await half.close()
