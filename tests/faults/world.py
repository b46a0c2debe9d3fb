# SPDX-License-Identifier: Apache-2.0
"""The installation that a scenario breaks: nodes, links that can be made bad, load, and watchers.

Each node reaches Postgres and Redis through links of its own; clients come through a link of the
node or straight.
"""

import asyncio
import os
import pathlib
import random
import signal
import sys
import time

import checker
import metrics
import people
from cluster import Cluster
from device import Device
from journal import CANARY_BYTES, Row, Sightings, Transition, canary
from moderator import Moderator
from proxy import Link
from services import Redis

PG_SOCKET = ".s.PGSQL.5432"
SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")

# Faults are found and forgotten sooner than in production, so that a scenario takes seconds.
SETTINGS = {
    "delivery": {"head_check_s": 2},
    "heartbeat": {"ping_s": 2, "pong_timeout_s": 2},
    "database": {"statement_timeout_ms": 2000, "lock_timeout_ms": 500, "connect_timeout_ms": 1000},
    "limits": {
        "connections_per_ip": 20000,
        "connections_per_user": 200,
        "messages_per_s": 5000,
        "message_burst": 5000,
        "requests_per_s": 5000,
        "opens_per_minute": 10000,
    },
    "log": {"level": "debug", "format": "json"},
}


class World:
    """plan: a Scenario. postgres: the server, made for this world alone. cache: a folder in which
    nodes of all worlds keep compiled rules: a start then costs milliseconds."""

    def __init__(self, plan, seed, postgres, cache):
        self.plan = plan
        self.seed = seed
        self.dice = random.Random(seed)
        settings = merged(SETTINGS, {"moderation": {"cache_dir": cache}}, plan.settings)
        self.cluster = Cluster(plan.nodes, settings, postgres=postgres, redis=Redis(), start=False)
        self.cluster.owned += [postgres, self.cluster.redis]
        self.postgres = postgres
        self.redis = self.cluster.redis
        self.nodes = self.cluster.nodes
        self.pairs = [people.add_pair(self.cluster) for _ in range(plan.pairs)]
        self.pg_links, self.redis_links, self.client_links = {}, {}, {}
        self.devices, self.moderators = [], []
        self.extra = []  # violations that the scenario itself found
        self.notes = []
        self.expected_deaths = set()  # pids that the scenario ended
        self.restarts = 0
        self.supervised = False
        self.forgets = False  # whether the database may have lost what was acknowledged
        self.stalled = set()  # nodes whose loop stood still because the scenario stopped it
        self.padding = 0
        self.silent = set()  # rooms in which nobody talks
        self._tokens = {}
        self._watchers = []
        self._secrets = {}
        self._before = {}
        self._monitoring = asyncio.Event()

    async def start(self):
        for node in self.nodes:
            await self._link(node)
        if self.plan.prepare:
            self.plan.prepare(self)
        starts = [asyncio.to_thread(self._start_node, node) for node in self.nodes]
        await asyncio.gather(*starts)
        self._watchers = [
            asyncio.create_task(watch) for watch in (self._watch_redis(), self._watch_pages())
        ]
        await asyncio.wait_for(self._monitoring.wait(), 10)
        self._make_clients()
        for client in self.clients:
            client.start()
        await self.until(lambda: all(client.live for client in self.clients), 20, "all are live")
        self._before = {node: self._usage(node) for node in self.nodes}

    def _start_node(self, node, timeout_s=60):
        """Until it is ready. One that could not stay, since Postgres is away, is started again."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                node.start(wait=False)
                node.wait_ready(deadline - time.monotonic())
                return
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    async def _link(self, node):
        """The node's way to Postgres, to Redis, and the worse one of two from clients to it."""
        folder = self.cluster.folder / f"{node.name}-pg"
        folder.mkdir(mode=0o755)
        self.pg_links[node] = Link(str(self.postgres.folder / PG_SOCKET), str(folder / PG_SOCKET))
        redis = self.cluster.folder / f"{node.name}-redis"
        self.redis_links[node] = Link(str(self.redis.socket), str(redis))
        self.client_links[node] = Link(("127.0.0.1", node.port))
        for link in self.links(node):
            await link.start()
        url = self.postgres.url(self.cluster.database)
        host = str(self.postgres.folder).replace("/", "%2F")
        node.set("database", url=url.replace(host, str(folder).replace("/", "%2F")))
        node.set("redis", url=f"unix:{redis}")

    def links(self, node):
        return [self.pg_links[node], self.redis_links[node], self.client_links[node]]

    @property
    def all_links(self):
        return [link for node in self.nodes for link in self.links(node)]

    @property
    def clients(self):
        return self.devices + self.moderators

    def _make_clients(self):
        for number, pair in enumerate(self.pairs):
            for user in (pair.teacher, pair.student):
                for index in range(self.plan.devices):
                    name = f"{user.role}{number}.{index}"
                    self.devices.append(self._make_device(user, pair.room, name, self.plan.rate))
        for index in range(self.plan.moderators):
            user = people.add_user(self.cluster, "moderator")
            dice = random.Random(self.dice.random())
            self.moderators.append(Moderator(self, user, f"moderator{index}", dice))

    def _make_device(self, user, room, name, rate):
        return Device(
            self, user, [room], name, random.Random(self.dice.random()), rate,
            drip=self.dice.random() < self.plan.dripping, batch=self.dice.random() < 0.5,
        )

    def add_device(self, pair):
        """One more, which has seen nothing yet."""
        user = self.dice.choice([pair.teacher, pair.student])
        device = self._make_device(user, pair.room, f"{user.role}+{len(self.devices)}", self.plan.rate)
        device.talking = True
        device.start()
        self.devices.append(device)

    async def crowd(self, count, pairs=20):
        """Devices of other rooms, which only listen."""
        rooms = [await asyncio.to_thread(people.add_pair, self.cluster) for _ in range(pairs)]
        self.pairs += rooms
        made = []
        for number in range(count):
            pair = rooms[number % pairs]
            user = (pair.teacher, pair.student)[number // pairs % 2]
            made.append(self._make_device(user, pair.room, f"listener{number}", 0.01))
            made[-1].straight = True
            made[-1].start()
        self.devices += made
        self.silent |= {pair.room for pair in rooms}
        await self.until(lambda: all(device.live for device in made), 40, "the crowd is there")
        return made

    def canary(self):
        return canary(self.dice)

    def load_padding(self, size_bytes):
        """From here on texts are so long."""
        self.padding = size_bytes

    def address(self, client):
        """A node, and one of the two ways to it."""
        node = client.dice.choice(self.nodes)
        if client.dice.random() < 0.5 and not client.straight:
            return self.client_links[node].port, node.tls
        return node.port, node.tls

    def token(self, user):
        if user.id not in self._tokens:
            self._tokens[user.id] = self.cluster.token(user, 10 * 86400)
        return self._tokens[user.id]

    def members(self):
        return {pair.room: {pair.teacher.id, pair.student.id} for pair in self.pairs}

    def progress(self):
        """A long run says how it goes."""
        usage = [self._usage(node) for node in self.nodes if node.running]
        memory = ", ".join(f"{one[0] / 2**20:.1f}" for one in usage if one)
        acked = sum(len(device.journal.acks) for device in self.devices)
        print(f"{time.strftime('%H:%M:%S')} {acked} acked, memory {memory} MiB, {self.notes[-1]}",
              file=sys.stderr, flush=True)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds * self.plan.pace)

    async def until(self, check, timeout_s, what):
        """Waits for check(); what blocks is asked on a thread."""
        deadline = time.monotonic() + timeout_s
        while not check():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {timeout_s} s")
            await asyncio.sleep(0.05)

    def metric(self, name):
        """The sum over the nodes that are there to be asked."""
        total = 0
        for node in self.nodes:
            try:
                total += node.metric(name)
            except OSError:
                pass
        return total

    async def query(self, sql, *parameters):
        return await asyncio.to_thread(self.cluster.query, sql, *parameters)

    def talk(self, talking=True):
        for device in self.devices:
            device.talking = talking

    # What scenarios do to nodes.

    def any_node(self):
        return self.dice.choice(self.nodes)

    def kill(self, node, number=signal.SIGKILL):
        self.expected_deaths.add(node.pid)
        node.signal(number)
        node.wait()

    async def restart(self, node):
        """Starts a node that is not there; others may be waiting for it."""
        self.restarts += 1
        await asyncio.to_thread(self._start_node, node)

    async def roll(self, node):
        """As a deployment does: drains a node, starts it anew."""
        self.expected_deaths.add(node.pid)
        code = await asyncio.to_thread(node.stop)
        if code != 0:
            self.violation("F", checker.COST, f"{node.name} drained and ended with {code}")
        await self.restart(node)

    def use_postgres(self, server):
        """Another server has the data from here on."""
        self.cluster.owned.append(server)
        self.postgres = self.cluster.postgres = server
        for link in self.pg_links.values():
            link.target = str(server.folder / PG_SOCKET)

    def require(self, bitten, what):
        """A scenario whose fault did not happen has shown nothing."""
        if not bitten:
            self.violation("G", checker.HEAL, f"the scenario has no effect: {what}")

    def violation(self, promise, kind, what):
        self.extra.append(checker.Violation(promise, kind, what))

    def note(self, text):
        self.notes.append(text)

    def supervise(self):
        """What systemd does, from here on: a node that died is started again."""
        self.supervised = True
        self._watchers.append(asyncio.create_task(self._supervise()))

    async def _supervise(self):
        while True:
            for node in self.nodes:
                if not node.running:
                    await self.restart(node)
            await asyncio.sleep(0.1)

    def unexpected_deaths(self):
        for node in self.nodes:
            log = node.log.read_text(errors="replace")
            for mark in SANITIZER_MARKS:
                if mark in log:
                    yield checker.Violation("F", checker.COST, log[log.index(mark) :][:2000])
            if not node.running and not self.supervised:
                yield checker.Violation(
                    "F", checker.COST,
                    f"{node.name} ended with {node.process.returncode}: {log[-800:]}",
                )

    # Watchers

    def _sightings(self, place):
        if place not in self._secrets:
            self._secrets[place] = Sightings(time.monotonic)
        return self._secrets[place]

    async def _watch_redis(self):
        """Every command that Redis is given, by MONITOR; made anew when Redis comes back."""
        seen = self._sightings("Redis")
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self.redis.socket))
                writer.write(b"MONITOR\r\n")
                self._monitoring.set()
                while data := await reader.read(65536):
                    seen.scan(data)
            except OSError:
                pass
            seen.cut()
            await asyncio.sleep(0.02)

    async def _watch_pages(self):
        """What operators see: metrics, and command lines."""
        while True:
            for node in self.nodes:
                await asyncio.to_thread(self._look_at, node)
            await asyncio.sleep(1)

    def _look_at(self, node):
        try:
            self._sightings("/metrics").scan(metrics.scrape_text(node.admin_url).encode())
        except (OSError, ValueError):
            pass
        try:
            command = pathlib.Path(f"/proc/{node.pid}/cmdline").read_bytes()
            self._sightings("a command line").scan(command)
        except OSError:
            pass

    def _read_logs(self):
        for path in [*(node.log for node in self.nodes), self.postgres.log]:
            self._sightings(path.name).scan(path.read_bytes())

    def _usage(self, node):
        try:
            samples = node.metrics()
        except OSError:
            return None
        return (
            int(metrics.value(samples, "process_resident_memory_bytes")),
            len(os.listdir(f"/proc/{node.pid}/fd"))
            - int(metrics.value(samples, "chatgate_connections")),
            metrics.value(samples, "chatgate_event_loop_lag_max_seconds"),
        )

    # The end

    async def healed(self, since, bound_s):
        """Seconds from `since` until every node is ready, every client live, and every room has
        delivered to all its devices what was sent after `since`. None if it takes too long."""
        while time.monotonic() < since + bound_s:
            if self._all_well(since) and await asyncio.to_thread(self._all_ready):
                return time.monotonic() - since
            await asyncio.sleep(0.05)
        return None

    def _all_well(self, since):
        if not all(client.live for client in self.clients):
            return False
        talking = [pair.room for pair in self.pairs if pair.room not in self.silent]
        return all(self._room_is_well(room, since) for room in talking)

    def _room_is_well(self, room, since):
        members = [device for device in self.devices if room in device.cursors]
        fresh = [
            device.latest[room][1]
            for device in members
            if device.latest.get(room, (0, 0))[0] >= since
        ]
        return bool(fresh) and all(device.cursors[room] >= max(fresh) for device in members)

    def _all_ready(self):
        return all(node.running and node.probe("/readyz") == 200 for node in self.nodes)

    async def fall_silent(self, bound_s):
        """Nobody says anything more; what was said arrives without a later message's help."""
        self.talk(False)
        deadline = time.monotonic() + bound_s
        while not (all(device.idle for device in self.devices) and await self._arrived()):
            if time.monotonic() > deadline:
                self.violation("G", checker.HEAL, f"the last words did not arrive within {bound_s} s")
                return
            await asyncio.sleep(0.1)

    async def settle(self, bound_s):
        """Lets what is on its way arrive: outboxes are empty, queues decided, devices at the head."""
        self.talk(False)
        deadline = time.monotonic() + bound_s
        while time.monotonic() < deadline:
            if all(device.idle for device in self.devices) and await self._arrived():
                await asyncio.sleep(0.3)  # what comes twice comes now
                return
            await asyncio.sleep(0.1)

    async def _arrived(self):
        waiting = await self.query(
            "SELECT count(*) FROM messages WHERE status = 'pending_moderation'"
        )
        if waiting[0][0] and self.moderators:
            return False
        heads = dict(await self.query("SELECT id::text, head FROM chat_rooms"))
        statuses = dict(await self.query("SELECT id::text, status FROM messages WHERE cid IS NOT NULL"))
        for device in self.devices:
            if any(statuses.get(mid) != told for mid, told in device.journal.own.items()):
                return self.forgets
        return all(
            cursor == heads.get(room)
            for device in self.devices
            for room, cursor in device.cursors.items()
        )

    def why_unwell(self, since):
        """For the report of a scenario that did not heal."""
        reasons = [f"{client.name} is not live" for client in self.clients if not client.live]
        reasons += [f"{node.name} is not ready" for node in self.nodes if node.probe("/readyz") != 200]
        reasons += [
            f"room {number} has not delivered"
            for number, pair in enumerate(self.pairs)
            if not self._room_is_well(pair.room, since)
        ]
        return "; ".join(reasons)

    def read_database(self):
        rows = self.cluster.query(
            "SELECT chat_room_id::text, id::text, sender_id::text, cid::text, status, seq, removed_seq,"
            " version, message_text FROM messages"
        )
        audit = self.cluster.query(
            "SELECT message_id::text, action, to_status, version, actor_id::text"
            " FROM moderation_audit WHERE message_id IS NOT NULL AND to_status IS NOT NULL"
        )
        return checker.Database(
            (Row(*row[:8], row[8][:CANARY_BYTES]) for row in rows), (Transition(*row) for row in audit)
        )

    async def check(self):
        """All violations of A to F."""
        database = await asyncio.to_thread(self.read_database)
        journals = [device.journal for device in self.devices]
        if self.forgets:
            checker.forget(journals, database)
        decisions = [one for moderator in self.moderators for one in moderator.decisions]
        decisions = [one for one in decisions if not self.forgets or one.mid in database.by_mid]
        found = list(checker.check_deliveries(journals, database, self.members(), decisions))
        found += self._check_secrets(database)
        found += self.unexpected_deaths()
        if not self.supervised:
            found += checker.check_costs(self._costs(), self.plan.bounds)
        for device in self.devices:
            found += [checker.Violation("B", checker.DISORDER, fault) for fault in device.faults]
        return found + self.extra

    def _check_secrets(self, database):
        asked = {}
        for moderator in self.moderators:
            for mid, at in moderator.asked_at.items():
                asked[mid] = min(at, asked.get(mid, at))
        for device in self.devices:
            yield from checker.check_secret(
                device.name, device.journal.bytes.first, database, device.user.id, asked,
                forgets=self.forgets,
            )
        sent = {one.canary for device in self.devices for one in device.journal.sent.values()}
        self._read_logs()
        for place, seen in self._secrets.items():
            yield from checker.check_secret(
                place, {text: at for text, at in seen.first.items() if text.decode() in sent},
                database, None, asked, delivered_too=place == "Redis",
            )

    def _costs(self):
        for node in self.nodes:
            before, after = self._before.get(node), self._usage(node) if node.running else None
            if before and after:
                stall_s = 0 if node in self.stalled else after[2]
                yield checker.Cost(node.name, before[0], after[0], before[1], after[1], stall_s)

    async def stop(self):
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for client in self.clients:
            client.end()
        for client in self.clients:
            await client.stop()
        for link in self.all_links:
            await link.stop()

    def destroy(self):
        for node in self.nodes:
            if node.process and node.running:
                node.signal(signal.SIGCONT)
        self.cluster.destroy()


def merged(*layers):
    settings = {}
    for layer in layers:
        for section, keys in layer.items():
            settings.setdefault(section, {}).update(keys)
    return settings
