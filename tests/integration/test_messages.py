# SPDX-License-Identifier: Apache-2.0
"""Messages: once, in order, to every device of both members, whichever node they are on."""

import asyncio
import json
import random

import pytest

import people
from client import new_uuid
from texts import prose


async def test_teacher_on_node_1_student_on_node_2(cluster, connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    cid = new_uuid()
    answer = await teacher.send(pair.room, "Hello", cid)
    assert (answer["status"], answer["seq"], answer["cid"], answer["dup"]) == (
        "delivered", 1, cid, False,
    )
    message = await student.expect("message")
    assert (message["room"], message["seq"], message["mid"], message["from"], message["text"]) == (
        pair.room, 1, answer["mid"], pair.teacher.id, "Hello",
    )
    assert "cid" not in message and "delayed" not in message
    own = await teacher.expect("message")
    assert own["cid"] == cid and own["mid"] == answer["mid"]
    (row,) = people.messages_of(cluster, pair.room)
    assert row["status"] == "delivered" and row["seq"] == 1
    assert row["moderation_completed_at"] is not None


async def test_every_device_of_both_members(connect, make_pair):
    pair, others = make_pair(), make_pair()
    devices = [await connect(user, node=n) for user in (pair.teacher, pair.student) for n in (0, 1)]
    stranger = await connect(others.teacher, node=1)
    await devices[0].send(pair.room, "to all")
    for device in devices:
        message = await device.expect("message", seq=1)
        assert ("cid" in message) == (device.user == pair.teacher.id)
    await stranger.never("message", within=0.3)


async def test_numbers_have_no_gap_and_one_order(connect, pair):
    """Four devices send at once; every one of them sees 1, 2, 3, ... and the same texts."""
    devices = [await connect(user, node=n) for user in (pair.teacher, pair.student) for n in (0, 1)]

    async def talk(device, name):
        for n in range(25):
            await device.send(pair.room, f"{name}-{n}")

    await asyncio.gather(*(talk(device, name) for name, device in enumerate(devices)))
    for device in devices:
        await device.expect("message", seq=100)
        assert [frame["seq"] for frame in device.taken("message")] == list(range(1, 101))
    texts = [[frame["text"] for frame in device.taken("message")] for device in devices]
    assert texts[0] == texts[1] == texts[2] == texts[3]
    for name in range(4):  # one in flight: each sender's own order is kept
        mine = [text for text in texts[0] if text.startswith(f"{name}-")]
        assert mine == [f"{name}-{n}" for n in range(25)]


async def test_five_sends_of_one_cid_on_both_nodes(cluster, connect, pair):
    teachers = [await connect(pair.teacher, node=n % 2) for n in range(5)]
    student = await connect(pair.student, node=1)
    cid = new_uuid()
    answers = await asyncio.gather(*(one.send(pair.room, "only once", cid) for one in teachers))
    assert len({(a["mid"], a["status"], a["seq"], a["at"]) for a in answers}) == 1
    assert sorted(a["dup"] for a in answers) == [False, True, True, True, True]
    await student.expect("message", seq=1)
    await student.never("message")
    assert len(people.messages_of(cluster, pair.room)) == 1


async def test_resend_after_others_and_after_the_room_was_closed(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    cid = new_uuid()
    first = await teacher.send(pair.room, "once", cid)
    await teacher.send(pair.room, "another")
    again = await teacher.send(pair.room, "once", cid)
    assert (again["mid"], again["seq"], again["dup"]) == (first["mid"], 1, True)
    cluster.query(
        "UPDATE chat_rooms SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s", pair.room
    )
    await teacher.expect("room_closed")
    again = await teacher.send(pair.room, "once", cid)
    assert (again["mid"], again["seq"], again["dup"]) == (first["mid"], 1, True)


async def test_same_cid_with_another_text_is_a_conflict(cluster, connect, pair):
    teacher, other = await connect(pair.teacher), await connect(pair.teacher, node=1)
    cid = new_uuid()
    await teacher.send(pair.room, "one", cid)
    assert (await other.refused("send", room=pair.room, cid=cid, text="two")).code == "cid_conflict"
    assert [row["message_text"] for row in people.messages_of(cluster, pair.room)] == ["one"]


async def test_cids_of_two_senders_and_rooms_are_apart(connect, pair, make_pair):
    cid = new_uuid()
    teacher, student = await connect(pair.teacher), await connect(pair.student)
    first, second = await teacher.send(pair.room, "a", cid), await student.send(pair.room, "b", cid)
    assert first["mid"] != second["mid"] and second["dup"] is False


async def test_cid_in_capitals_is_the_same(connect, pair):
    teacher = await connect(pair.teacher)
    cid = new_uuid()
    first = await teacher.send(pair.room, "x", cid)
    again = await teacher.begin("send", checked=False, room=pair.room, cid=cid.upper(), text="x")
    assert again["dup"] is True and again["mid"] == first["mid"] and again["cid"] == cid


TEXTS = {
    "quotes": "'; DROP TABLE messages; --",
    "double quotes and backslashes": '"\\" \\n \\u0041 \\',
    "percent": "%s %d %n %% $1",
    "html": "<script>alert(1)</script>&amp;",
    "newlines": "a\nb\r\nc\td",
    "cyrillic": "Здравствуйте! Урок завтра в десять.",
    "emoji": "👩‍🏫👍🏽🇷🇺",
    "combining": "é vs é",
    "noncharacter": "a\uffffb",
    "right to left": "abc \u202edef\u202c",
    "line separators": "a\u2028b\u2029c",
    "zero width": "a\u200bb",
    "private use": "\ue000\U0010fffd",
    "controls": "a\x01\x02\x1f\x7f\x9fb",
    "leading blanks": "   x   ",
}


@pytest.mark.parametrize("case", TEXTS)
async def test_text_is_kept_as_written(cluster, connect, pair, case):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    answer = await teacher.send(pair.room, TEXTS[case])
    (row,) = people.messages_of(cluster, pair.room)
    assert row["message_text"] == TEXTS[case]
    if answer["status"] == "delivered":
        assert (await student.expect("message"))["text"] == TEXTS[case]


@pytest.mark.parametrize("character", ["x", "я", "\U0001f600"])
async def test_text_limit_counts_code_points(connect, pair, character):
    teacher = await connect(pair.teacher)
    words = " ".join([character * 4] * 800)  # 3999 code points, and no flood of one letter
    answer = await teacher.send(pair.room, words + "!")
    assert answer["mid"]
    refusal = await teacher.refused("send", room=pair.room, cid=new_uuid(), text=words + "!!")
    assert refusal.code in ("bad_request", "too_large")
    assert refusal.reason == "text.too_long"


async def test_history_pages_both_ways(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    for n in range(1, 26):
        await teacher.send(pair.room, f"text {n}")

    async def page(**fields):
        answer = await student.request("history", room=pair.room, **fields)
        return [item["seq"] for item in answer["messages"]], answer["more"]

    assert await page(limit=10) == (list(range(16, 26)), True)
    assert await page(before=16, limit=10) == (list(range(6, 16)), True)
    assert await page(before=6, limit=10) == (list(range(1, 6)), False)
    assert await page(after=0, limit=10) == (list(range(1, 11)), True)
    assert await page(after=20, limit=10) == (list(range(21, 26)), False)
    assert await page(after=25) == ([], False)
    assert await page(before=1) == ([], False)
    assert (await page(limit=10**6))[0] == list(range(1, 26))
    assert (await page(before=2**53, limit=5))[0] == list(range(21, 26))


async def test_history_shows_the_cid_to_its_sender_only(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student)
    cid = new_uuid()
    await teacher.send(pair.room, "x", cid)
    (own,) = (await teacher.request("history", room=pair.room))["messages"]
    (peers,) = (await student.request("history", room=pair.room))["messages"]
    assert own["cid"] == cid and "cid" not in peers


async def test_history_pages_end_at_64_kib(connect, pair):
    teacher = await connect(pair.teacher)
    for n in range(15):
        await teacher.send(pair.room, prose(450, seed=n))  # some 6 kB each
    answer = await teacher.request("history", room=pair.room, after=0)
    assert answer["more"] is True and 1 <= len(answer["messages"]) < 15
    assert [item["seq"] for item in answer["messages"]] == list(
        range(1, len(answer["messages"]) + 1)
    )
    answer = await teacher.request("history", room=pair.room)
    assert answer["more"] is True and answer["messages"][-1]["seq"] == 15


async def test_message_of_another_program_is_delivered(cluster, connect, pair):
    """A row that the platform inserts as delivered takes its number and reaches everybody."""
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    await teacher.send(pair.room, "first")
    cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text, status)"
        " VALUES (%s, %s, 'from elsewhere', 'delivered')",
        pair.room, pair.teacher.id,
    )
    for device in (teacher, student):
        message = await device.expect("message", seq=2, timeout=25)
        assert message["text"] == "from elsewhere" and "cid" not in message


async def test_removal_takes_a_number_and_the_text_is_gone(cluster, connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    sent = await teacher.send(pair.room, "regret")
    await student.expect("message", seq=1)
    cluster.query(
        "UPDATE messages SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s", sent["mid"]
    )
    for device in (teacher, student):
        removed = await device.expect("removed", timeout=25)
        assert (removed["room"], removed["seq"], removed["mid"]) == (pair.room, 2, sent["mid"])
    assert (await teacher.send(pair.room, "next"))["seq"] == 3
    history = (await student.request("history", room=pair.room))["messages"]
    assert history[0] == {"seq": 1, "mid": sent["mid"], "removed": True}
    assert history[-1]["seq"] == 3
    assert "regret" not in json.dumps(history)
    (room,) = (await student.request("rooms"))["rooms"]
    assert room["unread"] == 1


async def test_batch_cap_joins_objects_by_newline(connect, pair):
    teacher = await connect(pair.teacher)
    student = await connect(pair.student, node=1, hello={"caps": ["batch"]})
    sends = [teacher.begin("send", room=pair.room, cid=new_uuid(), text=f"{n}") for n in range(40)]
    await asyncio.gather(*sends)
    await student.expect("message", seq=40)
    assert [frame["seq"] for frame in student.taken("message")] == list(range(1, 41))


NAMES = "anna boris clara dmitri elena fyodor".split()


async def test_random_talk_of_many_rooms(cluster, connect, make_pair):
    """Twelve people in six rooms, on both nodes: everybody sees exactly their own room."""
    pairs = [make_pair() for _ in range(6)]
    members = []
    for pair in pairs:
        members.append((pair, await connect(pair.teacher, node=random.randrange(2))))
        members.append((pair, await connect(pair.student, node=random.randrange(2))))

    async def talk(pair, client):
        for n in range(10):
            await client.send(pair.room, f"{NAMES[pairs.index(pair)]} says {n}")

    await asyncio.gather(*(talk(pair, client) for pair, client in members))
    for pair, client in members:
        await client.expect("message", seq=20)
        frames = client.taken("message")
        assert [frame["seq"] for frame in frames] == list(range(1, 21))
        name = NAMES[pairs.index(pair)]
        assert all(frame["room"] == pair.room for frame in frames)
        assert all(frame["text"].startswith(name) for frame in frames)
