# SPDX-License-Identifier: Apache-2.0
"""What happens to Redis, and on the way to it."""

import asyncio

from scenario import scenario

REDIS = "redis"
HEADER_BYTES = 68
NUMBER = slice(36, 44)  # of a frame: the event's in its room (gateway/bus_frame.c)


@scenario(heal_s=10, mixes=REDIS)
async def redis_killed(world):
    """kill -9 of Redis, which comes back empty, three times."""
    for _ in range(3):
        await asyncio.to_thread(world.redis.kill)
        await world.sleep(world.dice.uniform(0.1, 1.5))
        await asyncio.to_thread(world.redis.start)
        await world.sleep(0.5)


@scenario(heal_s=10, mixes=REDIS)
async def redis_frozen(world):
    """SIGSTOP of Redis: it stays connected and says nothing."""
    world.redis.freeze()
    await world.sleep(4)
    world.redis.thaw()


@scenario(heal_s=10, mixes=REDIS)
async def redis_deaf(world):
    """One-way loss: what nodes publish is lost, then what they should hear."""
    for node in world.nodes:
        link = world.redis_links[node]
        for flow in (link.up, link.down):
            flow.freeze()
            await world.sleep(1)
            link.cut()
            flow.thaw()


@scenario(heal_s=10, mixes=REDIS)
async def redis_clients_killed(world):
    """CLIENT KILL of publishers and subscribers, many times."""
    for _ in range(8):
        for kind in ("normal", "pubsub"):
            await asyncio.to_thread(
                world.redis.client().execute_command, "CLIENT", "KILL", "TYPE", kind
            )
        await world.sleep(world.dice.uniform(0.05, 0.6))


@scenario(heal_s=10, mixes=REDIS)
async def redis_output_buffer_full(world):
    """A node hears slowly, and Redis cuts it off for it."""
    redis = world.redis.client()
    limit = "client-output-buffer-limit"
    await asyncio.to_thread(redis.config_set, limit, "pubsub 1024 1024 1")
    for _ in range(3):
        link = world.redis_links[world.any_node()]
        link.down.freeze()
        padding = asyncio.to_thread(stuff, redis)
        await padding
        await world.sleep(0.5)
        link.thaw()
        await world.sleep(0.5)
    await asyncio.to_thread(redis.config_set, limit, "pubsub 33554432 8388608 60")


def stuff(redis):
    """Fills the buffers of whoever subscribes."""
    for channel in redis.pubsub_channels("u:*"):
        for _ in range(8):
            redis.publish(channel, b"\0" * 65536)


@scenario(heal_s=10, mixes=REDIS)
async def redis_password_wrong(world):
    """Redis asks for a password that nodes do not have, and ends their connections."""
    redis = world.redis.client()
    await asyncio.to_thread(redis.config_set, "requirepass", "another")
    await asyncio.to_thread(redis.execute_command, "CLIENT", "KILL", "TYPE", "pubsub")
    for link in world.redis_links.values():
        link.cut()
    await world.sleep(3)
    await asyncio.to_thread(redis.config_set, "requirepass", "")


class Recorder:
    """Whatever goes over Redis, to be published again."""

    def __init__(self, redis):
        self.redis = redis
        self.heard = []
        self.listener = redis.pubsub(ignore_subscribe_messages=True)
        self.listener.psubscribe("*")

    def listen(self, most=200):
        while len(self.heard) < most and (message := self.listener.get_message(timeout=0.02)):
            if isinstance(message["data"], bytes) and len(message["data"]) > HEADER_BYTES:
                self.heard.append((message["channel"], message["data"]))

    def publish_again(self, dice):
        if not self.heard:
            return
        for channel, data in dice.sample(self.heard, min(100, len(self.heard))):
            self.redis.publish(channel, data)
            self.redis.publish(dice.choice(self.heard)[0], data)
            for _ in range(3):
                forged = bytearray(data)
                forged[dice.randrange(len(forged))] ^= 1 << dice.randrange(8)
                self.redis.publish(channel, bytes(forged))
            self.redis.publish(channel, data[: dice.randrange(len(data))])
        for channel, data in self.heard[-20:]:
            number = int.from_bytes(data[NUMBER], "big")
            for ahead in range(1, 4):
                self.redis.publish(
                    channel, data[: NUMBER.start] + (number + ahead).to_bytes(8, "big") + data[NUMBER.stop :]
                )
        self.heard.clear()


@scenario(heal_s=10, mixes=REDIS)
async def publishes_forged_and_doubled(world):
    """Somebody at Redis publishes again what was published: in other orders, on other channels,
    with bits changed, with the numbers that come next."""
    recorder = Recorder(world.redis.client())
    restarts, dropped = world.restarts, world.metric("chatgate_bus_dropped_total")
    for _ in range(6):
        await world.sleep(0.5)
        await asyncio.to_thread(recorder.listen)
        await asyncio.to_thread(recorder.publish_again, world.dice)
    recorder.listener.close()
    now = world.metric("chatgate_bus_dropped_total")
    world.require(now > dropped or world.restarts > restarts, "no forged publish was noticed")


@scenario(heal_s=10, moderators=0)
async def last_words_unpublished(world):
    """What was said last is lost on the way to Redis: head checks alone deliver it."""
    for _ in range(2):
        world.talk()
        await world.sleep(0.5)
        for link in world.redis_links.values():
            link.up.freeze()
        await world.sleep(0.4)
        world.talk(False)
        await world.until(lambda: all(device.idle for device in world.devices), 10, "all is said")
        for link in world.redis_links.values():
            link.cut()
            link.thaw()
        await world.fall_silent(8)
    world.talk()


@scenario(heal_s=10, moderators=0)
async def publisher_killed_after_commit(world):
    """A node dies between COMMIT and PUBLISH, and nobody says anything more."""
    for node in world.nodes:
        world.talk()
        await world.sleep(0.5)
        link = world.pg_links[node]
        link.down.freeze()
        await world.sleep(0.4)
        world.talk(False)
        world.kill(node)
        link.cut()
        link.thaw()
        await world.fall_silent(15)
        await world.restart(node)
    world.talk()
