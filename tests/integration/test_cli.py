# SPDX-License-Identifier: Apache-2.0
"""The command line: every verb by what it prints and how it ends, against real servers."""

import json
import os
import pty
import re
import secrets
import subprocess
import threading

import pytest

from cluster import ROOT, chatgate_binary, clean_environment
from services import Redis
from tokens import Hs256

USAGE, DATAERR, NOUSER, UNAVAILABLE, SOFTWARE, CONFIG = 64, 65, 67, 69, 70, 78

TEACHER = "018f6d1e-7b7a-7c3f-9f5e-1d2c3b4a5968"


def run(*arguments, stdin="", env=None, **options):
    return subprocess.run(
        [chatgate_binary(), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**clean_environment(), **(env or {})},
        **options,
    )


@pytest.fixture(scope="module")
def secret():
    return secrets.token_hex(32)


@pytest.fixture(scope="module")
def migrated(postgres):
    """A database with all migrations, for tests that only read."""
    postgres.create_database("cli_migrated", template="template1")
    done = run("migrate", "up", "--database-url", postgres.url("cli_migrated"))
    assert done.returncode == 0, done.stderr
    return "cli_migrated"


@pytest.fixture
def empty(postgres):
    """A database with nothing in it."""
    name = f"cli_{secrets.token_hex(4)}"
    postgres.create_database(name, template="template1")
    yield name
    postgres.drop_database(name)


@pytest.fixture
def write_ini(tmp_path, postgres, redis_server, secret, migrated):
    """Writes a good configuration; settings override it by section."""

    def write(mode=0o600, **sections):
        settings = {
            "database": {"url": postgres.url(migrated)},
            "redis": {"url": redis_server.url, "key": "k" * 16},
            "auth": {"hs256_secret": secret, "bcrypt_cost": 4},
            "messages": {"text_key": "t" * 16},
            "limits": {"connections": 100},
        }
        for section, keys in sections.items():
            settings.setdefault(section, {}).update(keys)
        path = tmp_path / "chatgate.ini"
        path.touch(mode=0o600)
        path.write_text(
            "".join(
                f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                for section, keys in settings.items()
            )
        )
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def ini(write_ini):
    return write_ini()


def verbs():
    listed = re.findall(r"^  ([a-z-]+) {2,}\S", run("help").stdout, re.M)
    assert "serve" in listed and "help" in listed
    return listed


# Usage


def test_without_a_verb_it_lists_them():
    done = run()
    assert done.returncode == USAGE and done.stdout == ""
    assert "serve" in done.stderr and "First steps" in done.stderr
    asked = run("--help")
    assert asked.returncode == 0 and asked.stdout == done.stderr


def test_every_verb_explains_itself():
    for verb in verbs():
        for arguments in ([verb, "--help"], ["help", verb]):
            done = run(*arguments)
            assert done.returncode == 0, (arguments, done.stderr)
            assert done.stdout and done.stderr == ""
        if verb != "help":
            assert f"chatgate {verb}" in done.stdout.splitlines()[0]
            assert "usage" in done.stdout.lower()


def test_help_has_no_lines_wider_than_a_terminal():
    for verb in verbs():
        for line in run("help", verb).stdout.splitlines():
            assert len(line) <= 100, line


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["sevre"], "did you mean 'serve'?"),
        (["colour"], "`chatgate help` lists them"),
        (["help", "migrat"], "did you mean 'migrate'?"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "extra"], "extra"),
        (["serve", "--port"], "--port"),
        (["config"], "--show"),
        (["config", "--show", "extra"], "extra"),
        (["check-config", "extra"], "extra"),
        (["doctor", "extra"], "extra"),
        (["migrate"], "say up, status or adopt"),
        (["migrate", "down"], "say up, status or adopt"),
        (["migrate", "up", "50"], "takes no arguments"),
        (["migrate", "adopt"], "say which versions"),
        (["token"], "say mint"),
        (["token", "mint", "extra"], "say mint"),
        (["token", "verify", "eyJhbGciOi"], "standard input"),
        (["token", "mint", "--user", "42"], "is no UUID"),
        (["token", "mint", "--user", TEACHER, "--role", "king"], "is no role"),
        (["token", "mint", "--user", TEACHER, "--ttl", "0"], "is no number of seconds"),
        (["token", "mint", "--user", TEACHER, "--ttl", "1h"], "is no number of seconds"),
        (["user", "remove"], "say add or passwd"),
        (["user", "passwd"], "--email"),
        (["user", "passwd", "--email", "nobody"], "--email"),
        (["user", "add", "--email", "a@b"], "--role"),
        (["user", "add", "--email", "a@b", "--role", "king"], "--role"),
        (["user", "add", "--email", "a@b", "--role", "student"], "--first-name"),
        (["version", "--verbose"], "--verbose"),
    ],
)
def test_wrong_usage_is_64_with_a_hint(arguments, hint):
    done = run(*arguments)
    assert done.returncode == USAGE, done.stderr
    assert hint in done.stderr
    assert done.stdout == ""


def test_a_full_disk_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [chatgate_binary(), "config", "--example"], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 74
    assert b"standard output" in done.stderr


def test_version():
    done = run("version")
    assert re.fullmatch(r"chatgate \d+\.\d+\.\d+ \(protocol chatgate\.v1, schema \w+\)\n", done.stdout)
    as_json = json.loads(run("version", "--json").stdout)
    assert as_json["protocol"] == "chatgate.v1" and as_json["version"] in done.stdout
    assert run("--version").stdout == done.stdout


def test_completion_knows_every_verb_and_option():
    text = (ROOT / "deploy/completion/chatgate.bash").read_text()
    for verb in verbs():
        assert re.search(rf"\b{verb}\b", text), verb
        for option in re.findall(r"--[a-z][a-z-]+", run("help", verb).stdout.split("Examples")[0]):
            assert option in text, (verb, option)


def test_completion_completes():
    script = (
        f"source {ROOT}/deploy/completion/chatgate.bash; "
        "COMP_WORDS=(chatgate migrate st); COMP_CWORD=2; _chatgate; echo \"${COMPREPLY[@]}\"; "
        "COMP_WORDS=(chatgate se); COMP_CWORD=1; _chatgate; echo \"${COMPREPLY[@]}\"; "
        "COMP_WORDS=(chatgate token --us); COMP_CWORD=2; _chatgate; echo \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stdout.split("\n")[:3] == ["status", "serve", "--user"], done


# Configuration


def test_the_example_file_is_what_the_program_prints():
    assert (ROOT / "deploy/chatgate.ini.example").read_text() == run("config", "--example").stdout


def test_the_example_file_is_read_back_as_the_defaults(tmp_path):
    example = run("config", "--example").stdout
    opened = re.sub(r"^;", "", example, flags=re.M)
    path = tmp_path / "all.ini"
    path.write_text(opened)
    read = json.loads(run("config", "--show", "--json", "--config", path).stdout)
    defaults = json.loads(run("config", "--show", "--json").stdout)
    assert {key: row["value"] for key, row in read.items()} == {
        key: row["value"] for key, row in defaults.items()
    }
    assert all(row["source"].startswith(str(path)) for row in read.values())


def test_show_says_where_each_setting_comes_from(ini):
    done = run(
        "config", "--show", "--json", "-c", ini, "--set", "listen.port=9001",
        env={"CHATGATE_LOG_LEVEL": "debug"},
    )
    shown = json.loads(done.stdout)
    assert shown["listen.port"] == {
        "value": 9001, "source": "--set listen.port", "reloadable": False,
    }
    assert shown["log.level"]["source"] == "CHATGATE_LOG_LEVEL"
    assert re.fullmatch(rf"{ini}:\d+", shown["limits.connections"]["source"])
    assert shown["limits.frame_bytes"]["source"] == "default"


def test_show_hides_secrets(ini, secret):
    for arguments in ([], ["--json"]):
        done = run(
            "config", "--show", "-c", ini, *arguments,
            env={"CHATGATE_REDIS_PASSWORD": "hunter2",
                 "CHATGATE_DATABASE_URL": "postgresql://anna:hunter2@db/chat"},
        )
        assert done.returncode == 0
        assert "hunter2" not in done.stdout and secret not in done.stdout
        assert "postgresql://anna:***@db/chat" in done.stdout


def test_secrets_in_argv_are_refused(ini):
    done = run("config", "--show", "-c", ini, "--set", "redis.key=hunter2")
    assert done.returncode == USAGE
    assert "CHATGATE_REDIS_KEY_FILE" in done.stderr and "hunter2" not in done.stderr
    done = run("migrate", "status", "--database-url", "postgresql://anna:hunter2@db/chat")
    assert done.returncode == USAGE and "hunter2" not in done.stderr


def test_a_good_configuration_is_good(ini):
    done = run("check-config", "-c", ini)
    assert (done.returncode, done.stdout) == (0, "the configuration is good\n"), done.stderr
    assert json.loads(run("check-config", "-c", ini, "--json").stdout) == {"ok": True, "errors": []}


def test_every_fault_is_told_at_once(write_ini):
    path = write_ini(
        listen={"prot": 1}, limits={"history_page": "many"}, colours={"ink": "blue"}
    )
    for verb in ("check-config", "serve", "doctor", "migrate status".split()):
        done = run(*([verb] if isinstance(verb, str) else verb), "-c", path)
        assert done.returncode == CONFIG
        assert "unknown key listen.prot; did you mean port in [listen]?" in done.stderr
        assert "'many' is not a whole number (1 to 1000)" in done.stderr
        assert "unknown key colours.ink" in done.stderr
        assert re.search(rf"^{path}:\d+: ", done.stderr, re.M)
    listed = json.loads(run("check-config", "-c", path, "--json").stdout)
    assert listed["ok"] is False and len(listed["errors"]) == 3


def test_a_configuration_that_is_not_there(tmp_path):
    done = run("check-config", "-c", tmp_path / "missing.ini")
    assert done.returncode == CONFIG
    assert "missing.ini: No such file or directory" in done.stderr


def test_a_readable_file_with_secrets_is_refused(write_ini):
    path = write_ini(mode=0o644)
    done = run("check-config", "-c", path)
    assert done.returncode == CONFIG
    assert "redis.key is a secret, but group or others may access this file (mode 0644)" in done.stderr


def test_secrets_from_files_and_credentials(tmp_path, secret):
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text("k" * 16 + "\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "auth.hs256_secret").write_text(secret)
    (credentials / "messages.text_key").write_text("t" * 16)
    done = run(
        "check-config",
        env={"CHATGATE_REDIS_KEY_FILE": str(tmp_path / "key"),
             "CREDENTIALS_DIRECTORY": str(credentials)},
    )
    assert done.returncode == 0, done.stderr


def test_serve_refuses_what_check_config_refuses(write_ini):
    done = run("serve", "-c", write_ini(redis={"key": "short"}))
    assert done.returncode == CONFIG
    assert "redis.key: has fewer than 16 characters" in done.stderr


def test_serve_refuses_a_database_without_migrations(write_ini, postgres, empty):
    done = run("serve", "-c", write_ini(database={"url": postgres.url(empty)}, log={"format": "json"}))
    assert done.returncode == CONFIG
    line = json.loads(done.stderr.splitlines()[-1])
    assert line["level"] == "error" and "run `chatgate migrate up`" in line["reason"]


# Migrations


def migration_files():
    return sorted(path.stem for path in (ROOT / "sql/migrations").glob("*.sql"))


def test_migrate_up_on_an_empty_database(postgres, empty):
    url = postgres.url(empty)
    before = run("migrate", "status", "--database-url", url, "--json")
    assert before.returncode == CONFIG
    assert json.loads(before.stdout)["pending"] == len(migration_files())

    done = run("migrate", "up", "--database-url", url, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ok": True, "applied": migration_files(), "error": None}
    for name in migration_files():
        assert re.search(rf"^{name}: applied in \d+ ms$", done.stderr, re.M)

    again = run("migrate", "up", "--database-url", url, "--json")
    assert json.loads(again.stdout) == {"ok": True, "applied": [], "error": None}
    status = run("migrate", "status", "--database-url", url)
    assert status.returncode == 0, status.stderr
    assert status.stdout.count(" applied ") == len(migration_files())
    with postgres.connect(empty) as db:
        rows = db.execute("SELECT name, sha256, adopted FROM chatgate_migrations ORDER BY version")
        for name, sha256, adopted in rows.fetchall():
            path = ROOT / f"sql/migrations/{name}.sql"
            digest = subprocess.run(["sha256sum", path], capture_output=True, text=True).stdout
            assert digest.split()[0] == sha256 and not adopted


def test_many_at_once_apply_each_migration_once(postgres, empty):
    url = postgres.url(empty)
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(run("migrate", "up", "--database-url", url, "--json"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in results] == [0] * 4, [done.stderr for done in results]
    applied = [name for done in results for name in json.loads(done.stdout)["applied"]]
    assert sorted(applied) == migration_files()
    assert any("waiting for it" in done.stderr for done in results)


def test_migrate_beside_the_platforms_tables(postgres, empty):
    """A table that the platform has made keeps what it has."""
    with postgres.connect(empty, role="chatgate") as db:
        db.execute(
            "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255) UNIQUE NOT NULL,"
            " password_hash varchar(255), first_name varchar(100), last_name varchar(100),"
            " role varchar(50), created_at timestamp, updated_at timestamp, deleted_at timestamp,"
            " phone text)"
        )
        db.execute("INSERT INTO users (id, email, role) VALUES (%s, 'a@b.c', 'teacher')", [TEACHER])
    done = run("migrate", "up", "--database-url", postgres.url(empty))
    assert done.returncode == 0, done.stderr
    with postgres.connect(empty) as db:
        assert db.execute("SELECT email, phone FROM users").fetchall() == [("a@b.c", None)]


def test_a_changed_migration_is_named(postgres, empty):
    url = postgres.url(empty)
    assert run("migrate", "up", "--database-url", url).returncode == 0
    with postgres.connect(empty) as db:
        db.execute("UPDATE chatgate_migrations SET sha256 = repeat('0', 64) WHERE version = 50")
    for action in ("up", "status"):
        done = run("migrate", action, "--database-url", url)
        assert done.returncode == CONFIG
        assert "050_chat_on_booking.sql was applied to this database with another content" in done.stderr


def test_a_newer_database(postgres, empty, write_ini):
    url = postgres.url(empty)
    assert run("migrate", "up", "--database-url", url).returncode == 0
    with postgres.connect(empty) as db:
        db.execute(
            "INSERT INTO chatgate_migrations (version, name, sha256, duration_ms)"
            " VALUES (999, '999_future', 'x', 1)"
        )
    path = write_ini(database={"url": url}, log={"format": "json"})
    for arguments in (["migrate", "up"], ["migrate", "status"], ["serve"]):
        done = run(*arguments, "-c", path)
        assert done.returncode == CONFIG
        assert "the database has 999_future, which this program" in done.stderr
    with postgres.connect(empty) as db:
        db.execute("INSERT INTO chatgate_settings (name, value) VALUES ('compatible_from', '50')")
    assert run("migrate", "status", "-c", path).returncode == 0
    assert run("migrate", "up", "-c", path).returncode == CONFIG


def test_adopt(postgres, empty):
    url = postgres.url(empty)
    with postgres.connect(empty, role="chatgate") as db:
        db.execute((ROOT / "sql/migrations/040_base.sql").read_text())
    done = run("migrate", "adopt", "40", "--database-url", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "040 is recorded as applied\n"
    done = run("migrate", "adopt", "40", "--database-url", url)
    assert done.returncode == DATAERR and "040_base is in the ledger already" in done.stderr
    done = run("migrate", "adopt", "999", "--database-url", url)
    assert done.returncode == DATAERR and "no migration 999" in done.stderr
    assert run("migrate", "up", "--database-url", url).returncode == 0
    rows = json.loads(run("migrate", "status", "--database-url", url, "--json").stdout)
    assert [row["state"] for row in rows["migrations"][:2]] == ["adopted", "applied"]


def test_a_locked_table_is_tried_again(postgres, empty):
    """A migration never queues for long behind a lock, and gets through once it is gone."""
    url = postgres.url(empty)
    with postgres.connect(empty, role="chatgate") as db:
        db.execute((ROOT / "sql/migrations/040_base.sql").read_text())
    with postgres.connect(empty, role="chatgate") as holder:
        holder.autocommit = False
        holder.execute("LOCK TABLE messages IN ACCESS SHARE MODE")
        migration = subprocess.Popen(
            [chatgate_binary(), "migrate", "up", "--database-url", url],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(),
        )
        for line in migration.stderr:
            if "trying again" in line:
                assert "SQLSTATE 55P03" in line
                break
        holder.rollback()
    _, rest = migration.communicate(timeout=60)
    assert migration.returncode == 0, rest


def test_a_failing_migration_names_its_file(postgres, empty):
    """A view on the platform's table stands in the way: the database says so, and so do we."""
    url = postgres.url(empty)
    with postgres.connect(empty) as db:
        db.execute("CREATE TABLE users (id integer PRIMARY KEY)")
        db.execute("ALTER TABLE users OWNER TO chatgate")
    done = run("migrate", "up", "--database-url", url, "--json")
    assert done.returncode == SOFTWARE
    assert re.search(r"^chatgate: 0\d\d_\w+\.sql(:\d+)?: .* \(SQLSTATE \w{5}\)$", done.stderr, re.M)
    assert json.loads(done.stdout)["ok"] is False
    applied = json.loads(done.stdout)["applied"]
    with postgres.connect(empty) as db:
        ledger = db.execute("SELECT name FROM chatgate_migrations ORDER BY version").fetchall()
    assert [name for name, in ledger] == applied


def test_migrate_without_a_server(tmp_path):
    done = run("migrate", "up", "--database-url", f"postgresql:///x?host={tmp_path}")
    assert done.returncode == UNAVAILABLE
    assert "cannot reach the database" in done.stderr


# Doctor


def findings(*arguments, **options):
    done = run("doctor", "--json", *arguments, **options)
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    for row in report["findings"]:
        assert (row["level"] == "ok") <= (row["advice"] is None), row
    return done.returncode, report["findings"]


def subjects(rows, *levels):
    return {row["subject"] for row in rows if row["level"] in levels}


def test_doctor_finds_a_good_installation_good(ini):
    status, rows = findings("-c", ini)
    assert status == 0, rows
    assert subjects(rows, "ok") >= {
        "config", "keys", "certificate", "open files", "database", "connections", "clock", "rights",
        "migrations", "redis",
    }
    text = run("doctor", "-c", ini)
    assert text.returncode == 0 and "\033" not in text.stdout


def test_doctor_without_servers(write_ini, tmp_path):
    path = write_ini(
        database={"url": f"postgresql:///x?host={tmp_path}"},
        redis={"url": f"unix:{tmp_path}/redis.sock"},
    )
    status, rows = findings("-c", path)
    assert status == UNAVAILABLE
    assert subjects(rows, "down") == {"database", "redis"}


def test_doctor_finds_missing_migrations_and_rights(write_ini, postgres, empty):
    status, rows = findings("-c", write_ini(database={"url": postgres.url(empty)}))
    assert status == CONFIG and subjects(rows, "fault") == {"migrations"}
    assert run("migrate", "up", "--database-url", postgres.url(empty)).returncode == 0
    with postgres.connect(empty) as db:
        db.execute("DROP ROLE IF EXISTS cli_poor")
        db.execute("CREATE ROLE cli_poor LOGIN")
        db.execute("GRANT SELECT ON chatgate_migrations, users, messages TO cli_poor")
    status, rows = findings(
        "-c", write_ini(database={"url": postgres.url(empty, role="cli_poor")})
    )
    assert status == CONFIG
    rights, = (row for row in rows if row["subject"] == "rights")
    assert "INSERT on messages" in rights["finding"] and "SELECT on messages" not in rights["finding"]
    assert "SELECT on users" not in rights["finding"]


def test_doctor_finds_certificates_that_run_out(write_ini, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "5", "-subj", "/CN=x", "-keyout", tmp_path / "key",
         "-out", tmp_path / "certificate"],
        check=True, capture_output=True,
    )
    path = write_ini(
        listen={"tls_certificate": tmp_path / "certificate", "tls_key": tmp_path / "key"}
    )
    status, rows = findings("-c", path)
    certificate, = (row for row in rows if row["subject"] == "certificate")
    assert certificate["level"] == "warning"
    assert re.search("expires in [45] days", certificate["finding"])
    assert status == 0


def test_doctor_finds_too_few_descriptors(write_ini):
    path = write_ini(limits={"connections": 10000000})
    status, rows = findings("-c", path)
    assert status == 0 and subjects(rows, "warning") >= {"open files"}


def test_doctor_finds_a_wrong_redis_password(write_ini):
    server = Redis()
    try:
        server.client().config_set("requirepass", "right")
        path = write_ini(redis={"url": server.url})
        status, rows = findings("-c", path, env={"CHATGATE_REDIS_PASSWORD": "wrong"})
        assert status == CONFIG and subjects(rows, "fault") == {"redis"}
        status, rows = findings("-c", path)
        assert status == CONFIG and subjects(rows, "fault") == {"redis"}
        status, rows = findings("-c", path, env={"CHATGATE_REDIS_PASSWORD": "right"})
        assert status == 0
    finally:
        server.destroy()


# Tokens


def test_a_minted_token_verifies(ini):
    minted = run("token", "mint", "-c", ini, "--user", TEACHER, "--role", "teacher", "--ttl", "60")
    assert minted.returncode == 0, minted.stderr
    for arguments in ([], ["-"]):
        done = run("token", "verify", *arguments, "-c", ini, stdin=minted.stdout)
        claims = json.loads(done.stdout)
        assert done.returncode == 0 and claims["result"] == "ok"
        assert (claims["sub"], claims["role"], claims["kid"]) == (TEACHER, "teacher", "default")
    as_json = json.loads(run("token", "mint", "-c", ini, "--user", TEACHER, "--json").stdout)
    assert set(as_json) == {"token", "expires_at"}
    assert "role" not in json.loads(run("token", "verify", "-c", ini, stdin=as_json["token"]).stdout)


def test_bad_tokens_are_65(ini, secret):
    cases = {
        "": None,
        "x" * 9000: None,
        "nonsense": "malformed",
        Hs256("y" * 40).mint(TEACHER, 60): "bad_signature",
        Hs256(secret).mint(TEACHER, -60): "expired",
    }
    for token, result in cases.items():
        done = run("token", "verify", "-c", ini, stdin=token)
        assert done.returncode == DATAERR, (token, done)
        if result:
            assert json.loads(done.stdout)["result"] == result


def test_mint_needs_a_user_and_a_key(ini, tmp_path):
    assert run("token", "mint", "-c", ini).returncode == USAGE
    done = run("token", "mint", "--user", TEACHER)
    assert done.returncode == CONFIG and "auth.hs256_secret" in done.stderr
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "private"], check=True
    )
    subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "private", "-pubout", "-out", tmp_path / "public"],
        check=True,
    )
    (tmp_path / "private").chmod(0o600)
    public = {"CHATGATE_AUTH_KEYS": f"a:EdDSA:{tmp_path}/public"}
    private = {"CHATGATE_AUTH_KEYS": f"a:EdDSA:{tmp_path}/private"}
    done = run("token", "mint", "--user", TEACHER, env=public)
    assert done.returncode == CONFIG and "a public key only verifies" in done.stderr
    token = run("token", "mint", "--user", TEACHER, env=private).stdout
    assert json.loads(run("token", "verify", stdin=token, env=public).stdout)["kid"] == "a"


# Users


@pytest.fixture
def email():
    return f"{secrets.token_hex(4)}@test.example"


def add(ini, email, password, *more):
    return run(
        "user", "add", "-c", ini, "--email", email, "--role", "teacher", "--first-name", "Anna",
        "--last-name", "Иванова", *more, stdin=password,
    )


def hash_of(postgres, migrated, email):
    with postgres.connect(migrated) as db:
        return db.execute("SELECT password_hash FROM users WHERE email = %s", [email]).fetchone()[0]


def test_users_are_added_and_changed(ini, postgres, migrated, email):
    done = add(ini, email, "one password\n", "--json")
    assert done.returncode == 0, done.stderr
    added = json.loads(done.stdout)
    assert added["result"] == "added" and added["email"] == email
    first = hash_of(postgres, migrated, email)
    assert first.startswith("$2b$04$") and len(first) == 60
    again = json.loads(add(ini, email, "one password", "--json").stdout)
    assert again == {**added, "result": "changed"}

    done = run("user", "passwd", "-c", ini, "--email", email, stdin="another\n")
    assert (done.returncode, done.stdout) == (0, f"changed {email} ({added['id']})\n")
    assert hash_of(postgres, migrated, email) != first
    with postgres.connect(migrated) as db:
        row = db.execute(
            "SELECT id::text, role, first_name, last_name FROM users WHERE email = %s", [email]
        ).fetchone()
    assert row == (added["id"], "teacher", "Anna", "Иванова")


@pytest.mark.parametrize("password", ["", "\n", "x" * 73 + "\n", "a\0b\n"])
def test_passwords_that_are_refused(ini, email, password):
    done = add(ini, email, password)
    assert done.returncode == DATAERR
    assert "password" in done.stderr and (not password.strip() or password.strip() not in done.stderr)


def test_nobodys_password(ini):
    done = run("user", "passwd", "-c", ini, "--email", "nobody@test.example", stdin="x\n")
    assert done.returncode == NOUSER and "nobody has the address" in done.stderr


def test_a_password_is_not_shown_on_a_terminal(ini, email):
    def ask(first, second):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(
                chatgate_binary(),
                ["chatgate", "user", "add", "-c", str(ini), "-e", email, "-r", "student",
                 "-f", "A", "-l", "B"],
                clean_environment(),
            )
        shown = b""
        for prompt, answer in ((b"Password: ", first), (b"again: ", second)):
            while not shown.endswith(prompt):
                shown += os.read(terminal, 1024)
            os.write(terminal, answer)
        try:
            while piece := os.read(terminal, 1024):
                shown += piece
        except OSError:
            pass
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown

    status, shown = ask(b"hunter2\n", b"hunter2\n")
    assert status == 0 and b"added" in shown and b"hunter2" not in shown
    status, shown = ask(b"hunter2\n", b"hunter3\n")
    assert status == DATAERR and b"two different passwords" in shown and b"hunter" not in shown


def test_users_without_a_server(write_ini, tmp_path, email):
    path = write_ini(database={"url": f"postgresql:///x?host={tmp_path}"})
    assert add(path, email, "password").returncode == UNAVAILABLE


# Colours


def test_no_color():
    def on_terminal(**env):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(chatgate_binary(), ["chatgate", "help"], {**clean_environment(), **env})
        shown = b""
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:
            pass
        os.close(terminal)
        os.waitpid(child, 0)
        return shown

    assert b"\033[1m" in on_terminal(NO_COLOR="")
    assert b"\033" not in on_terminal(NO_COLOR="1")


def sequence(*messages):
    return json.dumps({"id": "s1", "messages": messages}) + "\n"


def test_sequences_take_texts_and_objects():
    for messages in (["8912", "3456789"], [{"text": "8912"}, {"text": "3456789"}]):
        done = run("moderation", "check", "--sequences", stdin=sequence(*messages))
        assert json.loads(done.stdout)["labels"] == ["contact_phone"], done


@pytest.mark.parametrize("row", [sequence(3), sequence({"message": "x"}), '{"id": 1}\n', "[]\n", "8\n"])
def test_a_row_that_is_no_sequence_is_named(row):
    done = run("moderation", "check", "--sequences", stdin=sequence("hello") + row)
    assert done.returncode == DATAERR
    assert "line 2" in done.stderr and '"messages"' in done.stderr
