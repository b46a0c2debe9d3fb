# SPDX-License-Identifier: Apache-2.0
"""deploy/systemd, sysusers.d and tmpfiles.d, as systemd's own tools see them."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from cluster import ROOT

UNITS = ROOT / "deploy/systemd"
EXPOSURE_LIMIT = 1.5
SERVICES = ["chatgate@.service", "chatgate-backfill.service"]

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze: apt install systemd"
)


@pytest.fixture
def installed(tmp_path):
    """The units, with a program that is there."""
    for unit in UNITS.iterdir():
        text = re.sub(r"(?<=[=+])/usr/bin/chatgate\b", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **options,
    )


def unit(name):
    """A unit's sections; of a key that is given twice, all values, one a line."""
    sections, section = {}, None
    for line in (UNITS / name).read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key] = f"{section[key]}\n{value}" if key in section else value
    return sections


@needs_systemd
def test_systemd_finds_no_fault(installed):
    names = [path.name.replace("@.", "@1.") for path in UNITS.iterdir()]
    done = run("systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in names),
               cwd=installed)
    ours = [line for line in done.stderr.splitlines() if "chatgate" in line or "thebot" in line]
    assert done.returncode == 0 and ours == [], done.stderr


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_the_sandbox_is_tight(installed, service):
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", installed / service)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert float(exposure[1]) <= EXPOSURE_LIMIT


def test_a_drain_ends_before_systemd_kills():
    example = configparser.ConfigParser(comment_prefixes=("#",), interpolation=None)
    example.read_string((ROOT / "deploy/chatgate.ini.example").read_text().replace("\n;", "\n"))
    service = unit("chatgate@.service")["Service"]
    assert int(service["TimeoutStopSec"]) > int(example["drain"]["window_s"]) + 2


def test_a_faulty_configuration_is_not_tried_again():
    service = unit("chatgate@.service")["Service"]
    assert service["Restart"] == "on-failure" and service["RestartPreventExitStatus"] == "78"
    assert service["Type"] == "notify" and int(service["WatchdogSec"]) > 0


def test_the_operators_name_reaches_every_node():
    node = unit("chatgate@.service")["Unit"]
    for key in ("PartOf", "ReloadPropagatedFrom"):
        assert node[key].split() == ["chatgate.target", "thebot-backend.service"]
    assert unit("thebot-backend.service")["Unit"]["Wants"] == "chatgate.target"


def test_credentials_name_settings():
    """A misspelt one would be ignored by the program."""
    known, section = set(), None
    for line in (ROOT / "deploy/chatgate.ini.example").read_text().splitlines():
        if match := re.match(r"\[(\w+)\]", line):
            section = match[1]
        elif match := re.match(r";?(\w+) =", line):
            known.add(f"{section}.{match[1]}")
    for service in SERVICES:
        for credential in unit(service)["Service"]["LoadCredential"].splitlines():
            name, _, path = credential.partition(":")
            assert name in known and path == f"/etc/chatgate/credentials/{name}"


@needs_systemd
def test_the_backfill_comes_every_half_hour():
    calendar = unit("chatgate-backfill.timer")["Timer"]["OnCalendar"]
    done = run("systemd-analyze", "calendar", "--iterations=3", calendar)
    times = re.findall(r"(?:Next elapse|Iter\. #\d|Iteration #\d): .* \d\d:(\d\d):\d\d", done.stdout)
    assert len(times) == 3 and set(times) == {"00", "30"}, done.stdout


@needs_systemd
def test_the_user_and_the_folders(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("making users and folders in another root takes root")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    done = run("systemd-sysusers", f"--root={root}", ROOT / "deploy/sysusers.d/chatgate.conf")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^chatgate:", (root / "etc/passwd").read_text(), re.M)
    credentials = root / "etc/chatgate/credentials"
    credentials.mkdir(parents=True)
    (credentials / "redis.key").write_text("secret")
    done = run("systemd-tmpfiles", "--create", f"--root={root}",
               ROOT / "deploy/tmpfiles.d/chatgate.conf")
    assert done.returncode == 0, done.stderr
    modes = {path: path.stat().st_mode & 0o777 for path in (credentials, credentials / "redis.key")}
    assert modes == {credentials: 0o700, credentials / "redis.key": 0o600}
    assert pathlib.Path(root / "etc/chatgate").stat().st_mode & 0o777 == 0o750
