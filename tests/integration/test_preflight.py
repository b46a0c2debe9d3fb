# SPDX-License-Identifier: Apache-2.0
"""deploy/preflight.sh: it stops at the first failure, names it, and says what to do."""

import re
import subprocess

import pytest

import people
from cluster import ROOT, chatgate_binary, clean_environment

SCRIPT = ROOT / "deploy/preflight.sh"


@pytest.fixture
def cluster(make_cluster):
    cluster = make_cluster(1)
    yield cluster
    cluster.nodes[0].stop()


@pytest.fixture
def preflight(cluster, tmp_path):
    """Runs the script on the node, beside a systemctl that says what it is told to."""
    node = cluster.nodes[0]

    def run(*arguments, ini=None, active=None, failed=False, admin=True, units=False):
        (tmp_path / "systemctl").write_text(
            "#!/bin/bash\ncase $* in\n"
            f"*state=failed*) {'echo chatgate@2.service loaded failed failed' if failed else 'true'} ;;\n"
            f"*state=active*) {'echo chatgate@1.service loaded active running' if active else 'true'} ;;\n"
            f"is-active*) {'true' if active else 'false'} ;;\nesac\n"
        )
        (tmp_path / "systemctl").chmod(0o755)
        command = [SCRIPT, "--config", ini or node.ini, "--chatgate", chatgate_binary(), *arguments]
        command += ["--admin", node.admin_url] if admin else []
        command += [] if units else ["--no-units"]
        environment = clean_environment()
        environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            env=environment, cwd="/",
        )

    return run


def other_ini(cluster, tmp_path, **changes):
    """The node's settings with some changed."""
    text = cluster.nodes[0].ini.read_text()
    for key, (old, new) in changes.items():
        assert re.search(old, text), key
        text = re.sub(old, lambda _: new, text, count=1)
    path = tmp_path / "other.ini"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def stopped(done, what, advice):
    """It ended with 1, and the first failure was the last thing that it said."""
    assert done.returncode == 1, done.stdout + done.stderr
    failures = re.findall(r"^FAIL  (.*)$", done.stdout, re.M)
    assert len(failures) == 1 and what in failures[0], done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("      -> ") and advice in last, done.stdout


def test_a_good_deploy(preflight, cluster):
    people.add_pair(cluster)
    done = preflight()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("Fit.\n") and "FAIL" not in done.stdout and "\033" not in done.stdout
    for part in ("configuration", "database and ledger", "triggers, functions, rooms", "Redis"):
        assert re.search(rf"^ok .*{part}", done.stdout, re.M), done.stdout
    assert f"node {cluster.nodes[0].admin_url}: ready" in done.stdout


def test_no_program(preflight):
    stopped(preflight("--chatgate", "/nowhere/chatgate"), "no program", "install chatgate")


def test_no_configuration(preflight, tmp_path):
    stopped(preflight(ini=tmp_path / "none.ini"), "configuration", "--config")


def test_a_faulty_configuration(preflight, cluster, tmp_path):
    ini = other_ini(cluster, tmp_path, level=(r"level = debug", "level = loud"))
    done = preflight(ini=ini)
    stopped(done, "configuration", "chatgate.ini(5)")
    assert "log.level" in done.stdout or "loud" in done.stdout


def test_no_database(preflight, cluster, tmp_path):
    ini = other_ini(
        cluster, tmp_path, url=(r"url = postgresql:.*", f"url = postgresql:///x?host={tmp_path}")
    )
    stopped(preflight(ini=ini), "database", "pg_hba.conf")


def test_a_missing_migration(preflight, cluster):
    cluster.query("DELETE FROM chatgate_migrations WHERE version = 70")
    stopped(preflight(), "ledger", "migrate up")
    before = preflight("--before")
    assert before.returncode == 0, before.stdout
    assert "NOTE  ledger: migrations are missing" in before.stdout
    assert "triggers, functions, rooms: healthy" in before.stdout
    cluster.query("DELETE FROM chatgate_migrations WHERE version = 50")
    assert "not looked at" in preflight("--before").stdout


def test_a_migration_that_was_changed_is_no_matter_of_before(preflight, cluster):
    cluster.query("UPDATE chatgate_migrations SET sha256 = repeat('0', 64) WHERE version = 70")
    stopped(preflight("--before"), "ledger", "the program that fits")


def test_a_missing_trigger(preflight, cluster):
    cluster.query("DROP TRIGGER booking_create_chat ON bookings")
    done = preflight("--backfill")
    stopped(done, "triggers", "verify-chat-creation.sh --backfill")
    assert "trigger booking_create_chat: missing" in done.stdout


def test_missing_rooms_are_made_on_demand(preflight, cluster):
    people.add_pair(cluster)
    cluster.query("UPDATE chat_rooms SET deleted_at = now()")
    done = preflight()
    stopped(done, "rooms", "backfill")
    assert "1 active bookings without a room" in done.stdout
    done = preflight("--backfill")
    assert done.returncode == 0 and "rooms made: 1" in done.stdout, done.stdout


def test_damage_is_for_a_person(preflight, cluster):
    pair = people.add_pair(cluster)
    cluster.query("UPDATE users SET role = 'admin' WHERE id = %s", pair.student.id)
    stopped(preflight("--backfill"), "the data needs a person", "RUNBOOK.md")


def test_no_redis(preflight, cluster, tmp_path):
    ini = other_ini(cluster, tmp_path, url=(r"url = unix:.*", f"url = unix:{tmp_path}/none"))
    done = preflight(ini=ini)
    stopped(done, "what a node needs", "arrows")
    assert re.search(r"^ +DOWN +redis", done.stdout, re.M | re.I), done.stdout


def test_a_certificate_that_runs_out_is_told(preflight, cluster, tmp_path):
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    listen = f"[listen]\ntls_certificate = {certificate}\ntls_key = {key}\n"
    done = preflight(ini=other_ini(cluster, tmp_path, tls=(r"\[listen\]\n", listen)))
    assert re.search(r"^ +(warn|FAIL) +certificate", done.stdout, re.M), done.stdout


def test_a_node_that_is_down(preflight, cluster):
    cluster.nodes[0].stop()
    stopped(preflight(), "nobody answers", "journalctl")


def test_a_node_that_is_not_ready(preflight, cluster):
    """A node without its database says so, while ours is reached by another way."""
    cluster.nodes[0].set("database", url="postgresql:///none?host=/nonexistent")
    cluster.nodes[0].stop()
    good = cluster.folder / "good.ini"
    good.touch(mode=0o600)
    good.write_text(cluster.nodes[0].ini.read_text())
    cluster.nodes[0].start(wait=False)
    cluster.nodes[0].probe("/healthz")
    done = preflight(ini=good)
    stopped(done, "node", "journalctl")


def test_units(preflight, cluster):
    good = preflight(units=True, active=True, admin=False)
    # The stub's node 1 shows its health on 9091, where nobody is.
    assert "ok    units: thebot-backend.service is active" in good.stdout
    assert "http://127.0.0.1:9091" in good.stdout
    stopped(preflight(units=True, active=False), "thebot-backend.service", "systemctl enable --now")
    stopped(preflight(units=True, active=True, failed=True), "chatgate@2.service", "journalctl")
    before = preflight("--before", units=True, active=False)
    assert before.returncode == 0 and "NOTE  units" in before.stdout


@pytest.mark.parametrize("arguments, hint", [(["--after"], "--after"), (["--config"], "--config")])
def test_wrong_usage_is_64(arguments, hint):
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True)
    assert done.returncode == 64 and hint in done.stderr


def test_help():
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--before" in done.stdout
