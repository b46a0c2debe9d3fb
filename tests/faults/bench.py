# SPDX-License-Identifier: Apache-2.0
"""Runs one scenario from its seed and prints what came of it as a line of JSON.

bench.py SCENARIO SEED DATA LOGS MINUTES RATE: DATA is that of a stopped Postgres with the migrated template; the
logs of a run with violations are kept in LOGS. MINUTES and RATE (messages a second) are a soak's.
"""

import asyncio
import dataclasses
import json
import logging
import pathlib
import shutil
import signal
import sys
import time
import traceback
import types

import checker
import scenarios
from servers import make_postgres
from world import World

SETTLE_S = 15
SHOWN = 12  # violations in a report; there may be thousands


@dataclasses.dataclass
class Report:
    scenario: str
    seed: int
    messages: int = 0
    acked: int = 0
    heal_s: float | None = None
    took_s: float = 0
    breaks: int = 0
    resets: int = 0
    counts: dict = dataclasses.field(default_factory=dict)
    violations: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)

    def fill(self, world, found):
        journals = [device.journal for device in world.devices]
        self.messages = sum(len(journal.sent) for journal in journals)
        self.acked = sum(len(journal.acks) for journal in journals)
        self.breaks = sum(device.breaks for device in world.devices)
        self.resets = sum(device.resets for device in world.devices)
        self.counts = dict(checker.counted(found))
        self.violations = [str(one) for one in found[:SHOWN]]
        if len(found) > SHOWN:
            self.violations.append(f"... {len(found) - SHOWN} more")
        self.notes = world.notes


async def run(plan, seed, template, logs):
    """A world, a fault, and what the checker says."""
    began = time.monotonic()
    report = Report(plan.name, seed)
    world = World(plan, seed, make_postgres(plan, template), template.data.parent / "rules")
    try:
        found = await damage(world, report)
        report.fill(world, found)
    except BaseException:
        report.fill(world, [checker.Violation("G", checker.HEAL, traceback.format_exc()[-1500:])])
        raise
    finally:
        report.took_s = time.monotonic() - began
        if report.violations:
            keep_logs(world, logs / f"{plan.name}-{seed}")
        world.destroy()
        print(json.dumps(dataclasses.asdict(report)), flush=True)


async def damage(world, report):
    """The run itself; returns the violations."""
    plan = world.plan
    await world.start()
    world.talk()
    await world.sleep(plan.before_s)
    await plan.run(world)
    undone = time.monotonic()
    report.heal_s = await world.healed(undone, plan.heal_s)
    found = list(checker.check_heal(report.heal_s, plan.heal_s))
    if report.heal_s is None:
        world.note(await asyncio.to_thread(world.why_unwell, undone))
    await world.settle(SETTLE_S)
    found += await world.check()
    await world.stop()
    return found


def keep_logs(world, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in [*(node.log for node in world.nodes), world.postgres.log]:
        if path.exists():
            shutil.copy(path, folder)


async def main(name, seed, data, logs, minutes, rate):
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    template = types.SimpleNamespace(data=pathlib.Path(data))
    plan = scenarios.ALL[name]
    if float(minutes):
        plan.for_a_soak(float(minutes), float(rate))
    await run(plan, int(seed), template, pathlib.Path(logs))


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # its warnings are about our faults
    asyncio.run(main(*sys.argv[1:]))
