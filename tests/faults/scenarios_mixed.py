# SPDX-License-Identifier: Apache-2.0
"""Several things at once."""

import asyncio
import time

from scenario import ALL, scenario


async def mix(world):
    """Draws one fault of each of two or three parts, and lets them happen at the same time."""
    parts = sorted({plan.mixes for plan in ALL.values() if plan.mixes})
    chosen = []
    for part in world.dice.sample(parts, world.dice.choice([2, 2, 3])):
        plans = [plan for plan in ALL.values() if plan.mixes == part and plan.nodes <= world.plan.nodes]
        chosen.append(world.dice.choice(plans))
    world.note(" + ".join(plan.name for plan in chosen))
    await asyncio.gather(*(plan.run(world) for plan in chosen))


def mixed(name):
    async def run(world):
        """Two or three faults at the same time, drawn by the seed, and again."""
        world.dice.seed(f"{name} {world.seed}")
        for _ in range(2):
            await mix(world)
            await world.sleep(0.5)

    run.__name__ = name
    scenario(nodes=3, heal_s=20)(run)


for letter in "abcd":
    mixed(f"mixed_{letter}")


@scenario(nodes=3, heal_s=30, only_asked=True)
async def soak(world):
    """Mixed faults, one set after the other, until the time is over. Memory stays flat."""
    ends = time.monotonic() + 60 * world.plan.minutes
    while time.monotonic() < ends:
        await mix(world)
        await asyncio.sleep(5)
        world.progress()
