# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a node under load: nothing that was acknowledged is lost or doubled, for anybody.

Every client keeps a journal, as a phone does: its cursor of each room, what it was shown, and an
outbox of sends that have no answer yet. After a break it resumes and resends. At the end a
checker compares the journals with each other and with the database.
"""

import asyncio
import random
import time

import pytest

import people
from client import Client, Closed, Refused, new_uuid

PAIRS = 6
SECONDS = 8


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(nodes=2, delivery={"head_check_s": 2})


class Device:
    """A device that never gives up: it reconnects to either node, resumes and resends."""

    def __init__(self, cluster, user, room, name):
        self.cluster = cluster
        self.user = user
        self.room = room
        self.name = name
        self.cursor = 0
        self.shown = []  # (seq, mid, text) in the order in which they came
        self.outbox = []  # (cid, text), oldest first
        self.acked = {}  # cid -> mid
        self.breaks = 0
        self.client = None
        self.stopping = False

    async def run(self, until):
        written = 0
        while not (self.stopping and not self.outbox):
            try:
                await self._connect()
                while not (self.stopping and not self.outbox):
                    if not self.outbox and time.monotonic() < until:
                        written += 1
                        self.outbox.append((new_uuid(), f"{self.name} {written}"))
                    if self.outbox:
                        cid, text = self.outbox[0]
                        answer = await self.client.send(self.room, text, cid)
                        self.acked[cid] = answer["mid"]
                        self.outbox.pop(0)
                    await asyncio.sleep(random.uniform(0, 0.01))
                    self.stopping = self.stopping or time.monotonic() >= until
            except (Closed, Refused, OSError, asyncio.TimeoutError) as error:
                assert not isinstance(error, Refused) or error.code == "unavailable", error
                self.breaks += 1
                await self._drop()
                await asyncio.sleep(random.uniform(0, 0.2))

    async def _connect(self):
        if self.client is not None:
            return
        node = random.choice(self.cluster.nodes)
        try:
            self.client = await Client.open(
                node.ws_url, self.cluster.token(self.user),
                hello={"rooms": {self.room: self.cursor}},
            )
        except Exception as error:  # noqa: BLE001 - a dead node refuses in many ways
            raise OSError(str(error)) from error

    async def _drop(self):
        if self.client is None:
            return
        await self.client.abort()
        self._write_down()
        self.client = None

    def _write_down(self):
        """Takes over what this connection was shown; a hole or a repeat is a failure."""
        for frame in self.client.taken("message"):
            assert frame["seq"] == self.cursor + 1, (
                f"{self.name}: {frame['seq']} came after {self.cursor}"
            )
            self.cursor = frame["seq"]
            self.shown.append((frame["seq"], frame["mid"], frame["text"]))
        assert self.client.fault is None, self.client.fault

    async def finish(self, head):
        """Resumes a last time, up to the head of the room."""
        await self._drop()
        while self.cursor < head:
            self.client = await Client.open(
                self.cluster.nodes[0].ws_url, self.cluster.token(self.user),
                hello={"rooms": {self.room: self.cursor}},
            )
            await asyncio.sleep(0.2)
            await self._drop()


def check(cluster, pair, devices):
    """The journals of a room's devices against each other and the database."""
    rows = people.messages_of(cluster, pair.room)
    by_cid = {row["cid"]: row for row in rows}
    assert len(by_cid) == len(rows), "a cid has two rows"
    for device in devices:
        for cid, mid in device.acked.items():
            assert cid in by_cid, f"{device.name}: an acknowledged message is lost"
            assert by_cid[cid]["id"] == mid, f"{device.name}: another id than was acknowledged"
            assert by_cid[cid]["status"] == "delivered"
    numbered = sorted((row["seq"], row["id"], row["message_text"]) for row in rows)
    assert [number for number, _, _ in numbered] == list(range(1, len(rows) + 1))
    for device in devices:
        assert device.shown == numbered, f"{device.name} was shown something else"
    # nothing is there that nobody sent, and each device's own order was kept
    for device in devices:
        mine = [text for _, _, text in numbered if text.startswith(device.name + " ")]
        assert mine == [f"{device.name} {n + 1}" for n in range(len(mine))]
        assert len(mine) == len(device.acked)


async def test_kill_9_of_a_node_under_load(cluster):
    pairs = [people.add_pair(cluster) for _ in range(PAIRS)]
    devices = {
        pair: [
            Device(cluster, user, pair.room, f"{index}{role}{n}")
            for role, user in (("t", pair.teacher), ("s", pair.student))
            for n in range(2)
        ]
        for index, pair in enumerate(pairs)
    }
    until = time.monotonic() + SECONDS
    running = [
        asyncio.create_task(device.run(until)) for group in devices.values() for device in group
    ]

    async def havoc():
        while time.monotonic() < until - 1.5:
            await asyncio.sleep(random.uniform(0.8, 1.4))
            victim = cluster.nodes[0]
            victim.kill()
            await asyncio.sleep(random.uniform(0.1, 0.5))
            await asyncio.to_thread(victim.start)

    await havoc()
    await asyncio.wait_for(asyncio.gather(*running), 90)
    assert sum(device.breaks for group in devices.values() for device in group) > PAIRS
    total = 0
    for pair, group in devices.items():
        (head,) = cluster.query("SELECT head FROM chat_rooms WHERE id = %s", pair.room)
        total += head[0]
        for device in group:
            await asyncio.wait_for(device.finish(head[0]), 30)
        check(cluster, pair, group)
    assert total > 200, f"only {total} messages: no load"


async def test_kill_between_commit_and_publish(cluster):
    """The publisher dies with the message in the database: the other node finds it by itself."""
    pair = people.add_pair(cluster)
    student = await Client.open(cluster.nodes[1].ws_url, cluster.token(pair.student))
    cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text, status)"
        " VALUES (%s, %s, 'orphan', 'delivered')",
        pair.room, pair.teacher.id,
    )
    cluster.nodes[0].kill()
    assert (await student.expect("message", seq=1, timeout=15))["text"] == "orphan"
    await asyncio.to_thread(cluster.nodes[0].start)
    await student.close()
