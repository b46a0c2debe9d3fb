# SPDX-License-Identifier: Apache-2.0
"""When all come back at once: some are let in, the others are told when to come."""

import asyncio
import json
import time

import pytest

from raw import Raw
from rest import rest

BURST = 5
RATE = 10


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(limits={"handshakes_per_s": RATE, "handshake_burst": BURST})


@pytest.fixture(autouse=True)
def full_bucket(cluster):
    time.sleep(BURST / RATE + 0.1)


async def knock(cluster, token):
    socket = await Raw.connect(cluster.nodes[0])
    await socket.write(socket.upgrade_request(token))
    response = await socket.response()
    await socket.close()
    return response


def refusal(answer):
    return json.loads(answer.body)["error"]


async def knock_together(cluster, token, count):
    return await asyncio.gather(*(knock(cluster, token) for _ in range(count)))


async def test_beyond_the_burst_it_is_503_with_a_time_to_return(cluster, pair):
    answers = await knock_together(cluster, cluster.token(pair.teacher), 40)
    refused = [answer for answer in answers if answer.status == 503]
    assert BURST <= len(answers) - len(refused) <= BURST + 5
    assert {answer.status for answer in answers} == {101, 503}
    for answer in refused:
        body = refusal(answer)
        assert (body["code"], body["reason"]) == ("unavailable", "limits.handshakes_per_s")
        assert 0 <= int(answer.headers["retry-after"]) - body["retry_after_ms"] / 1000 < 1
    waits = sorted(refusal(answer)["retry_after_ms"] for answer in refused)
    assert len(set(waits)) > len(waits) / 2
    assert waits[-1] > len(refused) / RATE * 1000  # the last place is that far away


async def test_the_token_is_not_looked_at(cluster):
    answers = await knock_together(cluster, "no.such.token", 40)
    assert [answer.status for answer in answers].count(401) <= BURST + 5
    assert 503 in {answer.status for answer in answers}


async def test_refusals_are_counted(cluster, pair):
    node = cluster.nodes[0]
    reason = {"reason": "limits.handshakes_per_s"}
    before = node.metric("chatgate_handshake_failures_total", **reason)
    answers = await knock_together(cluster, cluster.token(pair.teacher), 30)
    refused = sum(answer.status == 503 for answer in answers)
    assert node.metric("chatgate_handshake_failures_total", **reason) - before == refused > 0


async def test_requests_and_sessions_go_on(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    await knock_together(cluster, cluster.token(pair.teacher), 30)
    assert (await teacher.send(pair.room, "still here"))["status"] == "delivered"
    answer = await rest(
        cluster.nodes[0], "GET", "/api/chats", token=cluster.token(pair.student)
    )
    assert answer.status == 200
    assert cluster.nodes[0].probe("/readyz") == 200


async def test_a_herd_that_does_as_it_is_told_is_let_in(cluster, pair):
    async def come_in():
        for attempt in range(4):
            answer = await knock(cluster, cluster.token(pair.student))
            if answer.status == 101:
                return attempt
            await asyncio.sleep(refusal(answer)["retry_after_ms"] / 1000)
        return None

    attempts = await asyncio.gather(*(come_in() for _ in range(30)))
    assert None not in attempts
