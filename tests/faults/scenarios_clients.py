# SPDX-License-Identifier: Apache-2.0
"""What happens to clients and their networks, and what they do to each other."""

import asyncio
import json
import uuid

import people
import wire
from scenario import scenario

NETWORK = "network"


@scenario(heal_s=10, nodes=3, mixes=NETWORK)
async def node_partitioned(world):
    """One node reaches neither Postgres nor Redis, and says so to nobody; its clients reach it."""
    node = world.any_node()
    links = [world.pg_links[node], world.redis_links[node]]
    for link in links:
        link.freeze()
    await world.sleep(4)
    for link in links:
        if world.dice.random() < 0.5:
            link.cut(reset=True)
        link.thaw()


@scenario(heal_s=10, mixes=NETWORK)
async def one_way_loss(world):
    """Between a node and Postgres one direction is lost, then the other."""
    link = world.pg_links[world.any_node()]
    for flow in (link.up, link.down):
        flow.freeze()
        await world.sleep(2.5)
        flow.thaw()
        await world.sleep(0.5)


@scenario(heal_s=12, mixes=NETWORK)
async def clients_half_open(world):
    """The network of clients goes silent, for longer than a ping may take."""
    for link in world.client_links.values():
        link.freeze()
    await world.sleep(5.5)
    for link in world.client_links.values():
        link.cut()
        link.thaw()


@scenario(heal_s=10, mixes=NETWORK)
async def resets_storm(world):
    """Connections of clients are reset again and again, also in the middle of a frame."""
    for _ in range(25):
        for link in world.client_links.values():
            link.cut(reset=True)
        for device in world.dice.sample(world.devices, 3):
            device.drop("reset")
        await world.sleep(world.dice.uniform(0.02, 0.3))


@scenario(heal_s=10, rate=12, dripping=1.0)
async def clients_write_single_bytes(world):
    """Every client writes a byte at a time."""
    await world.sleep(4)


@scenario(
    heal_s=12, rate=25, pairs=2, moderators=1, receive_buffer=4096,
    settings={
        "limits": {"outbound_bytes": 65536},
        "heartbeat": {"ping_s": 25, "pong_timeout_s": 10},  # who does not read answers no ping
    },
)
async def clients_read_slowly(world):
    """Clients stop reading under a flood of long texts: they are closed as slow, and resume."""
    world.load_padding(7000)
    slow = world.devices[:: world.plan.devices]
    for device in slow:
        device.talking = False
    await world.until(lambda: all(device.idle for device in slow), 5, "they only listen")
    for device in slow:
        device.stop_reading()
    await world.until(
        lambda: world.metric("chatgate_slow_consumers_dropped_total"),
        30, "somebody was closed as slow",
    )
    for device in slow:
        device.drop()
        device.talking = True


@scenario(heal_s=15, pairs=3)
async def herd_reconnects(world):
    """Eight hundred devices lose their connections at once, twice, while others talk."""
    crowd = await world.crowd(800)
    for _ in range(2):
        for device in crowd:
            device.drop()
        await world.until(lambda: all(device.live for device in crowd), 40, "the herd is back")
    await world.sleep(0.5)


@scenario(heal_s=10, rate=10, nodes=3)
async def joined_during_publish(world):
    """Devices come and go, and new ones come, while the room is talking."""
    for _ in range(25):
        for device in world.dice.sample(world.devices, 3):
            device.drop(world.dice.choice(["abort", "close", "reset"]))
        if len(world.devices) < 40:
            world.add_device(world.dice.choice(world.pairs))
        await world.sleep(0.15)


@scenario(
    heal_s=15, nodes=3, moderators=6, settings={"moderation": {"default_verdict": "hold"}}, rate=4,
)
async def operators_race(world):
    """Every message is held, and six operators on three nodes decide about the same ones."""
    await world.sleep(5)
    confirmed = sum(len(moderator.decisions) for moderator in world.moderators)
    refused = sum(moderator.lost for moderator in world.moderators)
    world.note(f"{confirmed} verdicts, {refused} came second")
    world.require(refused > 0, "nobody came second")


@scenario(heal_s=10, nodes=3)
async def rooms_made_at_once(world):
    """A hundred clients on three nodes ask for the room of the same two people."""
    for _ in range(3):
        teacher = people.add_user(world.cluster, "teacher")
        student = people.add_user(world.cluster, "student")
        people.add_lesson(world.cluster, teacher, student)
        asking = [
            open_room(world, *(pair if number % 2 else reversed(pair)))
            for number in range(100)
            for pair in [(teacher, student)]
        ]
        rooms = await asyncio.gather(*asking)
        world.require(len(set(rooms)) == 1, f"one pair has {len(set(rooms))} rooms, or was refused")


async def open_room(world, user, peer):
    """The id of the room, or the error."""
    answer = asyncio.get_running_loop().create_future()

    def take(text):
        for line in text.split(b"\n"):
            frame = json.loads(line)
            if frame["t"] == "welcome":
                opened.send(json.dumps({"t": "open", "id": 2, "with": peer.id}).encode())
            if frame.get("re") == 2 and not answer.done():
                answer.set_result(frame.get("room") or frame["code"])

    node = world.any_node()
    opened = await wire.Wire.open(node.port, world.token(user), take, lambda data: None)
    opened.send(b'{"t":"hello","id":1}')
    try:
        return await asyncio.wait_for(answer, 15)
    finally:
        opened.abort()


@scenario(heal_s=10)
async def same_cid_from_everywhere(world):
    """A message is sent with one cid by all devices of its sender at once, on all nodes."""
    for _ in range(20):
        pair = world.dice.choice(world.pairs)
        cid = str(uuid.UUID(int=world.dice.getrandbits(128), version=4))
        devices = [device for device in world.devices if device.user is pair.teacher]
        canary = world.canary()
        for device in devices:
            device.submit(pair.room, cid, canary)
        await world.sleep(0.15)


