# SPDX-License-Identifier: Apache-2.0
"""deploy/dev as a new person uses it: up, the printed lines pasted into a shell, down.

$CHATGATE_TEST_BUILD is a build directory to take instead of building anew. A temporary state
folder keeps all this away from an installation that runs in the clone.
"""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEV = ROOT / "deploy/dev"


class Dev:
    def __init__(self, mode=0o755):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="chatgate-dev-", dir="/tmp"))
        self.state.chmod(mode)
        if build := os.environ.get("CHATGATE_TEST_BUILD"):
            (self.state / "build").symlink_to(build)

    def run(self, *arguments, timeout=250):
        return subprocess.run(
            [DEV, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            env={**os.environ, "CHATGATE_STATE": str(self.state)},
        )

    def ok(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def status(self):
        return json.loads(self.ok("status", "--json").stdout)


@pytest.fixture(scope="module")
def dev():
    dev = Dev()
    dev.printed = dev.ok("up", "--yes").stdout
    yield dev
    dev.ok("down", "--purge")
    assert not dev.state.exists()


class Terminal:
    """A shell in a terminal of its own, as a person has one: lines are typed, and text is read."""

    def __init__(self, line):
        self.screen = ""
        self.master, slave = os.openpty()
        self.shell = subprocess.Popen(
            ["bash", "-c", line], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def shows(self, text, timeout_s=15):
        """Reads until the text is there."""
        deadline = time.monotonic() + timeout_s
        while text not in self.screen:
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text} in {timeout_s} s on:\n{self.screen}"
            self.screen += os.read(self.master, 65536).decode(errors="replace")

    def close(self):
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.wait()
        os.close(self.master)


def printed(dev, program, who):
    """The printed line of a program for the teacher or the student, and the frames under it."""
    section = dev.printed.split(f"The {who}, on node")[1].split("\n\n")[0]
    (line,) = re.findall(rf"^{program} .*$", section, re.MULTILINE)
    return line, re.findall(r"^\{.*\}$", section, re.MULTILINE)


def test_status_tells_what_a_script_needs(dev):
    status = dev.status()
    assert [node["name"] for node in status["nodes"]] == ["node1", "node2"]
    for node in status["nodes"]:
        assert set(node) == {"name", "ws_url", "http_url", "admin_url", "pid", "ready"}
        assert node["ready"] is True
        assert os.path.exists(f"/proc/{node['pid']}")
    assert {"teacher", "student", "moderator"} <= {user["role"] for user in status["users"]}
    for user in status["users"]:
        assert set(user) == {"id", "email", "password", "role", "token"}
        assert user["token"].count(".") == 2
    assert status["state"] == {"postgres": "running", "redis": "running"}
    assert status["database_url"].startswith("postgresql://")
    assert status["redis_url"].startswith("unix:")
    assert "running" in dev.ok("status").stdout


@pytest.mark.parametrize("program", ["websocat", "wscat"])
def test_the_printed_lines_talk(dev, program):
    """Two terminals, the teacher's on node 1 and the student's on node 2."""
    if not shutil.which(program):
        pytest.skip(f"no {program}")
    teacher, frames = printed(dev, program, "teacher")
    student, student_frames = printed(dev, program, "student")
    speaking, listening = Terminal(teacher), Terminal(student)
    try:
        for terminal, hello in ((listening, student_frames[0]), (speaking, frames[0])):
            if program == "wscat":
                terminal.shows("Connected")
            terminal.type(hello)
            terminal.shows('"t":"synced"')
        # The frames were printed once: for the second program it is a resend, which is answered
        # with the first one's result and delivered to nobody again.
        speaking.type(frames[1])
        speaking.shows('"t":"ok"')
        listening.type(re.sub(r'"cid":"[^"]*"', f'"cid":"{uuid.uuid4()}"', student_frames[1]))
        listening.shows('"t":"ok"')
        speaking.shows("Hello from the student")
        if program == "websocat":
            listening.shows("Hello from the teacher")
    finally:
        speaking.close()
        listening.close()


def test_the_printed_curl_lines_work(dev):
    lines = re.findall(r"^curl -H.*$", dev.printed, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)
        answer = json.loads(done.stdout)
        assert "error" not in answer, answer


def test_the_message_is_in_the_database(dev):
    url = dev.status()["database_url"]
    rows = subprocess.run(
        ["psql", "-X", "-At", url, "-c",
         "SELECT status, seq, moderation_completed_at IS NOT NULL FROM messages ORDER BY seq LIMIT 1"],
        capture_output=True, text=True, check=True,
    ).stdout
    assert rows.strip() == "delivered|1|t"


def test_the_page_is_there(dev):
    (url,) = re.findall(r"^The chat page:\s+(\S+)$", dev.printed, re.MULTILINE)
    page = subprocess.run(["curl", "-fsS", url], capture_output=True, text=True, timeout=20)
    assert "<html" in page.stdout.lower()


def test_the_printed_password_signs_in(dev):
    for user in dev.status()["users"]:
        done = subprocess.run(
            ["curl", "-sS", "-H", "Content-Type: application/json", "-d",
             json.dumps({"email": user["email"], "password": user["password"]}),
             dev.status()["nodes"][0]["http_url"] + "/api/auth/login"],
            capture_output=True, text=True, timeout=20,
        )
        assert json.loads(done.stdout)["user"]["role"] == user["role"]


def test_secrets_are_for_the_owner_only(dev):
    for path in [dev.state / "secrets", *dev.state.glob("node*.ini")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_second_up_is_fast_and_changes_nothing(dev):
    before = dev.status()
    begun = time.monotonic()
    dev.ok("up", "--yes")
    assert time.monotonic() - begun < 5
    assert [node["pid"] for node in dev.status()["nodes"]] == [node["pid"] for node in before["nodes"]]


def test_a_dead_node_is_brought_up_again(dev):
    node = dev.status()["nodes"][1]
    os.kill(node["pid"], signal.SIGKILL)
    dev.ok("up", "--yes")
    again = dev.status()["nodes"][1]
    assert again["pid"] != node["pid"] and again["ws_url"] == node["ws_url"]


def test_another_ones_pid_in_a_pidfile_is_not_touched(dev):
    stranger = subprocess.Popen(["sleep", "60"])
    node = dev.status()["nodes"][1]
    os.kill(node["pid"], signal.SIGKILL)
    (dev.state / "node2.pid").write_text(f"{stranger.pid}\n")
    dev.ok("up", "--yes")
    assert stranger.poll() is None and len(dev.status()["nodes"]) == 2
    stranger.kill()
    stranger.wait()


def test_a_port_in_use_is_named_and_the_next_taken(dev):
    node = dev.status()["nodes"][1]
    port = int(node["http_url"].rsplit(":", 1)[1])
    dev.ok("down")
    assert dev.status()["nodes"] == []
    with socket.create_server(("127.0.0.1", port)):
        done = dev.ok("up", "--yes")
        assert re.search(rf"port {port} is in use by \S+ \(pid {os.getpid()}\)", done.stderr)
        assert int(dev.status()["nodes"][1]["http_url"].rsplit(":", 1)[1]) > port


def test_fewer_nodes(dev):
    dev.ok("up", "--yes", "--nodes", "1")
    assert len(dev.status()["nodes"]) == 1
    dev.ok("up", "--yes")
    assert len(dev.status()["nodes"]) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run Postgres as somebody else")
def test_a_folder_out_of_reach_for_postgres(dev):
    closed = Dev(mode=0o700)
    try:
        done = closed.ok("up", "--yes", "--nodes", "1")
        services = pathlib.Path((closed.state / "services.path").read_text().strip())
        assert str(services) in done.stderr and services.parent == pathlib.Path("/var/tmp")
        assert "ready" in closed.ok("status").stdout
    finally:
        closed.ok("down", "--purge")
    assert not services.exists() and not closed.state.exists()


def test_data_outlives_down(dev):
    url = dev.status()["database_url"]
    count = ["psql", "-X", "-At", url, "-c", "SELECT count(*) FROM messages"]
    before = subprocess.run(count, capture_output=True, text=True, check=True).stdout
    dev.ok("down")
    dev.ok("up", "--yes")
    assert subprocess.run(count, capture_output=True, text=True, check=True).stdout == before


def test_logs(dev):
    assert dev.ok("logs", "node1").stdout
    assert dev.ok("logs", "postgres").stdout
    assert dev.run("logs", "nobody").returncode == 64


@pytest.mark.parametrize(
    "arguments", [[], ["sideways"], ["up", "--no"], ["up", "--nodes", "x"], ["status", "x"], ["down", "x"]]
)
def test_wrong_usage_is_64_and_one_line(dev, arguments):
    done = dev.run(*arguments)
    assert done.returncode == 64
    assert done.stderr.count("\n") == 1 and "deploy/dev --help" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], ["up", "--help"], ["logs", "-h"]])
def test_help(dev, arguments):
    assert "deploy/dev up" in dev.ok(*arguments).stdout
