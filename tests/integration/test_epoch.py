# SPDX-License-Identifier: Apache-2.0
"""A database that went back in time: another server took over, or a backup was restored."""

import asyncio

import pytest

import people
from client import new_uuid
from raw import Raw


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(nodes=1)


def go_back(cluster, room, head):
    """Forgets what has a higher number, as a standby that had not received it."""
    cluster.query("DELETE FROM messages WHERE chat_room_id = %s AND seq > %s", room, head)
    cluster.query("UPDATE chat_rooms SET head = %s WHERE id = %s", head, room)
    cluster.query(
        "INSERT INTO chatgate_settings (name, value) VALUES ('epoch', %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        new_uuid()[:8],
    )


async def test_all_start_anew(cluster, connect, pair):
    """Also while a session of before is still there, whose client does not see that it was closed."""
    node = cluster.nodes[0]
    deaf = await (await Raw.connect(node)).upgrade(cluster.token(pair.student))
    await deaf.hello()
    teacher = await connect(pair.teacher)
    for number in range(5):
        await teacher.send(pair.room, f"{number}")
    before = teacher.welcome["epoch"]
    go_back(cluster, pair.room, 2)
    assert await teacher.closed() == 4001
    student = await connect(pair.student, hello={"rooms": {pair.room: 5}, "epoch": before})
    assert student.welcome["epoch"] != before
    assert (await student.expect("reset", room=pair.room))["head"] == 2
    teacher = await connect(pair.teacher)
    assert (await teacher.send(pair.room, "goes on"))["seq"] == 3
    assert (await student.expect("message", room=pair.room, timeout=3))["seq"] == 3
    await deaf.close()


async def test_it_is_noticed_while_other_housekeeping_fails(cluster, connect, pair):
    """A lock keeps the rows of other programs from being numbered; the epoch is read all the same."""
    teacher = await connect(pair.teacher)
    with cluster.postgres.connect(cluster.database) as forgetful:
        forgetful.autocommit = False
        forgetful.execute("SELECT FROM chat_rooms WHERE id = %s FOR UPDATE", (pair.room,))
        cluster.query("SET session_replication_role = replica")
        cluster.query(
            "INSERT INTO messages (chat_room_id, sender_id, message_text, status)"
            " VALUES (%s, %s, 'of another program', 'delivered')",
            pair.room, pair.teacher.id,
        )
        cluster.query("SET session_replication_role = origin")
        await asyncio.sleep(4)
        go_back(cluster, people.add_pair(cluster).room, 0)
        assert await teacher.closed(timeout=8) == 4001
        forgetful.rollback()
