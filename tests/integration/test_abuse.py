# SPDX-License-Identifier: Apache-2.0
"""What a client must not be able to do to itself or to others by asking for much, or in odd ways."""

import json

import people
from client import new_uuid
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
