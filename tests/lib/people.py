# SPDX-License-Identifier: Apache-2.0
"""Users, lessons, bookings and rooms for a test, put into the database as the platform does."""

import dataclasses
import uuid


@dataclasses.dataclass(frozen=True)
class User:
    id: str
    role: str
    first_name: str
    last_name: str
    email: str


@dataclasses.dataclass(frozen=True)
class Pair:
    """A teacher and a student with an active booking, and so with a room."""

    teacher: User
    student: User
    room: str


def add_user(cluster, role, first_name=None, last_name="Test", password_hash=None):
    user = User(
        id=str(uuid.uuid4()),
        role=role,
        first_name=first_name or role.capitalize(),
        last_name=last_name,
        email=f"{role}-{uuid.uuid4().hex[:12]}@test.example",
    )
    cluster.query(
        "INSERT INTO users (id, email, password_hash, first_name, last_name, role, created_at,"
        " updated_at) VALUES (%s, %s, %s, %s, %s, %s, now() AT TIME ZONE 'utc',"
        " now() AT TIME ZONE 'utc')",
        user.id, user.email, password_hash, user.first_name, user.last_name, role,
    )
    return user


def add_lesson(cluster, teacher, student=None):
    (lesson,) = cluster.query(
        "INSERT INTO lessons (teacher_id, student_id, start_time, end_time)"
        " VALUES (%s, %s, now() AT TIME ZONE 'utc', now() AT TIME ZONE 'utc' + interval '1 hour')"
        " RETURNING id::text",
        teacher.id, student and student.id,
    )
    return lesson[0]


def add_booking(cluster, lesson, student, status="active"):
    (booking,) = cluster.query(
        "INSERT INTO bookings (lesson_id, student_id, status) VALUES (%s, %s, %s)"
        " RETURNING id::text",
        lesson, student.id, status,
    )
    return booking[0]


def room_of(cluster, teacher, student):
    rows = cluster.query(
        "SELECT id::text FROM chat_rooms WHERE teacher_id = %s AND student_id = %s",
        teacher.id, student.id,
    )
    return rows[0][0] if rows else None


def add_pair(cluster, **names):
    """Two new users, a lesson and an active booking: the trigger makes their room."""
    teacher = add_user(cluster, "teacher", **names)
    student = add_user(cluster, "student", **names)
    add_booking(cluster, add_lesson(cluster, teacher), student)
    return Pair(teacher, student, room_of(cluster, teacher, student))


def messages_of(cluster, room):
    """The rows of a room as dicts, oldest first."""
    columns = "id, sender_id, cid, status, seq, removed_seq, message_text, moderation_completed_at"
    rows = cluster.query(
        "SELECT id::text, sender_id::text, cid::text, status, seq, removed_seq, message_text,"
        " moderation_completed_at FROM messages WHERE chat_room_id = %s ORDER BY created_at, id",
        room,
    )
    return [dict(zip(columns.split(", "), row)) for row in rows]
