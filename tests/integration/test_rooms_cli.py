# SPDX-License-Identifier: Apache-2.0
"""`chatgate verify` and `chatgate backfill`: what deploy/verify-chat-creation.sh does, from the
program. Which fault each check tells is tested in tests/sql/10_checks.sql and test_verify.py."""

import functools
import json
import os
import pty
import re
import subprocess
import time

import pytest

import people
from cluster import ROOT, Cluster, chatgate_binary, clean_environment, run_chatgate

USAGE, UNAVAILABLE, CONFIG = 64, 69, 78


@pytest.fixture
def cluster(postgres, redis_server):
    """A database for each test; no node is needed."""
    cluster = Cluster(postgres=postgres, redis=redis_server, start=False)
    yield cluster
    cluster.destroy()


def run(cluster, verb, *arguments, database=None):
    url = cluster.postgres.url(database or cluster.database)
    return run_chatgate(verb, "--database-url", url, *arguments)


def hide_bookings(cluster, count):
    """Bookings of one teacher that made no rooms."""
    teacher = people.add_user(cluster, "teacher")
    lesson = people.add_lesson(cluster, teacher)
    cluster.query("ALTER TABLE bookings DISABLE TRIGGER USER")
    cluster.query(
        "WITH s AS (INSERT INTO users (email, role) SELECT gen_random_uuid() || '@test.example',"
        " 'student' FROM generate_series(1, %s) RETURNING id)"
        " INSERT INTO bookings (lesson_id, student_id, status) SELECT %s, id, 'active' FROM s",
        count, lesson,
    )
    cluster.query("ALTER TABLE bookings ENABLE TRIGGER USER")


def rooms(cluster):
    return cluster.query("SELECT count(*) FROM chat_rooms WHERE deleted_at IS NULL")[0][0]


def test_healthy(cluster):
    people.add_pair(cluster)
    done = run(cluster, "verify", "--verbose")
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert "Healthy." in done.stdout and "CREATE TRIGGER booking_create_chat " in done.stdout
    assert "FAIL" not in done.stdout and "\033" not in done.stdout
    result = json.loads(run(cluster, "verify", "--json").stdout)
    assert result["healthy"] and result["faults"] == result["warnings"] == []
    assert {"name": "rooms", "value": 1} in result["checks"]["statistics"]
    assert [row["ok"] for row in result["checks"]["triggers"]] == [True] * 5


def test_faults_are_named_as_the_script_names_them(cluster):
    pair = people.add_pair(cluster)
    hide_bookings(cluster, 2)
    cluster.query("DROP TRIGGER booking_create_chat ON bookings")
    cluster.query("ALTER TABLE bookings DISABLE TRIGGER booking_create_chat_update")
    cluster.query("DROP FUNCTION create_chats_for_active_bookings()")
    cluster.query("UPDATE users SET role = 'admin' WHERE id = %s", pair.student.id)
    faults = [
        "trigger booking_create_chat: missing",
        "trigger booking_create_chat_update: disabled",
        "function create_chats_for_active_bookings: missing",
        "candidates: 2 active bookings without a room (2 rooms to make)",
        f"invalid_members: room {pair.room}, student {pair.student.id}: role is admin",
    ]
    done = run(cluster, "verify", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["faults"] == faults
    done = run(cluster, "verify")
    assert done.returncode == 1
    assert re.findall(r"^  FAIL  (.*)$", done.stdout, re.M) == faults
    assert rooms(cluster) == 1


def test_a_deleted_lesson_is_a_warning(cluster):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE lessons SET deleted_at = now() WHERE teacher_id = %s", pair.teacher.id)
    done = run(cluster, "verify", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0 and result["warnings"][0].endswith("lesson is deleted")


def test_a_database_without_tables(cluster):
    done = run(cluster, "verify", database="postgres")
    assert done.returncode == 1 and "does not exist" in done.stdout
    done = run(cluster, "backfill", database="postgres")
    assert done.returncode == CONFIG and "chatgate migrate up" in done.stderr


@pytest.mark.parametrize("verb", ["verify", "backfill"])
def test_no_server(tmp_path, verb):
    done = run_chatgate(verb, "--database-url", f"postgresql:///none?host={tmp_path}")
    assert done.returncode == UNAVAILABLE and "cannot reach the database" in done.stderr


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["verify", "now"], "now"),
        (["backfill", "now"], "now"),
        (["backfill", "--batch", "0"], "1 to 100000"),
        (["backfill", "--batch", "many"], "1 to 100000"),
        (["backfill", "--sleep", "-1"], "0 to 60000"),
    ],
)
def test_wrong_usage(arguments, hint):
    done = run_chatgate(*arguments)
    assert done.returncode == USAGE and hint in done.stderr


def test_backfill_makes_what_is_missing(cluster):
    hide_bookings(cluster, 25)
    done = run(cluster, "backfill", "--batch", "10")
    assert done.returncode == 0 and done.stdout == "rooms made: 25\n"
    assert re.fullmatch(r"25 of 25 rooms, \d+/s, 0:00 left\n", done.stderr)
    assert rooms(cluster) == 25
    made = cluster.query("SELECT DISTINCT way, change FROM chat_room_changes")
    assert made == [("backfill", "created")]
    done = run(cluster, "backfill", "--json")
    assert json.loads(done.stdout) == {"ok": True, "missing": 0, "rooms_made": 0}
    assert run(cluster, "verify").returncode == 0


def test_backfill_brings_deleted_rooms_back(cluster):
    people.add_pair(cluster)
    cluster.query("UPDATE chat_rooms SET deleted_at = now()")
    assert json.loads(run(cluster, "backfill", "--json").stdout)["rooms_made"] == 1
    assert rooms(cluster) == 1


def start_backfill(cluster, *arguments, **options):
    return subprocess.Popen(
        [chatgate_binary(), "backfill", "--database-url", cluster.postgres.url(cluster.database),
         *arguments],
        stdin=subprocess.DEVNULL, env=clean_environment(), **options,
    )


def test_killed_it_goes_on_where_it_was(cluster):
    hide_bookings(cluster, 40)
    process = start_backfill(cluster, "--batch", "5", "--sleep", "300", stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while rooms(cluster) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    made = rooms(cluster)
    assert 0 < made < 40 and made % 5 == 0
    again = json.loads(run(cluster, "backfill", "--json").stdout)
    assert again["missing"] == again["rooms_made"] == 40 - made
    assert rooms(cluster) == 40


def test_two_at_once_make_each_room_once(cluster):
    hide_bookings(cluster, 60)
    both = [
        start_backfill(cluster, "--batch", "7", "--json", stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    made = [json.loads(process.communicate(timeout=60)[0])["rooms_made"] for process in both]
    assert sum(made) == rooms(cluster) == 60


def test_a_lock_is_given_time(cluster):
    hide_bookings(cluster, 1)
    with cluster.postgres.connect(cluster.database) as holder:
        with holder.transaction():
            holder.execute("LOCK TABLE chat_rooms IN SHARE ROW EXCLUSIVE MODE")
            process = start_backfill(cluster, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(3)  # past one lock_timeout of 2 s
            assert process.poll() is None
    assert process.communicate(timeout=30)[0] == b"rooms made: 1\n"


def test_a_bar_on_a_terminal(cluster):
    hide_bookings(cluster, 20)
    master, slave = pty.openpty()
    process = start_backfill(
        cluster, "--batch", "10", "--sleep", "300", stdout=subprocess.DEVNULL, stderr=slave
    )
    os.close(slave)
    written = b""
    try:
        for part in iter(functools.partial(os.read, master, 4096), b""):
            written += part
    except OSError:
        pass  # the other end is closed
    os.close(master)
    assert process.wait(30) == 0
    bars = re.findall(rb"\r\[([# ]{30})\] (\d+) of 20 rooms, \d+/s, \d+:\d\d left", written)
    assert written.startswith(b"looking for active bookings without a room ...\r\033[K")
    assert bars == [(b"#" * 15 + b" " * 15, b"10"), (b"#" * 30, b"20")]


def test_completion_knows_both():
    done = subprocess.run(
        ["bash", "-c", "source deploy/completion/chatgate.bash; COMP_WORDS=(chatgate backfill --b);"
         " COMP_CWORD=2; _chatgate; echo ${COMPREPLY[@]}; COMP_WORDS=(chatgate ver); COMP_CWORD=1;"
         " _chatgate; echo ${COMPREPLY[@]}"],
        cwd=ROOT, capture_output=True, text=True,
    )
    assert done.stdout.split("\n")[:2] == ["--batch", "verify version"]
