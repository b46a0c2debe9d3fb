# SPDX-License-Identifier: Apache-2.0
"""Rooms from bookings, a property: whatever eight connections do at once, no booking fails, every
pair with a live active booking ends with one live room, and nobody else has one.

A seed decides what each connection does; the scheduler decides in which order. A failure names its
seed. ROOM_SEEDS=1000 for a long run, ROOM_SEED=7 for one seed, many times.
"""

import dataclasses
import os
import random
import re
import threading
import uuid

import psycopg
import pytest

from cluster import ROOT, ensure_template

CONNECTIONS = 8
STEPS = 12  # of each connection
SEEDS = int(os.environ.get("ROOM_SEEDS", 40))
ONE_SEED = os.environ.get("ROOM_SEED")

# A trigger may give way to a lock, and to a transaction that its isolation hides from it; that
# is counted, and the backfill makes it good. Nothing else excuses a missing room.
GIVES_WAY = {"55P03", "40P01", "40001"}
STATEMENT = (ROOT / "sql/statements/room_open.sql").read_text()
OPEN_ROOM = re.sub(r"\$\d", "%s", re.sub(r"--.*", "", STATEMENT))
BACKFILLS = [
    "SELECT create_chats_for_active_bookings()",
    "SELECT create_chats_for_completed_lessons()",
    "CALL chatgate_backfill_rooms(3)",
]


@pytest.fixture(scope="module")
def database(postgres):
    """database(*statements): a database, changed by these; its connections are its operator's."""
    ensure_template(postgres)
    made = []

    def database(*statements):
        made.append(f"rooms_{uuid.uuid4().hex[:8]}")
        postgres.create_database(made[-1])
        with postgres.connect(made[-1]) as db:
            for statement in statements:
                db.execute(statement)
        return lambda: postgres.connect(made[-1])

    yield database
    for name in made:
        postgres.drop_database(name)


@dataclasses.dataclass
class World:
    """Three teachers and a few students, who meet often, or many, who seldom do; lessons that may
    have a room, and some that must not."""

    teachers: list
    students: list
    lessons: dict  # id: teacher, None where its bookings make no room
    bookings: list  # ids that any connection may touch
    rooms_close: bool  # somebody else soft-deletes rooms

    @classmethod
    def make(cls, rng, db):
        def ids(count):
            return [uuid.UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]

        teachers, students = ids(3), ids(rng.choice([2, 4, 20]))
        lessons = dict(zip(ids(6), teachers * 2))
        no_room = dict(zip(ids(2), [None, None]))
        world = cls(teachers, students, {**lessons, **no_room}, ids(CONNECTIONS * STEPS),
                    rng.random() < 0.5)
        db.execute("TRUNCATE users, chat_room_changes CASCADE")
        for role, people in (("teacher", teachers), ("student", students)):
            for person in people:
                db.execute("INSERT INTO users (id, email, role) VALUES (%s, %s, %s)",
                           (person, f"{person}@test.example", role))
        for lesson, teacher in lessons.items():
            db.execute("INSERT INTO lessons (id, teacher_id, start_time, end_time) VALUES"
                       " (%s, %s, now(), now() AT TIME ZONE 'utc' + %s * interval '1 hour')",
                       (lesson, teacher, rng.choice([-1, 1])))
        deleted, nobodys = no_room
        db.execute("INSERT INTO lessons (id, teacher_id, start_time, deleted_at) VALUES"
                   " (%s, %s, now(), now()), (%s, NULL, now(), NULL)",
                   (deleted, teachers[0], nobodys))
        return world


class Actor(threading.Thread):
    """One connection: its steps, the pairs that it gave a reason for a room, and its failures."""

    def __init__(self, number, seed, world, connect, start):
        super().__init__()
        self.rng = random.Random(f"{seed}-{number}")
        self.world, self.connect, self.barrier = world, connect, start
        self.own = world.bookings[number * STEPS:(number + 1) * STEPS]
        self.due, self.failures = set(), []

    def run(self):
        with self.connect() as db:
            self.barrier.wait()
            for booking in self.own:
                step = self.rng.choices(
                    [self.book, self.book_several, self.change, self.delete_booking, self.open_room,
                     self.backfill, self.close_room],
                    [30, 5, 25, 10, 15, 10, 10 * self.world.rooms_close],
                )[0]
                try:
                    step(db, booking)
                except psycopg.Error as error:
                    self.failures.append(f"{step.__name__}: {error.sqlstate} {error}")
                    db.rollback()

    def insert(self, db, booking):
        lesson, student = self.rng.choice(list(self.world.lessons)), self.rng.choice(self.world.students)
        status = self.rng.choice(["active", "active", "completed", "cancelled"])
        deleted = self.rng.random() < 0.1
        db.execute("INSERT INTO bookings (id, lesson_id, student_id, status, deleted_at)"
                   " VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END)",
                   (booking, lesson, student, status, deleted))
        if status == "active" and not deleted:
            return {(self.world.lessons[lesson], student)}
        return set()

    def book(self, db, booking):
        isolation = self.rng.choice(["READ COMMITTED", "READ COMMITTED", "REPEATABLE READ"])
        rolled_back = self.rng.random() < 0.1
        db.execute(f"BEGIN ISOLATION LEVEL {isolation}")
        due = self.insert(db, booking)
        db.execute("SELECT pg_sleep(%s)", (self.rng.choice([0, 0, 0.001, 0.004]),))
        db.execute("ROLLBACK" if rolled_back else "COMMIT")
        if not rolled_back:
            self.due |= due

    def book_several(self, db, booking):
        """In no order: two of these can wait for each other."""
        with db.transaction():
            due = self.insert(db, booking)
            due |= self.insert(db, uuid.uuid5(booking, "another"))
        self.due |= due

    def change(self, db, _):
        status = self.rng.choice(["active", "active", "completed", "cancelled"])
        for lesson, student, live in db.execute(
            "UPDATE bookings SET status = %s, updated_at = now() WHERE id = %s"
            " RETURNING lesson_id, student_id, deleted_at IS NULL",
            (status, self.rng.choice(self.world.bookings)),
        ).fetchall():
            if status == "active" and live:
                self.due.add((self.world.lessons[lesson], student))

    def delete_booking(self, db, _):
        db.execute("UPDATE bookings SET deleted_at = now() WHERE id = %s",
                   (self.rng.choice(self.world.bookings),))

    def open_room(self, db, _):
        pair = self.rng.choice(self.world.teachers), self.rng.choice(self.world.students)
        me, other = self.rng.sample(pair, 2)
        ((outcome, _),) = db.execute(OPEN_ROOM, (me, other, True, "test")).fetchall()
        if outcome != "no_lesson":
            self.due.add(pair)

    def backfill(self, db, _):
        db.execute(self.rng.choice(BACKFILLS))

    def close_room(self, db, _):
        db.execute("UPDATE chat_rooms SET deleted_at = now() WHERE teacher_id = %s AND student_id = %s",
                   (self.rng.choice(self.world.teachers), self.rng.choice(self.world.students)))


def pairs(db, query):
    return {tuple(row) for row in db.execute(query).fetchall()}


def wanting(db):
    """Pairs with a live active booking and without a live room, in words of our own."""
    return pairs(db, "SELECT l.teacher_id, b.student_id FROM bookings b"
                 " JOIN lessons l ON l.id = b.lesson_id AND l.deleted_at IS NULL"
                 " WHERE b.status = 'active' AND b.deleted_at IS NULL AND l.teacher_id IS NOT NULL"
                 " EXCEPT SELECT teacher_id, student_id FROM chat_rooms WHERE deleted_at IS NULL")


def book_closed(db, world):
    """With nobody else about, a booking opens a closed room; returns the pairs where it did not."""
    closed = pairs(db, "SELECT teacher_id, student_id FROM chat_rooms WHERE deleted_at IS NOT NULL")
    for teacher, student in closed:
        lesson = next(lesson for lesson, owner in world.lessons.items() if owner == teacher)
        db.execute("INSERT INTO bookings (lesson_id, student_id) VALUES (%s, %s)", (lesson, student))
    return wanting(db)


def run_seed(seed, connect):
    """What is wrong after a seed, in a word each; empty if all is well."""
    wrong = []
    with connect() as db:
        world = World.make(random.Random(seed), db)
        barrier = threading.Barrier(CONNECTIONS)
        actors = [Actor(n, seed, world, connect, barrier) for n in range(CONNECTIONS)]
        for actor in actors:
            actor.start()
        for actor in actors:
            actor.join()
            wrong += actor.failures
        wrong += [f"failed with {sqlstate}" for (sqlstate,) in pairs(
            db, "SELECT sqlstate FROM chat_room_changes WHERE change = 'failed'"
        ) if sqlstate not in GIVES_WAY]
        excused = pairs(db, "SELECT teacher_id, student_id FROM chat_room_changes"
                        " WHERE change = 'failed' OR change = 'closed'")
        missing = wanting(db)
        wrong += [f"no room for {pair}" for pair in missing - excused]
        ((made,),) = db.execute("SELECT create_chats_for_active_bookings()").fetchall()
        if made != len(missing) or wanting(db):
            wrong.append(f"the backfill made {made} of {len(missing)}")
        wrong += [f"the closed room of {pair} did not come back" for pair in book_closed(db, world)]
        due = set().union(*(actor.due for actor in actors))
        rooms = pairs(db, "SELECT teacher_id, student_id FROM chat_rooms")
        wrong += [f"a room of nobody's wish: {pair}" for pair in rooms - due]
        ((count,),) = db.execute("SELECT count(*) FROM chat_rooms").fetchall()
        if count != len(rooms):
            wrong.append("two rooms of a pair")
    return wrong


@pytest.mark.timeout(60 + 4 * SEEDS)
def test_any_interleaving_ends_well(database):
    connect = database()
    seeds = [ONE_SEED] * SEEDS if ONE_SEED else range(SEEDS)
    for seed in seeds:
        wrong = run_seed(str(seed), connect)
        assert not wrong, f"ROOM_SEED={seed}:\n" + "\n".join(wrong)


def mutated(function, old, new):
    """The statement that makes `function` again, with a fault."""
    text = (ROOT / "sql/migrations/050_chat_on_booking.sql").read_text()
    (source,) = re.findall(rf"CREATE OR REPLACE FUNCTION public\.{function}\(.*?\n\$\$;\n", text, re.S)
    assert source.count(old) >= 1
    return source.replace(old, new)


FAULTS = {
    "two make a room at once": ("chatgate_make_room", "    ON CONFLICT DO NOTHING\n", ""),
    "a closed room stays closed": ("chatgate_make_room", "SET deleted_at = NULL, ", "SET "),
    "a deleted lesson makes a room": (
        "create_chat_on_booking_active", " AND l.deleted_at IS NULL", ""),
    "a deleted booking makes a room": (
        "create_chat_on_booking_active", "NEW.deleted_at IS NOT NULL", "false"),
    "a failure fails the booking": (
        "create_chat_on_booking_active", "EXCEPTION WHEN OTHERS", "EXCEPTION WHEN raise_exception"),
    "a backfill overlooks closed rooms": (
        "chatgate_missing_rooms", "            AND r.deleted_at IS NULL)", ")"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_notices(database, fault):
    connect = database(mutated(*FAULTS[fault]))
    assert any(run_seed(str(seed), connect) for seed in range(SEEDS))
