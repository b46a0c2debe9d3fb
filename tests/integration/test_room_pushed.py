# SPDX-License-Identifier: Apache-2.0
"""A booking is pushed to whoever is connected, on any node: at once by NOTIFY, and without it by
the sweep. Redis has no part in it: whoever booked is another program."""

import asyncio
import time

import pytest

import people
from client import Client
from cluster import Cluster

HEAD_CHECK_S = 2
WITHIN_S = 1


@pytest.fixture(scope="module")
def cluster(postgres, redis_server):
    """A sweep that comes seldom, so that a push within a second is the hint's."""
    cluster = Cluster(settings={"delivery": {"head_check_s": 600}}, postgres=postgres,
                      redis=redis_server)
    yield cluster
    cluster.destroy()


async def book(cluster, teacher, student):
    """By the platform; returns the room and the moment at which the booking was committed."""
    lesson = people.add_lesson(cluster, teacher)
    await asyncio.to_thread(people.add_booking, cluster, lesson, student)
    return people.room_of(cluster, teacher, student), time.monotonic()


async def test_pushed_within_a_second_to_both_on_their_nodes(cluster, connect, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    there, here = await connect(teacher, node=1), await connect(student)
    for n in range(3):
        classmate = make_user("student")
        room, booked = await book(cluster, teacher, classmate if n else student)
        await there.expect("room", room=room)
        assert time.monotonic() - booked < WITHIN_S
        if not n:
            await here.expect("room", room=room)
            assert time.monotonic() - booked < WITHIN_S


async def test_pushed_within_a_second_without_redis(cluster, connect, make_user, redis_server):
    teacher, student = make_user("teacher"), make_user("student")
    there = await connect(teacher, node=1)
    redis_server.freeze()
    try:
        room, booked = await book(cluster, teacher, student)
        await there.expect("room", room=room)
        assert time.monotonic() - booked < WITHIN_S
    finally:
        redis_server.thaw()


async def test_a_revived_room_is_pushed_within_a_second(cluster, connect, pair):
    cluster.query("UPDATE chat_rooms SET deleted_at = now() WHERE id = %s", pair.room)
    there = await connect(pair.teacher, node=1)
    room, booked = await book(cluster, pair.teacher, pair.student)
    assert room == pair.room
    await there.expect("room", room=room)
    assert time.monotonic() - booked < WITHIN_S


async def test_the_sweep_finds_what_no_hint_told_of(make_cluster):
    cluster = make_cluster(2, delivery={"head_check_s": HEAD_CHECK_S})
    cluster.query(
        "CREATE OR REPLACE FUNCTION chatgate_hint(kind text, what text) RETURNS void"
        " LANGUAGE plpgsql AS 'BEGIN END'"
    )
    teacher, student = (people.add_user(cluster, role) for role in ("teacher", "student"))
    clients = [
        await Client.open(node.ws_url, cluster.token(user))
        for node, user in zip(cluster.nodes, (student, teacher))
    ]
    room, booked = await book(cluster, teacher, student)
    for client in clients:
        await client.expect("room", room=room)
        assert time.monotonic() - booked < 2 * HEAD_CHECK_S + 3
    await clients[1].send(room, "and it can be used")
    assert (await clients[0].expect("message", room=room))["text"] == "and it can be used"
    for client in clients:
        await client.close()


async def test_what_was_booked_while_the_listener_was_away(cluster, connect, make_user):
    """A node whose listening connection broke looks for itself when it is back."""
    teacher, student = make_user("teacher"), make_user("student")
    there = await connect(teacher, node=1)
    lesson = people.add_lesson(cluster, teacher)
    assert cluster.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'chatgate hints' AND datname = current_database()"
    )
    people.add_booking(cluster, lesson, student)
    await there.expect("room", room=people.room_of(cluster, teacher, student))
