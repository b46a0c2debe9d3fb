# SPDX-License-Identifier: Apache-2.0
"""An installation under load: durable Postgres, Redis, nodes, users and rooms by the thousand."""

import dataclasses
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import procfs
from cluster import ROOT, Cluster
from services import Postgres

BENCH_LIMITS = {
    "limits": {
        "messages_per_s": 10000,
        "message_burst": 100000,
        "requests_per_s": 100000,
        "connections": 100000,
        "connections_per_user": 10000,
        "connections_per_ip": 100000,
    },
    "log": {"level": "info", "format": "json"},
}


def bench_binary():
    return os.environ.get(
        "CHATGATE_BENCH", str(ROOT / ".chatgate/build/tests/bench/chatgate-bench")
    )


class DurablePostgres(Postgres):
    """As a distribution ships it: commits reach the disk, statements are not logged."""

    def __init__(self):
        super().__init__()
        self.stop()
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(
                "fsync = on\nfull_page_writes = on\n"
                "log_statement = 'none'\nlog_min_duration_statement = -1\nlog_lock_waits = off\n"
            )
        self.start()


@dataclasses.dataclass(frozen=True)
class Room:
    id: str
    teacher: str
    student: str


class Stage(Cluster):
    """A cluster with the load generator before it."""

    def __init__(self, nodes, settings=None):
        merged = {section: dict(keys) for section, keys in BENCH_LIMITS.items()}
        for section, keys in (settings or {}).items():
            merged.setdefault(section, {}).update(keys)
        super().__init__(nodes, merged, postgres=self._own_early(DurablePostgres()))

    def _own_early(self, postgres):
        self.durable = postgres
        return postgres

    def destroy(self):
        super().destroy()
        self.durable.destroy()

    def add_users(self, role, count):
        """Ids of new users."""
        ids = [str(uuid.uuid4()) for _ in range(count)]
        self.query(
            "INSERT INTO users (id, email, first_name, last_name, role)"
            " SELECT id, id || '@bench.example', 'Bench', initcap(%s), %s"
            " FROM unnest(%s::uuid[]) AS id",
            role, role, ids,
        )
        return ids

    def add_rooms(self, pairs):
        """Rooms of (teacher, student) pairs."""
        rooms = [Room(str(uuid.uuid4()), *pair) for pair in pairs]
        self.query(
            "INSERT INTO chat_rooms (id, teacher_id, student_id)"
            " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[])",
            [room.id for room in rooms],
            [room.teacher for room in rooms],
            [room.student for room in rooms],
        )
        self.query("ANALYZE")
        return rooms

    def heads(self):
        return dict(self.query("SELECT id::text, head FROM chat_rooms"))

    def settle(self):
        """What was written so far reaches the disk before the measurement, not during it."""
        self.query("CHECKPOINT")

    def sample(self):
        return Sample(
            gateway_s=sum(procfs.cpu_s(node.pid) for node in self.nodes),
            postgres_s=procfs.family_cpu_s(self.postgres.process.pid),
            redis_s=procfs.cpu_s(self.redis.process.pid),
            memory=[procfs.memory(node.pid) for node in self.nodes],
            load=procfs.load_average(),
        )


@dataclasses.dataclass(frozen=True)
class Sample:
    gateway_s: float
    postgres_s: float
    redis_s: float
    memory: list
    load: float

    @property
    def pss_kib(self):
        return sum(memory.pss_kib for memory in self.memory)

    @property
    def rss_kib(self):
        return sum(memory.rss_kib for memory in self.memory)


class Plan:
    """What plan.h describes."""

    def __init__(self, stage):
        self.stage = stage
        self.lines = [f"node 127.0.0.1:{node.port}" for node in stage.nodes]
        self.clients = 0

    def client(self, user, node=None):
        """Its index. Without a node, clients take turns over the nodes."""
        node = self.clients % len(self.stage.nodes) if node is None else node
        self.lines.append(f"client {node} {user} {self.stage.token(user, ttl_s=86400)}")
        self.clients += 1
        return self.clients - 1

    def room(self, room, head, senders, clients):
        self.lines.append(" ".join(map(str, ("room", room.id, head, senders, *clients))))

    def write(self):
        path = self.stage.folder / f"plan-{secrets.token_hex(4)}"
        path.write_text("\n".join(self.lines) + "\n")
        return path


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of the generator: its result, and a sample at the beginning of each phase."""

    result: dict
    samples: dict

    def spent_us(self, field):
        """CPU time in the window."""
        before, after = self.samples["window"], self.samples["drain"]
        return (getattr(after, field) - getattr(before, field)) * 1e6

    def per_message_us(self, field="gateway_s"):
        return self.spent_us(field) / max(1, self.result["acks"])

    def per_delivery_us(self, *fields):
        return sum(map(self.spent_us, fields)) / max(1, self.result["deliveries"])

    def share(self, field):
        """Of one core."""
        return self.spent_us(field) / max(1, self.result["window_us"])


def run_bench(stage, mode, plan, hook=None, **options):
    """Runs the generator; hook(phase) is called when a phase begins. Never raises for faults: they
    are in the result."""
    command = [bench_binary(), mode, "--plan", str(plan.write())]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    samples, result = {}, None
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            phase = re.match(r"phase (\w+)", line)
            if phase:
                samples[phase[1]] = stage.sample()
                if hook:
                    hook(phase[1])
            elif line.startswith("{"):
                result = json.loads(line)
    if result is None:
        raise RuntimeError(f"chatgate-bench ended with {process.returncode}")
    return Run(result, samples)
