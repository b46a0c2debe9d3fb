# SPDX-License-Identifier: Apache-2.0
"""A standby takes the primary's place: the gateway follows, and nobody is led to believe that
nothing happened."""

import asyncio
import contextlib
import shutil
import socket
import tempfile

import pytest

from client import Closed, Refused, new_uuid
from cluster import Cluster, ensure_template
from replica import Replicated
from services import wait_until


@contextlib.contextmanager
def replicated_cluster(synchronous, nodes=2, **settings):
    postgres = Replicated(synchronous)
    cluster = None
    try:
        ensure_template(postgres)
        postgres.replicate()
        cluster = Cluster(nodes, settings, postgres=postgres)
        yield cluster
    finally:
        if cluster:
            for node in cluster.nodes:
                node.kill()
            cluster.owned.append(postgres)
            cluster.destroy()
        else:
            postgres.destroy()


@pytest.fixture
def cluster(request):
    with replicated_cluster(**request.param) as cluster:
        yield cluster


def with_standby(synchronous, **settings):
    settings["synchronous"] = synchronous
    return pytest.mark.parametrize(
        "cluster", [settings], indirect=True, ids=["sync" if synchronous else "async"]
    )


def stored(cluster, room):
    """What the server that leads has: cid -> seq."""
    with cluster.postgres.connect(cluster.database) as db:
        return dict(
            db.execute("SELECT cid::text, seq FROM messages WHERE chat_room_id = %s", (room,))
        )


async def send_until_closed(client, room, acked):
    """Sends for as long as it goes; acked: cid -> seq."""
    with contextlib.suppress(Closed, asyncio.TimeoutError, OSError):
        while True:
            with contextlib.suppress(Refused):
                answer = await client.send(room, "on and on")
                acked[answer["cid"]] = answer["seq"]


async def outcome(client, room, cid):
    try:
        return (await client.send(room, "alone", cid=cid))["t"]
    except Refused as refused:
        return refused.code


async def come_back(connect, cluster, user, **options):
    """A client that tries until it is let in."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        try:
            return await connect(user, **options)
        except Exception:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)


@with_standby(synchronous=True)
async def test_with_a_synchronous_standby_every_acked_message_survives(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    student = await connect(pair.student, node=1)
    before, acked = teacher.welcome["epoch"], {}
    sending = asyncio.create_task(send_until_closed(teacher, pair.room, acked))
    await asyncio.sleep(1.5)
    await asyncio.to_thread(cluster.postgres.fail_over)
    assert await student.closed(timeout=15) == 4001
    await asyncio.wait_for(sending, 20)
    assert len(acked) > 10
    rows = stored(cluster, pair.room)
    assert {cid: rows.get(cid) for cid in acked} == acked
    again = await come_back(
        connect, cluster, pair.student, node=1, hello={"rooms": {pair.room: 1}, "epoch": before}
    )
    assert again.welcome["epoch"] != before
    head = max(stored(cluster, pair.room).values())  # the last send was repeated over there
    assert (await again.expect("reset", room=pair.room))["head"] == head


@with_standby(synchronous=False)
async def test_what_an_asynchronous_standby_had_not_got_is_lost_aloud(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    student = await connect(pair.student, node=1)
    before = teacher.welcome["epoch"]
    for number in range(3):
        await teacher.send(pair.room, f"kept {number}")
    wait_until(lambda: caught_up(cluster.postgres), 10, "the standby caught up")
    cluster.postgres.standby.kill()
    for number in range(4):
        await teacher.send(pair.room, f"lost {number}")
    await student.expect("message", room=pair.room, seq=7)
    cluster.postgres.kill()
    cluster.postgres.standby.start()
    await asyncio.to_thread(cluster.postgres.promote_standby)
    assert await teacher.closed(timeout=15) == 4001
    assert await student.closed(timeout=15) == 4001
    student = await come_back(
        connect, cluster, pair.student, node=1, hello={"rooms": {pair.room: 7}, "epoch": before}
    )
    assert (await student.expect("reset", room=pair.room))["head"] == 3
    teacher = await come_back(connect, cluster, pair.teacher)
    assert (await teacher.send(pair.room, "goes on"))["seq"] == 4
    assert (await student.expect("message", room=pair.room, timeout=12))["seq"] == 4


def caught_up(postgres):
    with postgres.connect("postgres") as db:
        return db.execute(
            "SELECT replay_lsn >= pg_current_wal_lsn() FROM pg_stat_replication"
        ).fetchone() == (True,)


@with_standby(synchronous=False)
async def test_no_statement_of_the_new_primary_meets_a_session_of_the_old(cluster, connect, pair):
    """The history is judged before a connection carries its first statement: a send in the moment of
    the change is never answered with a number of the new history on a session of the old one."""
    teacher = await connect(pair.teacher)
    for number in range(3):
        await teacher.send(pair.room, f"kept {number}")
    wait_until(lambda: caught_up(cluster.postgres), 10, "the standby caught up")
    cluster.postgres.standby.kill()
    acked = {}
    sending = asyncio.create_task(send_until_closed(teacher, pair.room, acked))
    await asyncio.sleep(1)
    cluster.postgres.kill()
    cluster.postgres.standby.start()
    await asyncio.to_thread(cluster.postgres.promote_standby)
    await asyncio.wait_for(sending, 20)
    numbers = list(acked.values())
    assert numbers == list(range(4, 4 + len(numbers)))


@with_standby(synchronous=False, nodes=1)
async def test_an_old_primary_that_comes_back_is_left_alone(cluster, connect, pair):
    """Nobody fenced it, it stands first in the list and takes writes: but it is of the past."""
    postgres = cluster.postgres
    await asyncio.to_thread(postgres.fail_over)
    await come_back(connect, cluster, pair.teacher)
    postgres.start_old()
    with postgres.connect("postgres") as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chatgate'")
    wait_until(lambda: cluster.nodes[0].probe("/readyz") == 200, 15, "ready again")
    await asyncio.sleep(1.5)
    teacher = await come_back(connect, cluster, pair.teacher)
    answer = await teacher.send(pair.room, "to whom?")
    assert answer["cid"] in stored(cluster, pair.room)
    with postgres.connect_old(cluster.database) as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (0,)


@with_standby(synchronous=True, nodes=1)
async def test_a_commit_whose_wait_was_cancelled_is_not_acked(cluster, connect, pair):
    """Somebody cancels the wait for a standby that does not answer: the message is committed here and
    nowhere else, so its sender is told nothing until the standby has it."""
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "replicated")
    cluster.postgres.standby.freeze()
    cid = new_uuid()
    sending = asyncio.create_task(outcome(teacher, pair.room, cid))
    await asyncio.sleep(1)
    cancelled = cluster.query(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    )
    assert cancelled
    await asyncio.sleep(1)
    assert not sending.done() or await sending == "unavailable"
    cluster.postgres.standby.thaw()
    if await sending != "ok":
        assert (await teacher.send(pair.room, "alone", cid=cid))["dup"]
    wait_until(lambda: caught_up(cluster.postgres), 10, "the standby caught up")
    with cluster.postgres.standby.connect(cluster.database) as db:
        assert db.execute(
            "SELECT count(*) FROM messages WHERE cid = %s", (cid,)
        ).fetchone() == (1,)


@with_standby(synchronous=False, nodes=1)
async def test_a_primary_that_turns_read_only_is_left(cluster, connect, pair):
    """As a supervisor does before it hands over."""
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "written")
    cluster.postgres.configure(default_transaction_read_only="on")
    await asyncio.sleep(0.5)
    sending = asyncio.create_task(send_until_closed(teacher, pair.room, {}))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(cluster.postgres.promote_standby)
    with cluster.postgres.connect("postgres") as db:
        db.execute("ALTER SYSTEM RESET default_transaction_read_only")
        db.execute("SELECT pg_reload_conf()")
    await asyncio.wait_for(sending, 20)
    teacher = await come_back(connect, cluster, pair.teacher)
    answer = await teacher.send(pair.room, "to the new one")
    assert answer["cid"] in stored(cluster, pair.room)


@pytest.mark.parametrize("cluster", [{"synchronous": False, "nodes": 1}], indirect=True)
async def test_a_host_that_says_nothing_does_not_keep_us_from_the_next(cluster, connect, pair):
    folder = tempfile.mkdtemp(prefix="chatgate-hole-", dir="/tmp")
    with socket.socket(socket.AF_UNIX) as hole:
        hole.bind(f"{folder}/.s.PGSQL.5432")
        hole.listen(4096)
        node = cluster.nodes[0]
        node.stop()
        url = cluster.postgres.url(cluster.database).replace("host=", f"host={folder},")
        node.set("database", url=url, connect_timeout_ms=500)
        node.start(wait=False)
        node.wait_ready(8)
        teacher = await connect(pair.teacher)
        await teacher.send(pair.room, "past the hole")
    shutil.rmtree(folder)
