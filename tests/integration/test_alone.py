# SPDX-License-Identifier: Apache-2.0
"""A node that knows of no other publishes nothing; whoever comes, or comes back, misses nothing.

Head checks are ten minutes apart here, so that they find nothing by chance.
"""

import asyncio
import signal
import time

import pytest

PUBLISHED = "chatgate_bus_published_total"
PATIENCE_S = 5


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(
        nodes=2, own_redis=True, delivery={"head_check_s": 600}, heartbeat={"ping_s": 300}
    )


async def until_alone(node, teacher, room):
    """Sends until nothing is published any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        before = node.metric(PUBLISHED)
        await teacher.send(room, "is anybody there")
        if node.metric(PUBLISHED) == before:
            return
        await asyncio.sleep(0.5)
    pytest.fail("it never stopped publishing")


async def test_a_node_that_joins(cluster, connect, pair):
    alone, other = cluster.nodes
    await asyncio.to_thread(other.stop)
    teacher = await connect(pair.teacher)
    await until_alone(alone, teacher, pair.room)
    await asyncio.to_thread(other.start)
    student = await connect(pair.student, node=1)
    sent = await teacher.send(pair.room, "welcome")
    await student.expect("message", mid=sent["mid"], timeout=PATIENCE_S)


async def test_a_node_that_was_thought_dead(cluster, connect, pair):
    alone, other = cluster.nodes
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    other.signal(signal.SIGSTOP)
    try:
        await until_alone(alone, teacher, pair.room)
        sent = await teacher.send(pair.room, "said to nobody")
    finally:
        other.signal(signal.SIGCONT)
    await student.expect("message", mid=sent["mid"], timeout=PATIENCE_S)
    numbers = [frame["seq"] for frame in student.taken("message")]
    assert numbers == list(range(1, sent["seq"] + 1))
