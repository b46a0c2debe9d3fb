# SPDX-License-Identifier: Apache-2.0
"""What happens to gateways."""

import asyncio
import os
import pathlib
import resource
import signal
import subprocess

import wire
from scenario import FAKETIME, FIU, scenario

NODE = "node"


@scenario(heal_s=10, mixes=NODE)
async def gateway_killed(world):
    """kill -9 of a gateway, three times."""
    for _ in range(3):
        node = world.any_node()
        world.kill(node)
        await world.sleep(world.dice.uniform(0.1, 0.8))
        await world.restart(node)
        await world.sleep(0.3)


@scenario(heal_s=10)
async def all_gateways_killed(world):
    """kill -9 of all gateways at once: nobody is left who knows what was on its way."""
    for _ in range(2):
        for node in world.nodes:
            world.kill(node)
        await asyncio.gather(*(world.restart(node) for node in world.nodes))
        await world.sleep(1)


@scenario(heal_s=10, mixes=NODE)
async def gateway_frozen(world):
    """SIGSTOP of a gateway for longer than its peers, its clients and Postgres wait."""
    node = world.any_node()
    node.signal(signal.SIGSTOP)
    await world.sleep(5)
    node.signal(signal.SIGCONT)
    world.stalled.add(node)


@scenario(heal_s=10, nodes=3, mixes=NODE)
async def rolling_restart(world):
    """Every node is drained and started anew, one after the other."""
    for node in world.nodes:
        await world.roll(node)
        await world.sleep(0.3)


@scenario(heal_s=10, nodes=3)
async def rolling_upgrade(world):
    """The schema goes a version ahead of nodes that serve; their successors start over it."""
    await world.query(
        "ALTER TABLE messages ADD COLUMN of_the_future text;"
        "CREATE INDEX ON messages (of_the_future) WHERE of_the_future IS NOT NULL"
    )
    await world.query(
        "INSERT INTO chatgate_migrations (version, name, sha256, applied_at, duration_ms)"
        " SELECT 999, 'of_the_future', sha256, now(), 1 FROM chatgate_migrations LIMIT 1"
    )
    for node in world.nodes:  # what serves goes on, with new connections too
        world.pg_links[node].cut()
    await world.sleep(1.5)
    world.require(all(node.running for node in world.nodes), "a node did not bear a newer schema")
    # Started anew is a program that knows this version: this one would refuse, and rightly.
    await world.query("DELETE FROM chatgate_migrations WHERE version = 999")
    for node in world.nodes:
        await world.roll(node)


@scenario(heal_s=15)
async def descriptors_exhausted(world):
    """A node may open no further descriptor while clients keep coming."""
    node = world.any_node()
    soft, hard = resource.prlimit(node.pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{node.pid}/fd"))
    resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (used + 2, hard))
    for device in world.devices:
        device.drop()
    for _ in range(3):
        waiting = [asyncio.create_task(try_to_open(node, world)) for _ in range(20)]
        world.pg_links[node].cut()
        await asyncio.gather(*waiting)
        await world.sleep(0.5)
    resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (soft, hard))


async def try_to_open(node, world):
    token = world.token(world.pairs[0].teacher)
    try:
        opened = await wire.Wire.open(node.port, token, lambda text: None, lambda data: None)
        await asyncio.sleep(0.3)
        opened.abort()
    except (OSError, asyncio.TimeoutError):
        pass


@scenario(heal_s=15, rate=8)
async def memory_capped(world):
    """A node gets no more memory: it ends, as it says, and is started again."""
    world.supervise()
    for _ in range(2):
        node = world.any_node()
        pid = node.pid
        size = os.sysconf("SC_PAGE_SIZE") * int(
            pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]
        )
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
        resource.prlimit(pid, resource.RLIMIT_DATA, (1 << 20, 1 << 20))
        crowd = [asyncio.create_task(try_to_open(node, world)) for _ in range(200)]
        await asyncio.gather(*crowd)
        await world.sleep(1)
        if node.running and node.pid == pid:
            world.note(f"{node.name} lived on")
            world.kill(node)
        await world.sleep(1)


@scenario(heal_s=20, needs=("fiu",))
async def malloc_fails(world):
    """One allocation in some thousands fails: a node ends, as it says, and is started again."""
    world.supervise()
    for node in world.nodes:
        node.environment = {
            "LD_PRELOAD": f"{FIU}/fiu_run_preload.so:{FIU}/fiu_posix_preload.so",
            "FIU_ENABLE": "enable_random name=libc/mm/*,probability=0.0005",
            "FIU_CTRL_FIFO": "",
        }
        world.kill(node)
        await world.sleep(3)
    for node in world.nodes:
        node.environment = {}
        if node.running:
            world.kill(node)
    await world.sleep(0.5)
    failures = sum(node.log.read_text().count("out of memory") for node in world.nodes)
    world.note(f"{failures} allocations failed")
    world.require(failures > 0, "no allocation failed")


@scenario(heal_s=15, needs=("faketime",))
async def clocks_jump(world):
    """The clock of a node jumps an hour back and forth; time since the start does not."""
    clock = world.cluster.folder / "clock"
    clock.write_text("+0\n")
    node = world.nodes[0]
    node.environment = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
    await world.roll(node)
    for jump in ("-3600", "+3600", "+0", "-86400", "+0"):
        clock.write_text(f"{jump}\n")
        await world.sleep(1)


def make_certificate(folder, name):
    """Of its own making, for 127.0.0.1."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "9", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    key.chmod(0o600)
    return {"tls_key": key, "tls_certificate": certificate}


def serve_tls(world):
    first = make_certificate(world.cluster.folder, "first")
    for node in world.nodes:
        node.set("listen", **first)


@scenario(heal_s=10, prepare=serve_tls, rate=3)
async def certificates_reloaded(world):
    """Certificates change, and change again, while everybody shakes hands."""
    names = [make_certificate(world.cluster.folder, f"next{n}") for n in range(2)]
    for turn in range(8):
        for device in world.devices:
            device.drop()
        await world.sleep(0.15)
        for node in world.nodes:
            node.set("listen", **names[turn % 2])
            node.reload()
        await world.sleep(0.4)
