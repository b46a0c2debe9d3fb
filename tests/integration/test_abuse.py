# SPDX-License-Identifier: Apache-2.0
"""What a client must not be able to do to itself or to others by asking for much, or in odd ways."""

import people


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
