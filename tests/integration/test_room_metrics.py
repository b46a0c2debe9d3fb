# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of rooms, whoever made them; the same on each node."""

import time

import pytest

import people
from cluster import Cluster, run_chatgate
from services import wait_until
from test_verify import hidden_booking, verify

MADE = "chatgate_rooms_made_total"


@pytest.fixture(scope="module")
def cluster(postgres, redis_server):
    cluster = Cluster(postgres=postgres, redis=redis_server)
    placed(cluster)
    yield cluster
    cluster.destroy()


def placed(cluster):
    """A node counts from its first look on."""
    for node in cluster.nodes:
        wait_until(
            lambda: node.metric("chatgate_db_query_seconds_count", query="room_changes") >= 1,
            10, f"{node.name} looks at rooms",
        )


def comes_to(cluster, expected, name, **labels):
    for node in cluster.nodes:
        wait_until(
            lambda: node.metric(name, **labels) == expected, 15, f"{name} {labels} is {expected}"
        )


def backfill(cluster):
    done = run_chatgate("backfill", "--database-url", cluster.postgres.url(cluster.database))
    assert done.returncode == 0, done.stderr


async def test_rooms_are_counted_by_their_way(cluster, connect, make_user):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE chat_rooms SET deleted_at = now() WHERE id = %s", pair.room)
    teacher, student = make_user("teacher"), make_user("student")
    people.add_lesson(cluster, teacher, student)
    client = await connect(teacher)
    await client.request("open", **{"with": student.id})
    hidden_booking(cluster)
    backfill(cluster)
    comes_to(cluster, 1, MADE, way="trigger", change="created")
    comes_to(cluster, 1, MADE, way="lazy", change="created")
    comes_to(cluster, 1, MADE, way="backfill", change="created")
    comes_to(cluster, 1, MADE, way="backfill", change="revived")
    comes_to(cluster, 1, "chatgate_rooms_closed_total")
    comes_to(cluster, 0, "chatgate_room_failures_total")


def test_the_census_is_the_last_backfills(cluster):
    def census():
        return {
            name: cluster.nodes[1].metric(f"chatgate_{name}")
            for name in ("active_bookings", "live_rooms", "missing_rooms")
        }

    backfill(cluster)
    ((bookings,),) = cluster.query("SELECT count(*) FROM bookings WHERE status = 'active'")
    ((rooms,),) = cluster.query("SELECT count(*) FROM chat_rooms WHERE deleted_at IS NULL")
    expected = {"active_bookings": bookings, "live_rooms": rooms, "missing_rooms": 0}
    wait_until(lambda: census() == expected, 15, f"the census is {expected}")
    assert abs(cluster.nodes[1].metric("chatgate_room_census_timestamp_seconds") - time.time()) < 60
    hidden_booking(cluster)
    assert verify(cluster, "--backfill").returncode == 0  # the script takes one too
    expected = {"active_bookings": bookings + 1, "live_rooms": rooms + 1, "missing_rooms": 1}
    wait_until(lambda: census() == expected, 15, f"the census is {expected}")


def test_a_room_that_could_not_be_made_is_an_error(cluster, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    lesson = people.add_lesson(cluster, teacher)
    with cluster.postgres.connect(cluster.database) as holder, holder.transaction():
        holder.execute(
            "INSERT INTO chat_rooms (teacher_id, student_id) VALUES (%s, %s)",
            (teacher.id, student.id),
        )
        people.add_booking(cluster, lesson, student)
    comes_to(cluster, 1, "chatgate_room_failures_total", reason="lock_timeout")


def test_lag_since_the_booking_and_since_the_lessons_end(cluster):
    node = cluster.nodes[0]

    def late(since):
        samples = node.metrics()
        return [
            int(sum(
                number for (name, labels), number in samples.items()
                if name == "chatgate_room_lag_seconds_bucket"
                and {("since", since), ("le", le)} <= set(labels)
            ))
            for le in ("60", "14400", "+Inf")
        ]

    booking, lesson_end = late("booking"), late("lesson_end")
    teacher, student, hidden = hidden_booking(cluster)
    cluster.query(
        "UPDATE bookings SET updated_at = now() AT TIME ZONE 'utc' - interval '2 hours'"
        " WHERE id = %s", hidden,
    )
    cluster.query(
        "UPDATE lessons SET end_time = now() AT TIME ZONE 'utc' - interval '2 days'"
        " WHERE teacher_id = %s", teacher.id,
    )
    backfill(cluster)
    people.add_pair(cluster)
    after = [had + more for had, more in zip(booking, (1, 2, 2))]
    wait_until(lambda: late("booking") == after, 15, f"since the booking: {after}")
    after = [had + more for had, more in zip(lesson_end, (1, 1, 2))]
    assert late("lesson_end") == after


def test_many_rooms_at_once_are_all_counted(cluster):
    """More than a slice, of one transaction; each node goes on where it was."""
    before = cluster.nodes[0].metric(MADE, way="trigger", change="created")
    cluster.query(
        "WITH people AS ("
        " INSERT INTO users (id, email, role) SELECT i, i || '@test.example', role"
        " FROM (SELECT gen_random_uuid() AS i, CASE WHEN n = 0 THEN 'teacher' ELSE 'student' END"
        "       AS role FROM generate_series(0, 12000) n) x RETURNING id, role),"
        " lesson AS (INSERT INTO lessons (teacher_id, start_time)"
        "  SELECT id, now() FROM people WHERE role = 'teacher' RETURNING id)"
        " SELECT 1"
    )
    cluster.query(
        "INSERT INTO bookings (lesson_id, student_id)"
        " SELECT (SELECT id FROM lessons ORDER BY created_at DESC LIMIT 1), u.id FROM users u"
        " WHERE u.role = 'student' AND u.password_hash IS NULL AND u.first_name IS NULL"
    )
    comes_to(cluster, before + 12000, MADE, way="trigger", change="created")


def test_what_happened_before_a_restart_is_not_counted_again(cluster):
    node = cluster.nodes[1]
    node.restart()
    placed(cluster)
    people.add_pair(cluster)
    wait_until(lambda: node.metric(MADE, way="trigger") >= 1, 15, "the new room is counted")
    assert node.metric(MADE) == 1
