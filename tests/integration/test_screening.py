# SPDX-License-Identifier: Apache-2.0
"""What is screened with what: messages with the sender's last ones, from whatever device and node;
and pending rows that other programs write."""

import asyncio
import json
import random

import pytest

import people
from client import Client, Refused, new_uuid
from cluster import TOO_FAST_FOR_PEOPLE

PIECES = ["8912", "345", "67 89"]
CLEAN = ["Добрый день", "сделал 3 задачи", "а номер 45 не вышел", "завтра в 18:30?", "да", "ок, до завтра"]


@pytest.fixture(scope="module")
def fast(make_cluster):
    """Two nodes on which nobody sends too much."""
    return make_cluster(nodes=2, limits={"messages_per_s": 1000, "message_burst": 1000})


@pytest.fixture
def cluster(fast):
    return fast


def case_of(cluster, mid):
    (row,) = cluster.query(
        "SELECT detail::text, rule_set, reason FROM moderation_cases WHERE message_id = %s", mid
    )
    return json.loads(row[0] or "{}"), row[1], row[2]


async def send_all(devices, room, texts):
    """Each text by the next device, one after the other."""
    return [
        await devices[n % len(devices)].send(room, text) for n, text in enumerate(texts)
    ]


def statuses(answers):
    return [answer["status"] for answer in answers]


async def test_split_contact_is_held_at_the_piece_that_completes_it(
    cluster, connect, pair, moderator
):
    devices = [await connect(pair.teacher), await connect(pair.teacher, node=1)]
    student, judge = await connect(pair.student, node=1), await connect(moderator)
    await judge.request("queue.watch")
    answers = await send_all(devices, pair.room, PIECES)
    assert statuses(answers) == ["delivered", "delivered", "pending_moderation"]
    assert answers[2]["reason"] == "contact.phone"
    added = await judge.expect("queue.added")
    while added["case"]["mid"] != answers[2]["mid"]:
        added = await judge.expect("queue.added")
    assert added["case"]["earlier"] == [answers[0]["mid"], answers[1]["mid"]]
    context = await judge.request("queue.context", mid=answers[2]["mid"])
    pieces = [item["mid"] for item in context["messages"] if item.get("piece")]
    assert pieces == [answers[0]["mid"], answers[1]["mid"]]
    await student.expect("message", seq=2)
    assert (await devices[0].send(pair.room, "спасибо"))["seq"] == 3
    await student.expect("message", seq=3)
    assert PIECES[2] not in json.dumps(student.seen)


async def test_pieces_count_after_a_restart(make_cluster):
    cluster = make_cluster(nodes=1)
    pair = people.add_pair(cluster)
    mids = []
    for n, piece in enumerate(PIECES):
        teacher = await Client.open(cluster.nodes[0].ws_url, cluster.token(pair.teacher))
        answer = await teacher.send(pair.room, piece)
        await teacher.close()
        mids.append(answer["mid"])
        assert answer["status"] == ("pending_moderation" if n == 2 else "delivered")
        cluster.nodes[0].stop()
        cluster.nodes[0].start()
    assert case_of(cluster, mids[2])[0]["earlier"] == mids[:2]


async def test_pieces_sent_at_once_by_two_nodes_do_not_pass(cluster, connect, make_pair):
    for _ in range(15):
        pair = make_pair()
        devices = [await connect(pair.teacher), await connect(pair.teacher, node=1)]
        await send_all(devices, pair.room, ["сейчас", "пришлю"])
        answers = await asyncio.gather(  # a number, in whichever order they arrive
            devices[0].send(pair.room, "8912345"), devices[1].send(pair.room, "8912")
        )
        assert sorted(statuses(answers)) == ["delivered", "pending_moderation"]


def split(number, pieces, rng):
    cuts = sorted(rng.sample(range(1, len(number)), pieces - 1))
    return [number[a:b] for a, b in zip([0, *cuts], [*cuts, len(number)])]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_random_splits_never_pass(cluster, connect, make_pair, seed):
    rng = random.Random(seed)
    for _ in range(10):
        pair = make_pair()
        devices = [await connect(pair.student, node=n % 2) for n in range(3)]
        number = "89" + "".join(rng.choice("0123456789") for _ in range(9))
        pieces = split(number, rng.randint(2, 4), rng)
        answers = []
        for piece in pieces:
            answers.append(await rng.choice(devices).send(pair.room, piece))
        assert answers[-1]["status"] == "pending_moderation", pieces
        assert statuses(answers[:-1]).count("delivered") >= len(pieces) - 2, pieces
        teacher = await connect(pair.teacher, hello={"rooms": {pair.room: 0}})
        told = [frame["text"] for frame in teacher.seen if frame["t"] == "message"]
        assert "".join(told) != number and pieces[-1] not in told[len(pieces) - 1 :]


async def test_clean_talk_over_two_nodes_is_delivered_in_order(cluster, connect, pair):
    devices = [await connect(pair.student), await connect(pair.student, node=1)]
    answers = await send_all(devices, pair.room, CLEAN)
    assert [answer["seq"] for answer in answers] == list(range(1, len(CLEAN) + 1))


async def test_two_busy_devices_are_all_answered_and_in_order(cluster, connect, pair):
    """Each write makes the other node's window stale: nothing is lost, doubled, or held for that."""
    devices = [await connect(pair.student), await connect(pair.student, node=1)]
    teacher = await connect(pair.teacher)
    cids = [[new_uuid() for _ in range(40)] for _ in devices]

    async def talk(device, own):
        return await asyncio.gather(
            *(device.send(pair.room, f"слово {chr(0x430 + n % 32)}", cid) for n, cid in enumerate(own))
        )

    answers = [a for part in await asyncio.gather(*map(talk, devices, cids)) for a in part]
    assert all(answer["status"] in ("delivered", "pending_moderation") for answer in answers)
    seqs = sorted(answer["seq"] for answer in answers if answer["status"] == "delivered")
    assert seqs == list(range(1, len(seqs) + 1)) and len(answers) == 80
    await teacher.expect("message", seq=len(seqs))
    rows = cluster.query(
        "SELECT cid::text FROM messages WHERE chat_room_id = %s ORDER BY created_at, seq", pair.room
    )
    assert sorted(row[0] for row in rows) == sorted(cids[0] + cids[1])


async def test_one_device_in_a_hurry_keeps_its_order(cluster, connect, pair):
    student = await connect(pair.student)
    texts = [f"шаг {chr(0x430 + n)}" for n in range(30)]
    answers = await asyncio.gather(*(student.send(pair.room, text) for text in texts))
    assert [answer["seq"] for answer in answers] == list(range(1, 31))


@pytest.fixture
async def watched(cluster):
    """With the rules about floods, which test clusters go without."""
    for rule in TOO_FAST_FOR_PEOPLE:
        ((version,),) = cluster.query("SELECT chatgate_drop_rule(%s)", rule)
    while any(
        node.metric("chatgate_moderation_rule_set_version") != version for node in cluster.nodes
    ):
        await asyncio.sleep(0.05)
    yield
    for rule in TOO_FAST_FOR_PEOPLE:
        cluster.query("SELECT chatgate_put_rule(%s)", f"override {rule}\n  state off\n")


def room_with(cluster, teacher):
    student = people.add_user(cluster, "student")
    people.add_booking(cluster, people.add_lesson(cluster, teacher), student)
    return people.room_of(cluster, teacher, student)


async def test_the_same_text_to_many_rooms_is_held(cluster, connect, make_user, watched):
    teacher = make_user("teacher")
    devices = [await connect(teacher), await connect(teacher, node=1)]
    text = "Приходите на мои новые уроки по физике и химии"
    answers = []
    for n in range(5):
        room = room_with(cluster, teacher)
        answers.append(await devices[n % 2].send(room, text))
    assert statuses(answers) == ["delivered"] * 3 + ["pending_moderation"] * 2
    assert answers[3]["reason"] == "spam.repeat"


async def test_faster_than_anybody_types_is_held(cluster, connect, pair, watched):
    devices = [await connect(pair.student), await connect(pair.student, node=1)]
    answers = await send_all(devices, pair.room, [f"слово {chr(0x430 + n)}" for n in range(13)])
    assert statuses(answers) == ["delivered"] * 12 + ["pending_moderation"]
    assert answers[12]["reason"] == "spam.flood"


async def test_each_message_names_its_rule_set(cluster, connect, pair):
    student = await connect(pair.student)
    for text in ("чисто", "Call me: +7 912 345-67-89"):
        await student.send(pair.room, text)
    foreign = insert(cluster, pair, ["из другой программы"])
    await until(cluster, pair.room, 3)
    rows = cluster.query("SELECT rule_set FROM messages WHERE chat_room_id = %s", pair.room)
    assert len(rows) == 3 and all(row[0] is not None for row in rows), foreign


# Rows of other programs.


def insert(cluster, pair, texts):
    """Pending rows, as the platform writes them: each in a transaction of its own, in this order."""
    return [
        cluster.query(
            "INSERT INTO messages (chat_room_id, sender_id, message_text) VALUES (%s, %s, %s)"
            " RETURNING id::text",
            pair.room, pair.student.id, text,
        )[0][0]
        for text in texts
    ]


async def until(cluster, room, screened, patience_s=15):
    for _ in range(patience_s * 20):
        ((count,),) = cluster.query(
            "SELECT count(*) FROM messages WHERE chat_room_id = %s AND rule_set IS NOT NULL", room
        )
        if count == screened:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{count} of {screened} were screened")


def audits(cluster, mids):
    return cluster.query(
        "SELECT message_id::text, to_status, rule_set, node FROM moderation_audit"
        " WHERE action = 'screen' AND message_id = ANY (%s::uuid[]) ORDER BY id", mids
    )


async def test_rows_of_another_program_are_screened_in_order_and_once(cluster, connect, make_pair):
    pairs = [make_pair() for _ in range(4)]
    student, teacher = await connect(pairs[0].student), await connect(pairs[0].teacher, node=1)
    texts = [f"сообщение {chr(0x430 + n)}" for n in range(5)]
    mids = [insert(cluster, pair, texts) for pair in pairs]
    for pair, own in zip(pairs, mids):
        await until(cluster, pair.room, len(texts))
        rows = cluster.query(
            "SELECT id::text, status, version FROM messages WHERE chat_room_id = %s ORDER BY seq",
            pair.room,
        )
        assert [tuple(row) for row in rows] == [(mid, "delivered", 2) for mid in own]
        written = audits(cluster, own)
        assert [row[0] for row in written] == own and all(row[2] is not None and row[3] for row in written)
    for client in (student, teacher):
        await client.expect("message", seq=5)
        assert [frame["text"] for frame in client.seen if frame["t"] == "message"] == texts


async def test_row_of_another_program_is_held_or_blocked(cluster, connect, pair, moderator):
    student, teacher = await connect(pair.student), await connect(pair.teacher, node=1)
    judge = await connect(moderator)
    await judge.request("queue.watch")
    pieces = insert(cluster, pair, PIECES)
    await until(cluster, pair.room, 3)
    found = cluster.query("SELECT id::text, status FROM messages WHERE chat_room_id = %s", pair.room)
    assert dict(map(tuple, found)) == dict(
        zip(pieces, ["delivered", "delivered", "pending_moderation"])
    )
    detail, rule_set, reason = case_of(cluster, pieces[2])
    assert detail["earlier"] == pieces[:2] and rule_set is not None and reason == "contact.phone"
    (phone,) = insert(cluster, pair, ["Call me: +7 912 345-67-89"])
    await until(cluster, pair.room, 4)
    status = await student.expect("status", mid=phone)
    assert (status["status"], status["reason"]) == ("blocked", "contact.phone")
    assert len(audits(cluster, pieces + [phone])) == 4
    added = await judge.expect("queue.added")
    while not (added["case"]["mid"] == pieces[2] and added["case"]["rules"]):
        added = await judge.expect("queue.added")
    await teacher.expect("message", seq=2)
    assert "67 89" not in json.dumps(teacher.seen) and "912 345" not in json.dumps(teacher.seen)


async def test_pieces_of_the_gateway_and_of_another_program_belong_together(cluster, connect, pair):
    student = await connect(pair.student)
    assert (await student.send(pair.room, PIECES[0]))["status"] == "delivered"
    insert(cluster, pair, PIECES[1:2])
    await until(cluster, pair.room, 2)
    assert (await student.send(pair.room, PIECES[2]))["status"] == "pending_moderation"


async def test_old_pending_rows_are_screened_at_the_start(make_cluster):
    cluster = make_cluster(nodes=2)
    pair = people.add_pair(cluster)
    teacher = await Client.open(cluster.nodes[0].ws_url, cluster.token(pair.student))
    held = await teacher.send(pair.room, "дурак")
    await teacher.close()
    for node in cluster.nodes:
        node.stop()
    cluster.query("ALTER TABLE messages DISABLE TRIGGER chatgate_message_inserted")
    mids = insert(cluster, pair, ["давно написано", "и забыто"])
    cluster.query("ALTER TABLE messages ENABLE TRIGGER chatgate_message_inserted")
    for node in cluster.nodes:
        node.start()
    await until(cluster, pair.room, 3)
    assert [row[0] for row in audits(cluster, mids)] == mids
    if held["status"] == "pending_moderation":
        assert len(audits(cluster, [held["mid"]])) == 1  # what a person is asked stays theirs


async def test_send_to_a_room_that_is_not_theirs_says_nothing_of_it(cluster, connect, make_pair):
    mine, theirs = make_pair(), make_pair()
    student = await connect(mine.student)
    for room in (theirs.room, new_uuid()):
        with pytest.raises(Refused) as refused:
            await student.send(room, "hello")
        assert refused.value.code == "not_found"
    assert (await student.send(mine.room, "hello"))["status"] == "delivered"
