# SPDX-License-Identifier: Apache-2.0
"""deploy/verify-chat-creation.sh: each fault is named, alone; looking changes nothing."""

import functools
import json
import os
import pty
import re
import socket
import subprocess
import threading

import pytest

import people
from cluster import ROOT, Cluster, clean_environment

SCRIPT = ROOT / "deploy/verify-chat-creation.sh"
PASSWORD = "correct-horse-battery"
TRIGGERS = {
    "booking_create_chat": "bookings",
    "booking_create_chat_update": "bookings",
    "chatgate_rooms_made": "chat_rooms",
    "chatgate_room_moved": "chat_rooms",
    "chatgate_room_gone": "chat_rooms",
}


@pytest.fixture
def cluster(postgres, redis_server):
    """A database for each test; no node is needed."""
    cluster = Cluster(postgres=postgres, redis=redis_server, start=False)
    yield cluster
    cluster.destroy()


def environment(cluster, **more):
    return {
        **clean_environment(),
        "DB_HOST": str(cluster.postgres.folder),
        "DB_NAME": cluster.database,
        "DB_USER": "operator",
        **more,
    }


def verify(cluster, *arguments, cwd="/", script=SCRIPT, **more):
    return subprocess.run(
        [script, *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=cwd,
        env=environment(cluster, **more),
    )


def check(cluster, *arguments):
    """The JSON of a run, whose verdict must agree with its exit status and with the text's."""
    done = verify(cluster, "--json", *arguments)
    result = json.loads(done.stdout)
    assert done.returncode == (0 if result["healthy"] else 1), done.stdout + done.stderr
    assert result["healthy"] == (result["faults"] == [])
    return result


def dump(cluster):
    """The database as text; newer pg_dumps put a random word into it, so such lines are left out."""
    done = subprocess.run(
        ["pg_dump", "-h", str(cluster.postgres.folder), "-U", "operator", cluster.database],
        capture_output=True, text=True, check=True,
    )
    return [line for line in done.stdout.splitlines() if "restrict" not in line]


def names_only(cluster, *faults):
    """--check-only names these faults and no others, and leaves everything as it was."""
    before = dump(cluster)
    done = verify(cluster, "--check-only")
    assert done.returncode == 1
    named = re.findall(r"^  FAIL  (.*)$", done.stdout, re.M)
    assert sorted(named) == sorted(faults), done.stdout
    assert dump(cluster) == before


def repairs(cluster):
    result = check(cluster, "--backfill")
    assert result["faults"] == []
    return result


def hidden_booking(cluster):
    """A booking that made no room."""
    teacher, student = (people.add_user(cluster, role) for role in ("teacher", "student"))
    lesson = people.add_lesson(cluster, teacher)
    cluster.query("ALTER TABLE bookings DISABLE TRIGGER USER")
    booking = people.add_booking(cluster, lesson, student)
    cluster.query("ALTER TABLE bookings ENABLE TRIGGER USER")
    return teacher, student, booking


def rooms(cluster, teacher, student):
    return cluster.query(
        "SELECT deleted_at IS NULL FROM chat_rooms WHERE teacher_id = %s AND student_id = %s",
        teacher.id, student.id,
    )


def test_a_healthy_database(cluster):
    people.add_pair(cluster)
    result = check(cluster)
    assert result["healthy"] and result["warnings"] == [] and result["rooms_made"] is None
    assert {row["trigger"] for row in result["checks"]["triggers"]} == set(TRIGGERS)
    assert {"name": "rooms", "value": 1} in result["checks"]["statistics"]
    before = dump(cluster)
    done = verify(cluster, "--check-only", "--verbose")
    assert done.returncode == 0 and done.stderr == ""
    assert "Healthy." in done.stdout and "CREATE TRIGGER booking_create_chat " in done.stdout
    assert dump(cluster) == before


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_dropped_trigger(cluster, trigger):
    cluster.query(f"DROP TRIGGER {trigger} ON {TRIGGERS[trigger]}")
    names_only(cluster, f"trigger {trigger}: missing")
    assert repairs(cluster)["repaired"]


@pytest.mark.parametrize(
    "trigger, how",
    [(trigger, "DISABLE") for trigger in TRIGGERS] + [("booking_create_chat", "ENABLE REPLICA")],
)
def test_a_disabled_trigger(cluster, trigger, how):
    cluster.query(f"ALTER TABLE {TRIGGERS[trigger]} {how} TRIGGER {trigger}")
    names_only(cluster, f"trigger {trigger}: disabled")
    repairs(cluster)


def test_a_trigger_that_fires_at_another_time(cluster):
    cluster.query(
        "CREATE OR REPLACE TRIGGER booking_create_chat BEFORE DELETE ON bookings"
        " FOR EACH ROW EXECUTE FUNCTION create_chat_on_booking_active()"
    )
    names_only(cluster, "trigger booking_create_chat: changed")
    repairs(cluster)


def test_a_trigger_of_that_name_that_does_something_else(cluster):
    cluster.query(
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    cluster.query("DROP TRIGGER booking_create_chat ON bookings")
    cluster.query(
        "CREATE TRIGGER booking_create_chat BEFORE INSERT ON bookings"
        " FOR EACH ROW EXECUTE FUNCTION other()"
    )
    names_only(cluster, "trigger booking_create_chat: missing")
    repairs(cluster)


@pytest.mark.parametrize(
    "function",
    [
        "create_chats_for_active_bookings", "create_chats_for_completed_lessons",
        "chatgate_make_room", "chatgate_missing_rooms", "chatgate_make_rooms",
        "chatgate_backfill_rooms", "chatgate_room_way", "chatgate_hint",
    ],
)
def test_a_dropped_function(cluster, function):
    """Without some of these the triggers still fire, and can only give way."""
    cluster.query(f"DROP ROUTINE {function}")
    names_only(cluster, f"function {function}: missing")
    repairs(cluster)
    people.add_pair(cluster)
    assert check(cluster)["healthy"]


@pytest.mark.parametrize(
    "function, triggers",
    [
        ("chatgate_log_rooms_made", ["chatgate_rooms_made"]),
        ("chatgate_log_room_moved", ["chatgate_room_gone", "chatgate_room_moved"]),
    ],
)
def test_a_dropped_function_that_notes_rooms(cluster, function, triggers):
    cluster.query(f"DROP FUNCTION {function}() CASCADE")
    names_only(
        cluster, f"function {function}: missing", *(f"trigger {name}: missing" for name in triggers)
    )
    repairs(cluster)
    assert cluster.query("SELECT proowner::regrole::text FROM pg_proc WHERE proname = %s",
                         function) == [("chatgate",)]
    people.add_pair(cluster)
    assert cluster.query("SELECT change FROM chat_room_changes") == [("created",)]


def test_the_trigger_function_takes_its_triggers_along(cluster):
    cluster.query("DROP FUNCTION create_chat_on_booking_active() CASCADE")
    names_only(
        cluster,
        "function create_chat_on_booking_active: missing",
        "trigger booking_create_chat: missing",
        "trigger booking_create_chat_update: missing",
    )
    repairs(cluster)
    owner = cluster.query(
        "SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'create_chat_on_booking_active'"
    )
    assert owner == [("chatgate",)]  # and not the operator, who may do everything
    people.add_pair(cluster)
    assert check(cluster)["healthy"]


def test_a_trigger_function_that_lost_its_rights(cluster):
    cluster.query("ALTER FUNCTION create_chat_on_booking_active() SECURITY INVOKER")
    names_only(cluster, "function create_chat_on_booking_active: unsafe")
    repairs(cluster)


def test_what_migration_049_left(cluster):
    cluster.query(
        "CREATE FUNCTION create_chat_after_lesson_completion() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'"
    )
    cluster.query(
        "CREATE TRIGGER lesson_completion_create_chat AFTER UPDATE ON lessons"
        " FOR EACH ROW EXECUTE FUNCTION create_chat_after_lesson_completion()"
    )
    names_only(
        cluster,
        "trigger lesson_completion_create_chat: superseded",
        "function create_chat_after_lesson_completion: superseded",
    )
    repairs(cluster)


def test_missing_rooms_are_counted_and_made(cluster):
    teacher, student, booking = hidden_booking(cluster)
    names_only(cluster, "candidates: 1 active bookings without a room (1 rooms to make)")
    assert booking in verify(cluster, "--verbose").stdout
    result = repairs(cluster)
    assert result["rooms_made"] == 1 and not result["repaired"]
    assert rooms(cluster, teacher, student) == [(True,)]
    assert repairs(cluster)["rooms_made"] == 0


def test_a_deleted_room_comes_back(cluster):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE chat_rooms SET deleted_at = now()")
    names_only(cluster, "candidates: 1 active bookings without a room (1 rooms to make)")
    assert repairs(cluster)["rooms_made"] == 1
    assert rooms(cluster, pair.teacher, pair.student) == [(True,)]


def test_everything_at_once(cluster):
    cluster.query("DROP FUNCTION create_chat_on_booking_active() CASCADE")
    pairs = [hidden_booking(cluster) for _ in range(3)]
    assert sorted(check(cluster)["faults"]) == [
        "candidates: 3 active bookings without a room (3 rooms to make)",
        "function create_chat_on_booking_active: missing",
        "trigger booking_create_chat: missing",
        "trigger booking_create_chat_update: missing",
    ]
    done = verify(cluster, "--backfill")
    assert done.returncode == 0 and "Rooms made: 3" in done.stdout
    assert all(rooms(cluster, teacher, student) for teacher, student, _ in pairs)


def test_a_room_with_a_wrong_member_is_for_a_person(cluster):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE users SET role = 'moderator' WHERE id = %s", pair.student.id)
    fault = f"invalid_members: room {pair.room}, student {pair.student.id}: role is moderator"
    names_only(cluster, fault)
    assert check(cluster, "--backfill")["faults"] == [fault]


def test_a_room_of_nobody(cluster):
    pair = people.add_pair(cluster)
    nobody = "00000000-0000-4000-8000-000000000000"
    # As a restore without constraints leaves it.
    cluster.query("SET session_replication_role = replica")
    cluster.query("UPDATE chat_rooms SET teacher_id = %s WHERE id = %s", nobody, pair.room)
    cluster.query("DELETE FROM bookings")
    cluster.query("SET session_replication_role = origin")
    names_only(cluster, f"invalid_members: room {pair.room}, teacher {nobody}: no such user")


def test_a_booking_of_no_lesson(cluster):
    pair = people.add_pair(cluster)
    nothing = "00000000-0000-4000-8000-000000000000"
    cluster.query("SET session_replication_role = replica")
    ((booking,),) = cluster.query(
        "UPDATE bookings SET lesson_id = %s WHERE student_id = %s RETURNING id::text",
        nothing, pair.student.id,
    )
    cluster.query("SET session_replication_role = origin")
    names_only(
        cluster, f"bookings_without_lesson: booking {booking}, lesson {nothing}: no such lesson"
    )


def test_a_booking_of_a_deleted_lesson_is_a_warning(cluster):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE lessons SET deleted_at = now() WHERE teacher_id = %s", pair.teacher.id)
    result = check(cluster)
    assert result["healthy"]
    (warning,) = result["warnings"]
    assert warning.endswith("lesson is deleted")


def test_the_proof_that_there_are_no_duplicates(cluster):
    pair = people.add_pair(cluster)
    cluster.query("ALTER TABLE chat_rooms DROP CONSTRAINT chat_rooms_teacher_id_student_id_key")
    cluster.query(
        "INSERT INTO chat_rooms (teacher_id, student_id) VALUES (%s, %s)",
        pair.teacher.id, pair.student.id,
    )
    names_only(
        cluster, f"duplicates: teacher {pair.teacher.id}, student {pair.student.id}: 2 rooms"
    )


def test_the_last_bookings_tell_why_no_trigger_fired(cluster):
    teacher, student = (people.add_user(cluster, role) for role in ("teacher", "student"))
    lesson = people.add_lesson(cluster, teacher)
    booking = people.add_booking(cluster, lesson, student, status="cancelled")
    assert f"{booking}  cancelled, no room" in verify(cluster).stdout


def test_a_database_without_the_platform(cluster, postgres):
    done = verify(cluster, DB_NAME="postgres")
    assert done.returncode == 1 and "bookings" in done.stdout


def test_nothing_is_installed_where_migration_050_never_was(cluster, postgres):
    postgres.create_database("verify_platform", template="template1")
    try:
        base = ROOT / "sql/migrations/040_base.sql"
        with postgres.connect("verify_platform") as db:
            db.execute(base.read_text())
        done = verify(cluster, "--backfill", "--json", DB_NAME="verify_platform")
        faults = json.loads(done.stdout)["faults"]
        assert done.returncode == 1 and "chatgate migrate up" in faults[-1]
        with postgres.connect("verify_platform") as db:
            assert db.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)
    finally:
        postgres.drop_database("verify_platform")


def test_no_server(cluster, tmp_path):
    done = verify(cluster, "--backfill", DB_HOST=str(tmp_path), DB_PASSWORD=PASSWORD)
    assert done.returncode == 1 and "FAIL  connection" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


def test_a_password_is_never_printed(cluster):
    for arguments in (["--backfill", "--verbose"], ["--json"]):
        done = verify(cluster, *arguments, DB_PASSWORD=PASSWORD)
        assert done.returncode == 0 and PASSWORD not in done.stdout + done.stderr


def test_a_refusal_is_a_fault(cluster):
    done = verify(cluster, DB_USER="nobody_at_all")
    assert done.returncode == 1 and "nobody_at_all" in done.stdout
    cluster.query("CREATE ROLE verify_stranger LOGIN")
    try:
        result = json.loads(verify(cluster, "--json", DB_USER="verify_stranger").stdout)
        assert any("permission denied" in fault for fault in result["faults"])
    finally:
        cluster.query("DROP ROLE verify_stranger")


def test_libpqs_own_variables_do(cluster):
    host, name = str(cluster.postgres.folder), cluster.database
    done = verify(cluster, DB_HOST="", DB_NAME="", DB_USER="", PGHOST=host, PGDATABASE=name,
                  PGUSER="operator")
    assert done.returncode == 0, done.stdout
    assert f"{name} as operator" in done.stdout


@pytest.mark.parametrize(
    "arguments, more, hint",
    [
        (["--repair"], {}, "--repair"),
        ([], {"DB_NAME": ""}, "DB_NAME"),
        (["--remote"], {"DB_HOST": ""}, "DB_HOST"),
    ],
)
def test_wrong_usage_is_64(cluster, arguments, more, hint):
    done = verify(cluster, *arguments, **more)
    assert done.returncode == 64 and hint in done.stderr and done.stdout == ""


def test_remote_insists_on_tls(cluster):
    """A server that answers N, "no TLS", hears nothing more; unless that was allowed."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse_tls():
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(8)  # SSLRequest, or a startup message's head
                    connection.sendall(b"N")
                    heard.append(connection.recv(100))

        thread = threading.Thread(target=refuse_tls, daemon=True)
        thread.start()
        address = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.getsockname()[1])}
        done = verify(cluster, "--remote", **address)
        assert done.returncode == 1 and "SSL" in done.stdout, done.stdout
        verify(cluster, "--remote", PGSSLMODE="prefer", **address)
        thread.join(10)
    assert heard[0] == b"" and heard[1] != b""


def test_help(cluster):
    done = verify(cluster, "--help")
    assert done.returncode == 0
    for option in ("--check-only", "--backfill", "--verbose", "--remote", "--json", "DB_PASSWORD"):
        assert option in done.stdout


def test_from_any_folder_through_a_link_and_installed(cluster, tmp_path):
    link = tmp_path / "verify"
    link.symlink_to(SCRIPT)
    assert verify(cluster, cwd=tmp_path, script=link).returncode == 0
    installed = tmp_path / "prefix/bin/verify-chat-creation.sh"
    installed.parent.mkdir(parents=True)
    installed.write_bytes(SCRIPT.read_bytes())
    installed.chmod(0o755)
    assert verify(cluster, script=installed).returncode == 1
    (tmp_path / "prefix/share/chatgate").mkdir(parents=True)
    (tmp_path / "prefix/share/chatgate/sql").symlink_to(ROOT / "sql")
    assert verify(cluster, script=installed).returncode == 0


def test_it_needs_only_bash_and_psql(cluster, tmp_path):
    (tmp_path / "psql").symlink_to("/usr/bin/psql")
    for tool in ("bash", "env", "readlink", "dirname", "mktemp", "head", "rm", "grep"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    done = verify(cluster, PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    (tmp_path / "psql").unlink()
    done = verify(cluster, PATH=str(tmp_path))
    assert done.returncode == 1 and "postgresql-client" in done.stderr


def on_a_terminal(cluster, *arguments, **more):
    """What a run writes to a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, *arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
        env=environment(cluster, **more),
    )
    os.close(slave)
    written = b""
    try:
        for part in iter(functools.partial(os.read, master, 4096), b""):
            written += part
    except OSError:
        pass  # the other end is closed
    os.close(master)
    process.wait(60)
    return written.decode()


def test_colours_and_a_bar_on_a_terminal_only(cluster):
    assert "\033[" not in verify(cluster).stdout
    assert "\033[32m" in on_a_terminal(cluster)
    assert "\033[" not in on_a_terminal(cluster, NO_COLOR="1")
    hidden_booking(cluster)
    written = on_a_terminal(cluster, "--backfill")
    assert f"\r[{'#' * 40}] 1 of 1 rooms" in written
    hidden_booking(cluster)
    assert "[#" not in verify(cluster, "--backfill").stderr
