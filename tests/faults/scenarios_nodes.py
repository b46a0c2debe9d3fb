# SPDX-License-Identifier: Apache-2.0
"""What happens to gateways."""

import signal

from scenario import scenario


@scenario(heal_s=10, mixes=True)
async def gateway_killed(world):
    """kill -9 of a gateway, three times."""
    for _ in range(3):
        node = world.any_node()
        world.kill(node)
        await world.sleep(world.dice.uniform(0.1, 0.8))
        await world.restart(node)
        await world.sleep(0.3)


@scenario(heal_s=10, mixes=True)
async def gateway_frozen(world):
    """SIGSTOP of a gateway for longer than its peers, its clients and Postgres wait."""
    node = world.any_node()
    node.signal(signal.SIGSTOP)
    await world.sleep(5)
    node.signal(signal.SIGCONT)


@scenario(heal_s=10, mixes=True)
async def cut_after_commit(world):
    """The connection dies when the end of a write batch was sent: committed, and nobody was told."""
    for _ in range(6):
        link = world.pg_links[world.any_node()]
        cuts = link.cuts
        link.commit_cut = world.dice.choice(["after", "after", "before"])
        await world.until(lambda: link.cuts > cuts, 15, "a batch was cut")
        await world.sleep(0.4)
