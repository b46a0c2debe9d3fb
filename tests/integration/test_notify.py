# SPDX-License-Identifier: Apache-2.0
"""What a node tells systemd: chatgate@.service is Type=notify, with a watchdog."""

import re
import signal
import socket
import time

import pytest


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """The socket to which systemd's services speak."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield listener


def hear(listener, wanted, timeout_s=20):
    """Everything up to the first notice with this line."""
    heard, deadline = [], time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        listener.settimeout(max(0.01, deadline - time.monotonic()))
        heard.append(listener.recv(4096).decode())
        if wanted in heard[-1].splitlines():
            return heard
    raise TimeoutError(f"no {wanted} in {heard}")


def test_a_nodes_life(systemd, make_cluster):
    cluster = make_cluster(1)
    node = cluster.nodes[0]
    before_ready = hear(systemd, "READY=1")
    assert not any("RELOADING" in notice for notice in before_ready)

    hear(systemd, "WATCHDOG=1")
    node.signal(signal.SIGSTOP)  # the loop stands still, and nothing else pets the watchdog
    systemd.setblocking(False)
    time.sleep(1)
    try:
        while systemd.recv(4096):
            pass
    except BlockingIOError:
        pass
    time.sleep(3)
    with pytest.raises(BlockingIOError):
        systemd.recv(4096)
    node.signal(signal.SIGCONT)
    hear(systemd, "WATCHDOG=1")

    node.reload()
    reloading = hear(systemd, "RELOADING=1")[-1]
    assert re.search(r"^MONOTONIC_USEC=\d+$", reloading, re.M)
    hear(systemd, "READY=1")

    node.signal(signal.SIGTERM)
    hear(systemd, "STOPPING=1")
    assert node.wait() == 0
