# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one Postgres and one Redis for the whole run, and a cluster of two nodes on them.

A module whose tests stop things, or need other settings, overrides `cluster` with one of its own;
`connect`, `pair` and the others then work on that.
"""

import signal
import sys

import pytest
import pytest_asyncio

import people
from client import Client
from cluster import Cluster
from raw import Raw
from services import Postgres, Redis

SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def pytest_configure():
    """Asked to end, a run still takes its servers and folders with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def redis_server():
    server = Redis()
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def shared_cluster(postgres, redis_server):
    cluster = Cluster(postgres=postgres, redis=redis_server)
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="session")
def cluster(shared_cluster):
    return shared_cluster


@pytest.fixture(scope="module")
def make_cluster(postgres, redis_server):
    """Makes clusters with settings of their own; all are gone at the end of the module."""
    made = []

    def make(nodes=1, own_redis=False, own_postgres=False, **settings):
        cluster = Cluster(
            nodes,
            settings,
            postgres=None if own_postgres else postgres,
            redis=None if own_redis else redis_server,
        )
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.destroy()


def log_size(node):
    return node.log.stat().st_size if node.log.exists() else 0


def complaint_of(node, log_from):
    """What is wrong with a node after a test, or None."""
    code = node.process.poll() if node.process else None
    with open(node.log, "rb") as file:
        file.seek(log_from)
        log = file.read().decode(errors="replace")
    for mark in SANITIZER_MARKS:
        if mark in log:
            return f"{node.name}:\n{log[log.index(mark):][:4000]}"
    if code not in (None, 0, -9):  # stopped and killed by the test are fine
        return f"{node.name} ended with {code}:\n{log[-3000:]}"
    return None


@pytest.fixture(autouse=True)
def nodes_survive(request):
    """No test may leave a node dead that it has not stopped itself, or a sanitizer's report. A node
    that died is started again, so that the tests after it speak for themselves."""
    cluster = request.getfixturevalue("cluster") if "cluster" in request.fixturenames else None
    begun = {node: log_size(node) for node in cluster.nodes} if cluster else {}
    yield
    complaints = [complaint_of(node, size) for node, size in begun.items() if node.log.exists()]
    if any(complaints):
        for node in begun:
            if node.process and not node.running:
                node.start()
        pytest.fail("\n".join(filter(None, complaints)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its nodes' logs."""
    outcome = yield
    report = outcome.get_result()
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and cluster is not None:
        for node in cluster.nodes:
            if node.log.exists():
                report.sections.append((f"{node.name} log", node.log_tail(3000)))


@pytest_asyncio.fixture
async def connect(cluster):
    """connect(user, node=0, ...): a client that has said hello. Closed when the test ends."""
    clients = []

    async def connect(user, node=0, **options):
        token = options.pop("token", None) or cluster.token(user)
        client = await Client.open(cluster.nodes[node].ws_url, token, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.close()


@pytest_asyncio.fixture
async def raw(cluster):
    """raw(node=0): a bare socket to a node's public port. Closed when the test ends."""
    sockets = []

    async def raw(node=0, **options):
        opened = await Raw.connect(cluster.nodes[node], **options)
        sockets.append(opened)
        return opened

    yield raw
    for opened in sockets:
        await opened.close()


@pytest.fixture
def pair(cluster):
    """A new teacher and a new student with a room."""
    return people.add_pair(cluster)


@pytest.fixture
def make_pair(cluster):
    return lambda **names: people.add_pair(cluster, **names)


@pytest.fixture
def make_user(cluster):
    return lambda role, **fields: people.add_user(cluster, role, **fields)


@pytest.fixture
def moderator(cluster):
    return people.add_user(cluster, "moderator")
