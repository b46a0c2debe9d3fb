# SPDX-License-Identifier: Apache-2.0
"""deploy/RUNBOOK.md: each command of its sh blocks works; both languages have the same commands."""

import pathlib
import re
import subprocess

import pytest

import metrics
import people
from cluster import ROOT, chatgate_binary, clean_environment

RUNBOOKS = [ROOT / "deploy/RUNBOOK.md", ROOT / "deploy/RUNBOOK.ru.md"]


def blocks(path, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", path.read_text(), re.M | re.S)


def commands():
    return [line for block in blocks(RUNBOOKS[0], "sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def cluster(make_cluster):
    cluster = make_cluster(1)
    people.add_pair(cluster)
    return cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stands for /etc/chatgate/credentials, and on the PATH has the program."""
    folder = tmp_path_factory.mktemp("runbook")
    (folder / "chatgate").symlink_to(pathlib.Path(chatgate_binary()).resolve())
    (folder / "credentials").mkdir()
    return folder


@pytest.mark.parametrize("command", commands())
def test_a_command(cluster, folder, command):
    node = cluster.nodes[0]
    for written, meant in [
        ("/etc/chatgate/chatgate.ini", node.ini),
        ("/etc/chatgate/credentials", folder / "credentials"),
        ("http://127.0.0.1:9091", node.admin_url),
    ]:
        command = command.replace(written, str(meant))
    environment = {
        **clean_environment(),
        "CREDENTIALS_DIRECTORY": str(folder / "credentials"),
        "PGHOST": str(cluster.postgres.folder),
        "PGDATABASE": cluster.database,
        "PGUSER": "operator",
        "PSQLRC": "/dev/null",
    }
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stderr


@pytest.mark.parametrize("kind", ["sh", "console"])
def test_both_languages_have_the_same_commands(kind):
    english, russian = (
        # In console blocks the words after a command are for the reader.
        [re.sub(r" {2,}.*", "", block, flags=re.M) for block in blocks(path, kind)]
        for path in RUNBOOKS
    )
    assert english == russian and english


def test_what_it_names_is_there():
    for path in RUNBOOKS:
        text = path.read_text()
        for name in re.findall(r"\b(?:deploy|sql|tests)/[\w./-]+\w", text):
            assert (ROOT / name).exists(), name
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (path.parent / target).exists(), target


def test_the_metrics_it_names_exist(cluster):
    text = RUNBOOKS[0].read_text()
    exported = set(re.findall(r"^# TYPE (\w+)", metrics.scrape_text(cluster.nodes[0].admin_url), re.M))
    named = set(re.findall(r"`(chatgate_[a-z_]+)", text)) - {"chatgate_room_changes"}
    assert named <= exported
