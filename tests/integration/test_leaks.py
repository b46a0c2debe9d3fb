# SPDX-License-Identifier: Apache-2.0
"""A text that is not delivered, and every token and password, is nowhere that it should not be."""

import asyncio
import json
import secrets

import pytest

import metrics
from client import Client, new_uuid
from rest import rest


@pytest.fixture(scope="module")
def cluster(make_cluster):
    """Servers of its own, whose logs and traffic are this module's alone."""
    return make_cluster(
        nodes=2, own_redis=True, own_postgres=True, moderation={"default_verdict": "hold"}
    )


async def test_no_text_leaks(cluster, make_pair, make_user):
    canary = f"canary{secrets.token_hex(8)}"
    reason = "abuse.other"
    pair = make_pair()
    monitor = await asyncio.create_subprocess_exec(
        "redis-cli", "-s", str(cluster.redis.socket), "monitor",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )
    assert await monitor.stdout.readline() == b"OK\n"
    tokens = {user: cluster.token(user) for user in (pair.teacher, pair.student, make_user("moderator"))}
    teacher, student, judge = [
        await Client.open(cluster.nodes[n % 2].ws_url, token)
        for n, token in enumerate(tokens.values())
    ]
    await judge.request("queue.watch")
    sent = [await teacher.send(pair.room, f"{canary} {n}") for n in range(3)]
    blocked = await teacher.send(pair.room, f"{canary} blocked")
    await judge.request("queue.decide", mid=blocked["mid"], verdict="block", reason=reason)
    await teacher.send(pair.room, f"{canary} 0", sent[0]["cid"])  # a resend
    await teacher.refused("send", room=pair.room, cid=sent[1]["cid"], text=f"{canary} other")
    await teacher.send_text('{"t":"send","id":90,"room":1,"text":"%s"}' % canary)
    await teacher.send_text('{"t":"%s","id":91}' % canary)
    await teacher.send_text("{%s" % canary)
    await teacher.refused("send", room=new_uuid(), cid=new_uuid(), text=canary)
    secret = f"hunter-{secrets.token_hex(8)}"
    await rest(
        cluster.nodes[0], "POST", "/api/auth/login",
        {"email": pair.teacher.email, "password": secret},
    )
    await rest(cluster.nodes[0], "GET", f"/api/chats?token={tokens[pair.student]}")
    fresh = await Client.open(cluster.nodes[0].ws_url, tokens[pair.student], hello={"rooms": {pair.room: 0}})
    history = await fresh.request("history", room=pair.room)
    rooms = await fresh.request("rooms")
    await asyncio.sleep(1.5)
    for client in (teacher, student, judge, fresh):
        await client.close()
    monitor.terminate()
    traffic = (await monitor.stdout.read()).decode(errors="replace")
    await monitor.wait()
    places = {
        "Redis": traffic,
        "Postgres' log": cluster.postgres.log.read_text(errors="replace"),
        "the peer": json.dumps(student.seen + fresh.seen + [history, rooms]),
        **{
            f"{node.name}'s {what}": text
            for node in cluster.nodes
            for what, text in (
                ("log", node.log.read_text(errors="replace")),
                ("metrics", metrics.scrape_text(node.admin_url)),
            )
        },
    }
    assert places["Redis"] and places["node1's log"], "nothing was watched"
    # The log of Postgres holds what this test itself wrote, as operator: nothing of the texts.
    for place, text in places.items():
        assert canary not in text, f"a text is in {place}"
        assert secret not in text, f"a password is in {place}"
        for token in tokens.values():
            assert token not in text, f"a token is in {place}"
            assert token.rpartition(".")[2] not in text, f"a signature is in {place}"


async def test_held_and_blocked_are_not_published(cluster, make_pair):
    """What goes over Redis of a held message are ids."""
    pair = make_pair()
    listener = cluster.redis.client().pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("*")
    teacher = await Client.open(cluster.nodes[0].ws_url, cluster.token(pair.teacher))
    held = await teacher.send(pair.room, "nobody's business")
    assert held["status"] == "pending_moderation"
    await asyncio.sleep(0.5)
    seen = b""
    while (message := listener.get_message(timeout=0.1)) is not None:
        if isinstance(message["data"], bytes):
            seen += message["data"]
    assert b"business" not in seen
    await teacher.close()
