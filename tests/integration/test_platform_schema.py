# SPDX-License-Identifier: Apache-2.0
"""All migrations leave what the platform owns as it was: they add, and change nothing.

From three starts: an empty database; a platform without chat; one with the chat tables of migration
049 and their data. Everything the catalog knew of the platform's tables before, it knows after.
"""

import subprocess

import pytest

from cluster import ROOT, clean_environment, ensure_template, run_chatgate

FIXTURE = ROOT / "tests/sql/platform/fixture.psql"
WITHOUT_CHAT = """
DROP TRIGGER lesson_completion_create_chat ON lessons;
DROP TRIGGER another_name ON bookings;
DROP FUNCTION create_chat_after_lesson_completion(), create_chats_for_completed_lessons();
DROP TABLE messages, chat_rooms;
"""
SUPERSEDED = {"lesson_completion_create_chat", "another_name"}  # triggers of 049

# (table, kind, name, definition) of everything that hangs on a table.
CATALOG = """
SELECT c.relname, 'table', c.relkind::text, concat_ws(' ', c.relpersistence::text, c.relrowsecurity,
       c.relreplident::text, pg_get_userbyid(c.relowner), c.relacl)
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL
SELECT c.relname, 'column', a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
       a.attnum, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
       a.attcollation, a.attacl)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL
SELECT conrelid::regclass::text, 'constraint', conname,
       concat_ws(' ', pg_get_constraintdef(oid), convalidated, condeferrable)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT tgrelid::regclass::text, 'trigger', tgname, pg_get_triggerdef(oid) || ' ' || tgenabled::text
FROM pg_trigger WHERE NOT tgisinternal
"""

# What the platform's programs read, of the rows that were there.
DATA = {
    "users": "*", "lessons": "*", "bookings": "*",
    "chat_rooms": "id, teacher_id, student_id, last_message_at, created_at",
    "messages": "id, chat_room_id, sender_id, message_text, status, created_at, deleted_at",
}

# spec: id uuid, and what else each table must have.
PLATFORM = {
    "users": "email password_hash first_name last_name role created_at updated_at deleted_at",
    "lessons": "teacher_id student_id start_time end_time created_at updated_at deleted_at",
    "bookings": "lesson_id student_id status created_at updated_at deleted_at",
    "chat_rooms": "teacher_id student_id last_message_at created_at updated_at deleted_at",
    "messages": "chat_room_id sender_id message_text status moderation_completed_at created_at"
                " deleted_at",
}


@pytest.fixture
def platform(postgres):
    """platform(statements): a database as it is before the gateway."""
    ensure_template(postgres)
    postgres.create_database("before_us", template="template1")

    def platform(statements):
        with postgres.connect("before_us", role="chatgate") as db:
            if statements:
                db.execute(statements)
        return postgres.connect("before_us")

    yield platform
    postgres.drop_database("before_us")


def by_program(postgres):
    done = run_chatgate("migrate", "up", "--database-url", postgres.url("before_us"))
    assert done.returncode == 0, done.stderr


def by_psql(postgres):
    for file in sorted((ROOT / "sql/migrations").glob("*.sql")):
        subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", postgres.url("before_us"),
             "-f", file],
            check=True, env=clean_environment(), capture_output=True,
        )


def catalog(db):
    return {tuple(row[:3]): row[3] for row in db.execute(CATALOG).fetchall()}


def data(db):
    there = {row[0] for row in db.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()}
    return {
        table: {tuple(map(str, row)) for row in db.execute(f"SELECT {columns} FROM {table}").fetchall()}
        for table, columns in DATA.items() if table in there
    }


@pytest.mark.parametrize("migrate", [by_program, by_psql])
@pytest.mark.parametrize("chat", [False, True], ids=["without chat", "with 049"])
def test_what_the_platform_had_is_as_it_was(postgres, platform, migrate, chat):
    with platform(FIXTURE.read_text() + ("" if chat else WITHOUT_CHAT)) as db:
        before, rows = catalog(db), data(db)
        assert len(before) > 40
        migrate(postgres)
        migrate(postgres)  # once more changes no more
        after = catalog(db)
        changed = {
            key: (value, after.get(key)) for key, value in before.items()
            if after.get(key) != value and key[2] not in SUPERSEDED
        }
        assert changed == {}
        for table, were in rows.items():
            assert were and were <= {row[: len(next(iter(were)))] for row in data(db)[table]}
        assert not any(name in SUPERSEDED for _, _, name in after)


def test_the_comparison_notices(postgres, platform):
    """Each of these is a change, as an unlucky migration might make it."""
    with platform(FIXTURE.read_text()) as db:
        before = catalog(db)
        for statement in (
            "ALTER TABLE users ALTER COLUMN phone TYPE varchar(30)",
            "ALTER TABLE lessons ALTER COLUMN student_id DROP NOT NULL",
            "ALTER TABLE bookings DROP CONSTRAINT bookings_status_check",
            "ALTER TABLE messages ALTER COLUMN status SET DEFAULT 'delivered'",
            "DROP INDEX idx_messages_room",
            "ALTER TABLE users RENAME COLUMN phone TO telephone",
            "ALTER TABLE lessons DISABLE TRIGGER lesson_completion_create_chat",
            "GRANT SELECT ON users TO PUBLIC",
        ):
            with db.transaction(force_rollback=True):
                db.execute(statement)
                after = catalog(db)
                assert [key for key in before if after.get(key) != before[key]], statement


@pytest.mark.parametrize("migrate", [by_program, by_psql])
def test_an_empty_database_gets_the_platforms_tables(postgres, platform, migrate):
    with platform("") as db:
        migrate(postgres)
        after = catalog(db)
        for table, columns in PLATFORM.items():
            assert after[table, "column", "id"].startswith("uuid 1 t")
            for column in columns.split():
                kind = after[table, "column", column]
                if column.endswith("_at") or column.endswith("_time"):
                    assert kind.startswith("timestamp without time zone"), (table, column)
                elif column.endswith("_id"):
                    assert kind.startswith("uuid"), (table, column)
                elif column == "status":
                    assert kind.startswith("character varying(50)"), (table, column)
        assert any(
            definition.startswith("UNIQUE (teacher_id, student_id)")
            for (table, kind, _), definition in after.items()
            if (table, kind) == ("chat_rooms", "constraint")
        )
        keys = [
            (table, definition) for (table, kind, _), definition in after.items()
            if kind == "constraint"
        ]
        for table, column, other in (
            ("lessons", "teacher_id", "users"), ("lessons", "student_id", "users"),
            ("bookings", "lesson_id", "lessons"), ("bookings", "student_id", "users"),
            ("chat_rooms", "teacher_id", "users"), ("chat_rooms", "student_id", "users"),
            ("messages", "chat_room_id", "chat_rooms"), ("messages", "sender_id", "users"),
        ):
            key = f"FOREIGN KEY ({column}) REFERENCES {other}(id)"
            assert any(one == table and text.startswith(key) for one, text in keys), (table, column)
