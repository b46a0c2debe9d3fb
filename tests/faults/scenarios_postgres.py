# SPDX-License-Identifier: Apache-2.0
"""What happens to Postgres, and on the way to it."""

import asyncio
import os
import signal
import time

import psycopg

from scenario import scenario
from servers import Standby, kill_hard, start_again

POSTGRES = "postgres"
GATEWAYS = "usename = 'chatgate' AND pid <> pg_backend_pid()"


@scenario(heal_s=10, mixes=POSTGRES)
async def cut_after_commit(world):
    """The connection dies when the end of a write batch was sent: committed, and nobody was told."""
    for _ in range(6):
        link = world.pg_links[world.any_node()]
        cuts = link.cuts
        link.commit_cut = world.dice.choice(["after", "after", "before"])
        try:
            await world.until(lambda: link.cuts > cuts, 15, "a batch was cut")
        finally:
            link.commit_cut = None
        await world.sleep(0.3)


@scenario(heal_s=15, mixes=POSTGRES)
async def postmaster_killed(world):
    """kill -9 of the postmaster, and a start some time later, twice."""
    for _ in range(2):
        await asyncio.to_thread(kill_hard, world.postgres)
        await world.sleep(world.dice.uniform(0.1, 1.5))
        await asyncio.to_thread(start_again, world.postgres)
        await world.sleep(1.5)


@scenario(heal_s=15, mixes=POSTGRES)
async def backend_killed(world):
    """kill -9 of one backend: Postgres ends all others too, and recovers."""
    for _ in range(2):
        pids = await world.query(f"SELECT pid FROM pg_stat_activity WHERE {GATEWAYS}")
        os.kill(world.dice.choice(pids)[0], signal.SIGKILL)
        await world.sleep(2)


@scenario(heal_s=10, mixes=POSTGRES)
async def backends_terminated(world):
    """pg_terminate_backend of every session of the gateways, many times."""
    for _ in range(6):
        await world.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {GATEWAYS}")
        await world.sleep(world.dice.uniform(0.1, 0.7))


@scenario(heal_s=10, mixes=POSTGRES)
async def backend_frozen(world):
    """SIGSTOP of half of the backends for longer than a statement may take."""
    rows = await world.query(f"SELECT pid FROM pg_stat_activity WHERE {GATEWAYS}")
    pids = [pid for (pid,) in rows][::2]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await world.sleep(3.5)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


@scenario(heal_s=10, mixes=POSTGRES)
async def statements_time_out(world):
    """Another program locks the messages for longer than a statement may take."""
    await world.query(
        "BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE; SELECT pg_sleep(3.5); COMMIT"
    )
    await world.sleep(0.3)


@scenario(heal_s=10, mixes=POSTGRES)
async def rooms_locked(world):
    """Another program holds single rooms for a while, again and again."""
    for _ in range(8):
        room = world.dice.choice(world.pairs).room
        await world.query(
            f"BEGIN; SELECT FROM chat_rooms WHERE id = '{room}' FOR UPDATE;"
            f" SELECT pg_sleep({world.dice.uniform(0.05, 0.9)}); COMMIT"
        )


@scenario(
    heal_s=10, postgres_settings="deadlock_timeout = 50ms\n",
    settings={"moderation": {"default_verdict": "hold"}}, rate=3,
)
async def deadlock(world):
    """Another program locks messages first and rooms second, against our order."""
    for _ in range(25):
        rows = await world.query(
            "SELECT id::text, chat_room_id::text FROM messages WHERE status = 'pending_moderation'"
            " ORDER BY random() LIMIT 1"
        )
        if not rows:
            await asyncio.sleep(0.05)
            continue
        await asyncio.to_thread(lock_against_the_order, world, *rows[0])
    log = world.postgres.log.read_text(errors="replace")
    world.note(f"{log.count('deadlock detected')} deadlocks")
    world.require("deadlock detected" in log, "no deadlock happened")


def lock_against_the_order(world, message, room):
    with world.postgres.connect(world.cluster.database) as db:
        db.execute("BEGIN")
        db.execute("SELECT FROM messages WHERE id = %s FOR UPDATE", (message,))
        time.sleep(0.25)
        try:
            db.execute("SELECT FROM chat_rooms WHERE id = %s FOR UPDATE", (room,))
        except psycopg.errors.DeadlockDetected:
            pass
        db.rollback()


@scenario(heal_s=10, mixes=POSTGRES)
async def database_slow(world):
    """Every word to and from Postgres takes a tenth of a second longer."""
    for link in world.pg_links.values():
        link.up.delay_s = link.down.delay_s = 0.1
    await world.sleep(4)
    for link in world.pg_links.values():
        link.heal()


@scenario(heal_s=10, mixes=POSTGRES)
async def database_dripping(world):
    """What Postgres answers arrives a byte at a time, and is cut in the middle of it."""
    for node in world.nodes:
        link = world.pg_links[node]
        link.down.drip = True
        await world.sleep(1.5)
        link.cut()
        link.heal()


@scenario(heal_s=10, mixes=POSTGRES)
async def too_many_connections(world):
    """Postgres ends all sessions and lets nobody in for some time."""
    await world.query("ALTER ROLE chatgate CONNECTION LIMIT 1")
    await world.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {GATEWAYS}")
    await world.sleep(3)
    await world.query("ALTER ROLE chatgate CONNECTION LIMIT -1")


@scenario(heal_s=20, postgres="small_disk", needs=("root",))
async def disk_full(world):
    """The disk of Postgres is full: it fails statements, or goes down until there is room."""
    world.load_padding(5000)
    for _ in range(2):
        await asyncio.to_thread(world.postgres.fill)
        await world.sleep(3)
        await asyncio.to_thread(world.postgres.free)
        if not world.postgres.running:
            world.note("Postgres went down")
            await asyncio.to_thread(start_again, world.postgres)
        await world.sleep(1)
    log = world.postgres.log.read_text(errors="replace")
    world.require("No space left on device" in log, "the disk was never full")


async def promote_standby(world, standby):
    await asyncio.to_thread(kill_hard, world.postgres)
    await world.sleep(0.5)
    await asyncio.to_thread(standby.promote)
    world.use_postgres(standby)


@scenario(heal_s=20, postgres="standby")
async def standby_promoted(world):
    """The primary dies with what its asynchronous standby has not: clients are told to start anew."""
    standby = await asyncio.to_thread(Standby, world.postgres)
    await world.until(standby.receiver, 10, "the standby receives")
    await world.sleep(1)
    receiver = standby.receiver()
    os.kill(receiver, signal.SIGSTOP)
    await world.sleep(0.8)
    asyncio.get_running_loop().call_later(0.3, os.kill, receiver, signal.SIGCONT)
    world.forgets = True
    await promote_standby(world, standby)


@scenario(heal_s=20, postgres="standby")
async def synchronous_standby_promoted(world):
    """The primary dies; its synchronous standby has all that was acknowledged."""
    standby = await asyncio.to_thread(Standby, world.postgres)
    await world.until(standby.receiver, 10, "the standby receives")
    await world.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await world.query("SELECT pg_reload_conf()")
    await world.sleep(2)
    await promote_standby(world, standby)
