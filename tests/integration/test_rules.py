# SPDX-License-Identifier: Apache-2.0
"""Rules live in the database: every node has the ones in force within a second, whole."""

import asyncio
import json
import time

import pytest

import people
from client import Client


SECOND_S = 1.0


@pytest.fixture
def cluster(make_cluster):
    cluster = make_cluster(nodes=2)
    yield cluster
    cluster.destroy()


def put_rule(cluster, text, note=None):
    ((version,),) = cluster.query("SELECT chatgate_put_rule(%s, %s)", text, note)
    return version


def in_force(node):
    return node.metric("chatgate_moderation_rule_set_version")


async def until_in_force(cluster, version, patience_s=10):
    deadline = time.monotonic() + patience_s
    while any(in_force(node) != version for node in cluster.nodes):
        assert time.monotonic() < deadline, cluster.nodes[0].log_tail(2000)
        await asyncio.sleep(0.02)


def word_rule(word, action="block", **more):
    keys = {"label": "spam", "action": action, "words": word, **more}
    return f"rule test.{word}\n" + "".join(f"  {key} {value}\n" for key, value in keys.items())


def stored(cluster, mid):
    """A message's rule set, and what its case says (None: it has no case)."""
    ((rule_set, detail),) = cluster.query(
        """SELECT m.rule_set, c.detail FROM messages m
           LEFT JOIN moderation_cases c ON c.message_id = m.id WHERE m.id = %s""", mid)
    return rule_set, detail


async def test_a_rule_added_by_sql_acts_on_all_nodes_within_a_second(cluster, connect, pair):
    clients = [await connect(pair.teacher), await connect(pair.student, node=1)]
    for client in clients:
        assert (await client.send(pair.room, "qwertyword"))["status"] == "delivered"
    version = put_rule(cluster, word_rule("qwertyword"))
    deadline = time.monotonic() + SECOND_S
    for client in clients:
        while (answer := await client.send(pair.room, "qwertyword"))["status"] == "delivered":
            assert time.monotonic() < deadline, "the rule does not act"
            await asyncio.sleep(0.02)
        assert answer["status"] == "blocked"
        rule_set, detail = stored(cluster, answer["mid"])
        assert (rule_set, detail["rules"]) == (version, ["test.qwertyword"])


async def test_no_message_is_screened_by_a_mixed_set(cluster, connect, pair):
    """Each version blocks one word of two and holds the other, in turns, while messages flow on
    two nodes. Every row's verdicts must be those of the version that it names."""
    clients = [await connect(pair.teacher), await connect(pair.student, node=1)]
    meaning, done, sent = {}, asyncio.Event(), []

    async def talk(client):
        while not done.is_set():
            sent.extend(await asyncio.gather(
                *(client.send(pair.room, "firstword and secondword") for _ in range(20))))

    async def change():
        for turn in range(8):
            first, second = ("block", "hold") if turn % 2 else ("hold", "block")
            # By severity the first rule wins, so a mixed set would show in the verdict.
            with cluster.db.transaction():
                rules = [
                    {"id": "test.firstword", "text": word_rule("firstword", first, severity=4)},
                    {"id": "test.secondword", "text": word_rule("secondword", second, severity=1)},
                ]
                ((version,),) = cluster.query(
                    "SELECT chatgate_store_rules(%s, NULL, 'turn', NULL)", json.dumps(rules))
            meaning[version] = "blocked" if first == "block" else "pending_moderation"
            await until_in_force(cluster, version)
            await asyncio.sleep(0.1)
        done.set()

    await asyncio.gather(change(), *(talk(client) for client in clients))
    rows = cluster.query(
        """SELECT m.rule_set, m.status, array_agg(DISTINCT m.sender_id), count(*)
           FROM messages m WHERE m.chat_room_id = %s GROUP BY 1, 2 ORDER BY 1""", pair.room)
    assert sum(row[3] for row in rows) == len(sent)
    for rule_set, status, _, _ in rows:
        assert status == meaning.get(rule_set, "delivered"), rows
    assert len({row[0] for row in rows}) >= 6
    assert max(len(row[2]) for row in rows) == 2, "both nodes wrote under one version"


async def test_a_bad_rule_is_refused_with_its_place_and_the_old_set_stays(cluster, connect, pair):
    good = put_rule(cluster, word_rule("goodword"))
    await until_in_force(cluster, good)
    bad = put_rule(cluster, "rule test.bad\n  label spam\n  pattern (a|b){1,900}\n")
    deadline = time.monotonic() + 10
    for node in cluster.nodes:
        while node.metric("chatgate_moderation_rule_loads_total", result="failed") == 0:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert in_force(node) == good
        assert node.metric("chatgate_moderation_rule_set_stored_version") == bad
        (line,) = [json.loads(line) for line in node.log.read_text().splitlines()
                   if "a rule set was refused" in line]
        assert (line["source"], line["line"], line["column"]) == ("test.bad", 3, 11)
    teacher = await connect(pair.teacher)
    assert (await teacher.send(pair.room, "goodword"))["status"] == "blocked"
    # A node that starts now has the last good one, and says so.
    cluster.nodes[1].restart()
    student = await connect(pair.student, node=1)
    assert (await student.send(pair.room, "goodword"))["status"] == "blocked"
    assert in_force(cluster.nodes[1]) == good
    mended = put_rule(cluster, "rule test.bad\n  label spam\n  words other\n")
    await until_in_force(cluster, mended)


async def test_a_node_does_not_need_the_hint(cluster, connect, pair):
    """Made without a NOTIFY, as when its queue is full."""
    with cluster.db.transaction():
        cluster.query("ALTER TABLE moderation_rule_sets DISABLE TRIGGER chatgate_rules_made")
        version = put_rule(cluster, word_rule("quietword"))
        cluster.query("ALTER TABLE moderation_rule_sets ENABLE TRIGGER chatgate_rules_made")
    await until_in_force(cluster, version, patience_s=2.5)


async def test_shadow_records_and_does_nothing(cluster, connect, pair, moderator):
    version = put_rule(cluster, word_rule("shyword", state="shadow"))
    await until_in_force(cluster, version)
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    answer = await teacher.send(pair.room, "a shyword here")
    assert answer["status"] == "delivered"
    await student.expect("message", seq=1)
    assert stored(cluster, answer["mid"]) == (
        version, {"rules": [], "spans": [], "earlier": [], "shadow": ["test.shyword"]})
    judge = await connect(moderator)
    assert (await judge.request("queue.watch"))["cases"] == []


async def test_nobody_is_admitted_before_there_are_rules(make_cluster):
    """The database has a lock on its rules: the node waits, unready."""
    cluster = make_cluster(nodes=1)
    node = cluster.nodes[0]
    with cluster.db.transaction():
        cluster.query("LOCK TABLE moderation_rule_sets IN ACCESS EXCLUSIVE MODE")
        node.stop()
        node.start(wait=False)
        await asyncio.sleep(2)
        assert node.probe("/readyz") == 503
    node.wait_ready()


@pytest.fixture
def wary(make_cluster):
    """A rule may hit half of the people; three are enough to say so."""
    return make_cluster(nodes=1, moderation={"ceiling_senders": 3})


async def say_by_many(cluster, word, count):
    """So many people say the word, each once, alone; what became of it."""
    statuses = []
    for _ in range(count):
        pair = people.add_pair(cluster)
        client = await Client.open(cluster.nodes[0].ws_url, cluster.token(pair.teacher))
        statuses.append((await client.send(pair.room, word))["status"])
        await client.close()
    return statuses


async def test_a_rule_that_hits_too_many_people_falls_back_to_hold(wary):
    version = put_rule(wary, word_rule("dailyword", ceiling=5000))
    await until_in_force(wary, version)
    assert await say_by_many(wary, "good morning", 2) == ["delivered"] * 2
    statuses = await say_by_many(wary, "dailyword", 3)
    assert statuses == ["blocked"] * 3
    await until_in_force(wary, version + 1)
    assert await say_by_many(wary, "dailyword", 1) == ["pending_moderation"]
    node = wary.nodes[0]
    assert node.metric("chatgate_moderation_rule_fallbacks_total") == 1
    assert "a rule hits too many people" in node.log.read_text()
    ((note, by),) = wary.query(
        "SELECT note, node FROM moderation_audit WHERE rule_set = %s AND action = 'rules'", version + 1)
    assert note == "test.dailyword hit 3 of 5 senders, above its ceiling of 5000 in 10,000"
    assert by == node.name


async def test_one_person_does_not_make_a_rule_fall_back(wary):
    version = put_rule(wary, word_rule("dailyword", ceiling=1))
    await until_in_force(wary, version)
    pair = people.add_pair(wary)
    client = await Client.open(wary.nodes[0].ws_url, wary.token(pair.teacher))
    for _ in range(20):
        assert (await client.send(pair.room, "dailyword"))["status"] == "blocked"
    await asyncio.sleep(1.5)
    assert in_force(wary.nodes[0]) == version
    await client.close()
