# SPDX-License-Identifier: Apache-2.0
"""Rooms: opening, listing, read marks, typing and presence, over two nodes."""

import asyncio

import people
from client import Client


async def test_open_gives_the_room_of_a_booking(connect, pair):
    client = await connect(pair.teacher)
    room = await client.request("open", **{"with": pair.student.id})
    assert room["room"] == pair.room
    assert room["teacher_id"] == pair.teacher.id and room["student_id"] == pair.student.id
    assert room["peer"] == {
        "id": pair.student.id,
        "role": "student",
        "first_name": pair.student.first_name,
        "last_name": pair.student.last_name,
    }
    assert (room["head"], room["unread"], room["read"], room["peer_read"]) == (0, 0, 0, 0)
    assert room["last_message"] is None and room["last_message_at"] is None


async def test_open_makes_the_room_of_a_lesson(cluster, connect, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    people.add_lesson(cluster, teacher, student)
    first = await connect(teacher)
    second = await connect(student, node=1)
    room = await first.request("open", **{"with": student.id})
    pushed = await second.expect("room", room=room["room"])
    assert pushed["peer"]["id"] == teacher.id
    again = await second.request("open", **{"with": teacher.id})
    assert again["room"] == room["room"]


async def test_both_open_at_once_on_two_nodes(cluster, connect, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    people.add_lesson(cluster, teacher, student)
    clients = [await connect(user, node=n % 2) for n, user in enumerate([teacher, student] * 3)]
    rooms = await asyncio.gather(
        *(
            client.request("open", **{"with": student.id if client.user == teacher.id else teacher.id})
            for client in clients
        )
    )
    assert len({room["room"] for room in rooms}) == 1
    assert cluster.query(
        "SELECT count(*) FROM chat_rooms WHERE teacher_id = %s", teacher.id
    ) == [(1,)]


async def test_open_is_refused_with_the_reason(cluster, connect, make_user):
    teacher, student = make_user("teacher"), make_user("student")
    client = await connect(teacher)
    no_lesson = await client.refused("open", **{"with": student.id})
    assert (no_lesson.code, no_lesson.reason) == ("forbidden", "no_lesson")
    wrong_role = await client.refused("open", **{"with": make_user("teacher").id})
    assert (wrong_role.code, wrong_role.reason) == ("forbidden", "wrong_role")
    same_user = await client.refused("open", **{"with": teacher.id})
    assert same_user.code == "unprocessable"
    missing = await client.refused("open", **{"with": "00000000-0000-4000-8000-00000000dead"})
    assert missing.code == "not_found"


async def test_room_made_by_a_booking_is_pushed_to_both(cluster, connect, make_user):
    """The platform books; nobody told the gateway."""
    teacher, student = make_user("teacher"), make_user("student")
    first, second = await connect(teacher), await connect(student, node=1)
    people.add_booking(cluster, people.add_lesson(cluster, teacher), student)
    room = people.room_of(cluster, teacher, student)
    assert (await first.expect("room", room=room))["peer"]["id"] == student.id
    assert (await second.expect("room", room=room))["peer"]["id"] == teacher.id
    await first.send(room, "welcome")
    assert (await second.expect("message", room=room))["text"] == "welcome"


async def test_room_closed_is_pushed_and_revived_goes_on(cluster, connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    assert (await teacher.send(pair.room, "one"))["seq"] == 1
    cluster.query(
        "UPDATE chat_rooms SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s", pair.room
    )
    await teacher.expect("room_closed", room=pair.room)
    await student.expect("room_closed", room=pair.room)
    assert (await teacher.refused("send", room=pair.room, cid=pair.room, text="x")).code == "not_found"
    room = await student.request("open", **{"with": pair.teacher.id})
    assert (room["room"], room["head"]) == (pair.room, 1)
    await teacher.expect("room", room=pair.room)
    assert (await teacher.send(pair.room, "two"))["seq"] == 2


async def test_list_is_newest_first_and_pages(cluster, connect, make_user):
    teacher = make_user("teacher")
    rooms = []
    for _ in range(7):
        student = make_user("student")
        people.add_booking(cluster, people.add_lesson(cluster, teacher), student)
        rooms.append(people.room_of(cluster, teacher, student))
    client = await connect(teacher)
    await client.send(rooms[2], "newest")
    listed, cursor, pages = [], None, 0
    while True:
        page = await client.request("rooms", cursor=cursor, limit=3)
        listed += [room["room"] for room in page["rooms"]]
        cursor, pages = page["cursor"], pages + 1
        if cursor is None:
            break
    assert sorted(listed) == sorted(rooms) and pages == 3
    assert listed[0] == rooms[2]


async def test_list_shows_what_a_client_needs(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    for n in range(3):
        await teacher.send(pair.room, f"text {n}")
    await student.expect("message", seq=3)
    (room,) = (await student.request("rooms"))["rooms"]
    assert (room["head"], room["unread"], room["read"]) == (3, 3, 0)
    assert room["last_message"]["text"] == "text 2" and room["last_message"]["seq"] == 3
    assert room["online"] is True
    assert "email" not in str(room) and "@" not in str(room)
    (own,) = (await teacher.request("rooms"))["rooms"]
    assert (own["head"], own["unread"]) == (3, 0)


async def test_read_marks_travel_to_the_peer_and_own_devices(connect, pair):
    teacher = await connect(pair.teacher)
    student, tablet = await connect(pair.student, node=1), await connect(pair.student)
    for n in range(3):
        await teacher.send(pair.room, str(n))
    await student.expect("message", seq=3)
    answer = await student.request("read", room=pair.room, seq=2)
    assert answer["seq"] == 2
    mark = {"room": pair.room, "user": pair.student.id, "seq": 2}
    await teacher.expect("read", **mark)
    await tablet.expect("read", **mark)
    (room,) = (await student.request("rooms"))["rooms"]
    assert (room["read"], room["unread"]) == (2, 1)
    (room,) = (await teacher.request("rooms"))["rooms"]
    assert room["peer_read"] == 2


async def test_read_marks_never_go_back_and_are_clamped(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student)
    for n in range(3):
        await teacher.send(pair.room, str(n))
    assert (await student.request("read", room=pair.room, seq=2))["seq"] == 2
    assert (await student.request("read", room=pair.room, seq=1))["seq"] == 2
    assert (await student.request("read", room=pair.room, seq=10**15))["seq"] == 3
    assert (await student.request("read", room=pair.room, seq=0))["seq"] == 3


async def test_read_without_an_id_is_not_answered(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    await teacher.send(pair.room, "x")
    await student.post("read", room=pair.room, seq=1)
    await teacher.expect("read", user=pair.student.id, seq=1)
    assert all("re" not in frame for frame in student.taken("read"))


async def test_typing_reaches_the_peer_only(connect, make_pair):
    pair, others = make_pair(), make_pair()
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    stranger = await connect(others.student, node=1)
    await teacher.post("typing", room=pair.room, user=others.teacher.id)
    typing = await student.expect("typing", room=pair.room)
    assert typing["user"] == pair.teacher.id
    await teacher.never("typing", within=0.3)
    await stranger.never("typing", within=0)


async def test_presence_reaches_room_peers_over_nodes(connect, make_pair):
    pair, others = make_pair(), make_pair()
    teacher = await connect(pair.teacher)
    stranger = await connect(others.teacher)
    (room,) = (await teacher.request("rooms"))["rooms"]
    assert room["online"] is False
    student = await connect(pair.student, node=1)
    await teacher.expect("presence", user=pair.student.id, online=True)
    (room,) = (await teacher.request("rooms"))["rooms"]
    assert room["online"] is True
    tablet = await connect(pair.student)
    await student.close()
    await teacher.never("presence", within=1, online=False)
    await tablet.close()
    await teacher.expect("presence", user=pair.student.id, online=False)
    await stranger.never("presence", within=0)


async def test_a_reload_does_not_flicker(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student)
    await teacher.expect("presence", user=pair.student.id, online=True)
    await student.close()
    await asyncio.sleep(0.5)
    student = await connect(pair.student)
    await teacher.never("presence", within=4)
    await student.close()
    await teacher.expect("presence", user=pair.student.id, online=False)


async def test_one_of_two_devices_leaves(make_cluster):
    """The peer's node hears of it; the node of the other device objects."""
    cluster = make_cluster(nodes=3)
    pair = people.add_pair(cluster)
    teacher, stays, leaves = [
        await Client.open(node.ws_url, cluster.token(user))
        for node, user in zip(cluster.nodes, (pair.teacher, pair.student, pair.student))
    ]
    await teacher.expect("presence", user=pair.student.id, online=True)
    await leaves.close()
    await teacher.never("presence", within=5)
    await stays.close()
    await teacher.expect("presence", user=pair.student.id, online=False)
    await teacher.close()


async def test_other_peoples_rooms_do_not_exist(connect, make_pair):
    pair, others = make_pair(), make_pair()
    client = await connect(pair.teacher)
    missing = "00000000-0000-4000-8000-00000000dead"
    for room in (others.room, missing):
        for t, fields in [
            ("send", {"cid": missing, "text": "x"}),
            ("history", {}),
            ("read", {"seq": 1}),
            ("sync", {}),
            ("typing", {}),
        ]:
            if t == "sync":
                refusal_of = client.request("sync", rooms={room: 0})
                try:
                    await refusal_of  # a sync may pass over rooms that are not there
                except Exception as refusal:
                    assert refusal.code == "not_found"
            else:
                assert (await client.refused(t, room=room, **fields)).code == "not_found"
    await client.never("message", within=0.2)


async def test_moderator_has_no_rooms(connect, moderator, pair):
    client = await connect(moderator)
    assert (await client.request("rooms"))["rooms"] == []
    assert (await client.refused("history", room=pair.room)).code == "not_found"
