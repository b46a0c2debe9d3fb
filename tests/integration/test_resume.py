# SPDX-License-Identifier: Apache-2.0
"""Coming back: cursors, own messages decided meanwhile, another epoch, long absence."""

import asyncio

import people
from client import new_uuid


def seqs(client):
    return [frame["seq"] for frame in client.taken("message")]


async def fill(cluster, pair, count):
    """Delivered messages as another program writes them: many, in one statement."""
    cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text, status)"
        " SELECT %s, %s, 'text ' || n, 'delivered' FROM generate_series(1, %s) n",
        pair.room, pair.teacher.id, count,
    )


async def test_what_was_missed_comes_in_order_before_synced(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    await teacher.send(pair.room, "one")
    await student.expect("message", seq=1)
    await student.abort()
    for n in range(2, 31):
        await teacher.send(pair.room, f"text {n}")
    back = await connect(pair.student, hello={"rooms": {pair.room: 1}})
    assert seqs(back) == list(range(2, 31))
    order = [frame["t"] for frame in back.seen]
    assert order.index("welcome") < order.index("message") < order.index("synced")


async def test_without_a_cursor_a_room_starts_at_its_head(connect, pair):
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "old")
    student = await connect(pair.student, node=1)
    await teacher.send(pair.room, "new")
    await student.expect("message", seq=2)
    assert seqs(student) == [2]


async def test_sync_adds_rooms_later(connect, pair):
    teacher = await connect(pair.teacher)
    for n in range(3):
        await teacher.send(pair.room, str(n))
    student = await connect(pair.student, node=1)
    await student.send_frame({"t": "sync", "id": 2, "rooms": {pair.room: 1}})
    await student.expect("synced", re=2)
    assert seqs(student) == [2, 3]


async def test_removed_meanwhile(cluster, connect, pair):
    """A removal is an event with a number of its own; a removed message comes without its text."""
    teacher = await connect(pair.teacher)
    sent = await teacher.send(pair.room, "regret")
    await teacher.send(pair.room, "kept")
    cluster.query(
        "UPDATE messages SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s", sent["mid"]
    )
    (head,) = cluster.query("SELECT head FROM chat_rooms WHERE id = %s", pair.room)
    assert head == (3,)
    fresh = await connect(pair.student, node=1, hello={"rooms": {pair.room: 0}})
    numbered = [frame for frame in fresh.seen if frame["t"] in ("message", "removed")]
    assert [frame["seq"] for frame in numbered] == [1, 2, 3]
    assert numbered[0]["removed"] is True and "text" not in numbered[0]
    assert numbered[1]["text"] == "kept" and numbered[2]["t"] == "removed"
    seen_it = await connect(pair.student, hello={"rooms": {pair.room: 2}})
    assert [frame["seq"] for frame in seen_it.taken("removed")] == [3]
    assert "regret" not in str(fresh.seen) + str(seen_it.seen)


async def test_talk_goes_on_during_a_resume(cluster, connect, pair):
    """Live messages of a room wait behind its cursor: no number twice, none out of order."""
    await fill(cluster, pair, 3000)
    teacher = await connect(pair.teacher)
    student = await connect(pair.student, node=1, greet=False)

    async def talk():
        for n in range(40):
            await teacher.send(pair.room, f"live {n}")

    talking = asyncio.create_task(talk())
    await student.greet(rooms={pair.room: 0})
    await talking
    await student.expect("message", seq=3040)
    resets = student.taken("reset")
    if resets:  # so far behind that a history page is better
        numbers = seqs(student)
        assert numbers == list(range(numbers[0], 3041)) and numbers[0] > resets[0]["head"]
    else:
        assert seqs(student) == list(range(1, 3041))


async def test_many_pages(cluster, connect, pair):
    await fill(cluster, pair, 450)
    student = await connect(pair.student, hello={"rooms": {pair.room: 0}})
    assert seqs(student) == list(range(1, 451))


async def test_cursor_above_the_head_is_a_reset(connect, pair):
    """Never a silent rewind: the client believes in numbers that are not there."""
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "x")
    student = await connect(pair.student, hello={"rooms": {pair.room: 900}})
    (reset,) = student.taken("reset")
    assert (reset["room"], reset["head"]) == (pair.room, 1)
    await teacher.send(pair.room, "y")
    await student.expect("message", seq=2)


async def test_another_epoch_resets_every_room(connect, make_pair):
    pair = make_pair()
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "x")
    epoch = teacher.welcome["epoch"]
    same = await connect(pair.student, hello={"rooms": {pair.room: 0}, "epoch": epoch})
    assert seqs(same) == [1] and same.taken("reset") == []
    other = await connect(pair.student, hello={"rooms": {pair.room: 0}, "epoch": epoch + "x"})
    (reset,) = other.taken("reset")
    assert reset["head"] == 1 and seqs(other) == []


async def test_both_nodes_have_one_epoch(connect, pair):
    first, second = await connect(pair.teacher), await connect(pair.teacher, node=1)
    assert first.welcome["epoch"] == second.welcome["epoch"]


async def test_foreign_and_missing_rooms_in_cursors(connect, make_pair):
    pair, others = make_pair(), make_pair()
    stranger = await connect(others.teacher)
    await stranger.send(others.room, "private")
    client = await connect(pair.teacher, hello={"rooms": {others.room: 0, new_uuid(): 5}})
    await client.never("message", within=0.3)
    assert "private" not in str(client.seen)


async def test_a_sync_with_a_room_that_is_gone_changes_nothing(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student)
    await teacher.send(pair.room, "before")
    await student.expect("message", seq=1)
    refusal = await student.refused("sync", rooms={pair.room: 0, new_uuid(): 0})
    assert refusal.code == "not_found"
    await teacher.send(pair.room, "after")
    await student.expect("message", seq=2)


async def test_own_pending_and_decided_come_back(make_cluster):
    from client import Client

    holding = make_cluster(moderation={"default_verdict": "hold"})
    pair = people.add_pair(holding)
    judge_user = people.add_user(holding, "moderator")
    url = holding.nodes[0].ws_url
    teacher = await Client.open(url, holding.token(pair.teacher))
    judge = await Client.open(url, holding.token(judge_user))
    pending = await teacher.send(pair.room, "still waits")
    blocked = await teacher.send(pair.room, "will be blocked")
    since = teacher.synced["own_since"]
    await teacher.abort()
    await asyncio.sleep(0.05)
    await judge.request("queue.decide", mid=blocked["mid"], verdict="block", reason="spam")
    back = await Client.open(url, holding.token(pair.teacher), hello={"own_since": since})
    own = {frame["mid"]: frame for frame in back.seen if frame["t"] in ("own", "status")}
    assert own[pending["mid"]]["status"] == "pending_moderation"
    assert own[pending["mid"]]["text"] == "still waits"
    assert own[blocked["mid"]]["status"] == "blocked"
    assert back.synced["own_since"] >= since
    peer = await Client.open(url, holding.token(pair.student), hello={"own_since": since})
    assert peer.taken("own") == [] and peer.taken("status") == []
    for client in (judge, back, peer):
        await client.close()


async def test_reconnect_storm(connect, pair):
    """Twenty devices drop and resume at once, on both nodes, while the talk goes on."""
    teacher = await connect(pair.teacher)
    for n in range(20):
        await teacher.send(pair.room, str(n))

    async def talk():
        for n in range(20):
            await teacher.send(pair.room, f"more {n}")

    talking = asyncio.create_task(talk())
    devices = await asyncio.gather(
        *(connect(pair.student, node=n % 2, hello={"rooms": {pair.room: n}}) for n in range(20))
    )
    await talking
    for n, device in enumerate(devices):
        await device.expect("message", seq=40)
        assert seqs(device) == list(range(n + 1, 41))
