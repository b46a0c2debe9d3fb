# SPDX-License-Identifier: Apache-2.0
"""What is not delivered is seen by nobody but its sender and moderators, and is decided once."""

import asyncio
import json

import pytest

import people
from client import new_uuid

PHONE = "Call me: +7 912 345-67-89"


@pytest.fixture(scope="module")
def holding(make_cluster):
    """Every message waits for a person."""
    return make_cluster(nodes=2, moderation={"default_verdict": "hold"})


@pytest.mark.parametrize(
    "text", [PHONE, "Пишите на почту: someone@example.com", "See https://evil.example/x"],
    ids=["phone", "e-mail", "link"],
)
async def test_contact_is_not_delivered(cluster, connect, pair, text):
    teacher, tablet = await connect(pair.teacher), await connect(pair.teacher, node=1)
    student = await connect(pair.student, node=1)
    cid = new_uuid()
    answer = await teacher.send(pair.room, text, cid)
    assert answer["status"] in ("blocked", "pending_moderation")
    assert answer["reason"] and answer.get("seq") is None
    own = await tablet.expect("own")
    assert (own["mid"], own["cid"], own["text"], own["status"]) == (
        answer["mid"], cid, text, answer["status"],
    )
    assert own["reason"] == answer["reason"]
    await student.never("message")
    assert (await student.request("history", room=pair.room))["messages"] == []
    assert (await teacher.request("history", room=pair.room))["messages"] == []
    (room,) = (await student.request("rooms"))["rooms"]
    assert (room["head"], room["unread"], room["last_message"], room["last_message_at"]) == (
        0, 0, None, None,
    )
    fresh = await connect(pair.student, hello={"rooms": {pair.room: 0}})
    for client in (student, fresh):
        assert text not in json.dumps(client.seen, ensure_ascii=False)
        assert answer["mid"] not in json.dumps(client.seen)
    again = await teacher.send(pair.room, text, cid)
    assert (again["dup"], again["mid"], again["status"]) == (True, answer["mid"], answer["status"])


async def test_clean_talk_goes_on_around_it(connect, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    assert (await teacher.send(pair.room, "before"))["seq"] == 1
    await teacher.send(pair.room, PHONE)
    assert (await teacher.send(pair.room, "after"))["seq"] == 2
    await student.expect("message", seq=2)
    assert [frame["text"] for frame in student.taken("message")] == ["before", "after"]


async def test_word_list_is_not_delivered(connect, pair):
    teacher = await connect(pair.teacher)
    assert (await teacher.send(pair.room, "you fucking idiot"))["status"] != "delivered"


# From here on everything is held: the queue.


@pytest.fixture
def cluster(holding, shared_cluster, request):
    name = request.node.originalname or request.node.name
    return shared_cluster if name in ORDINARY else holding


ORDINARY = {
    "test_contact_is_not_delivered",
    "test_clean_talk_goes_on_around_it",
    "test_word_list_is_not_delivered",
}


async def held(teacher, room, text="please wait"):
    answer = await teacher.send(room, text)
    assert answer["status"] == "pending_moderation"
    return answer


async def test_deliver_makes_it_appear_with_the_next_number(cluster, connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator, node=1)
    snapshot = await judge.request("queue.watch")
    assert all(case["mid"] for case in snapshot["cases"])
    sent = await held(teacher, pair.room)
    added = await judge.expect("queue.added")
    while added["case"]["mid"] != sent["mid"]:
        added = await judge.expect("queue.added")
    case = added["case"]
    assert (case["room"], case["text"], case["version"]) == (pair.room, "please wait", 1)
    assert case["sender"]["id"] == pair.teacher.id
    answer = await judge.request("queue.decide", mid=sent["mid"], version=1, verdict="deliver")
    (result,) = answer["results"]
    assert (result["mid"], result["status"], result["seq"]) == (sent["mid"], "delivered", 1)
    message = await student.expect("message", seq=1)
    assert (message["text"], message["mid"], message["delayed"]) == ("please wait", sent["mid"], True)
    status = await teacher.expect("status", mid=sent["mid"])
    assert status["status"] == "delivered"
    assert (await teacher.expect("message", seq=1))["cid"] == sent["cid"]
    (row,) = people.messages_of(cluster, pair.room)
    assert row["moderation_completed_at"] is not None


async def test_block_tells_the_sender_only(connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator)
    sent = await held(teacher, pair.room)
    await judge.request(
        "queue.decide", mid=sent["mid"], verdict="block", reason="contact.phone", note="seen before"
    )
    status = await teacher.expect("status", mid=sent["mid"])
    assert (status["status"], status["reason"], status["cid"]) == (
        "blocked", "contact.phone", sent["cid"],
    )
    assert "note" not in json.dumps(teacher.seen)
    await student.never("message")
    assert (await student.request("history", room=pair.room))["messages"] == []


async def test_two_moderators_one_verdict(cluster, connect, make_user, pair):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judges = [await connect(make_user("moderator"), node=n % 2) for n in range(4)]
    for _ in range(5):
        sent = await held(teacher, pair.room)
        verdicts = ["deliver", "block"] * 2
        outcomes = await asyncio.gather(
            *(
                judge.request("queue.decide", mid=sent["mid"], verdict=verdict)
                for judge, verdict in zip(judges, verdicts)
            ),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        lost = [outcome for outcome in outcomes if not isinstance(outcome, dict)]
        assert len(won) == 1 and len(lost) == 3
        status = won[0]["results"][0]["status"]
        for refusal in lost:
            assert refusal.code == "already_decided"
            assert refusal.frame["status"] == status
        (audits,) = cluster.query(
            "SELECT count(*) FROM moderation_audit WHERE action = 'decide' AND message_id = %s", sent["mid"]
        )
        assert audits == (1,)
        (rows,) = cluster.query("SELECT status FROM messages WHERE id = %s", sent["mid"])
        assert rows == (status,)
    delivered = cluster.query(
        "SELECT count(*) FROM messages WHERE chat_room_id = %s AND status = 'delivered'", pair.room
    )[0][0]
    if delivered:
        await student.expect("message", seq=delivered)
    assert [frame["seq"] for frame in student.taken("message")] == list(range(1, delivered + 1))


async def test_a_stale_version_loses(connect, pair, moderator):
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    sent = await held(teacher, pair.room)
    refusal = await judge.refused("queue.decide", mid=sent["mid"], version=7, verdict="deliver")
    assert refusal.code in ("already_decided", "conflict")
    await judge.request("queue.decide", mid=sent["mid"], version=1, verdict="deliver")


async def test_many_at_once(connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator)
    sent = [await held(teacher, pair.room, f"text {n}") for n in range(5)]
    missing = new_uuid()
    items = [{"mid": one["mid"], "version": 1, "verdict": "deliver"} for one in sent]
    items[1]["verdict"] = "block"
    items.append({"mid": missing, "version": 1, "verdict": "deliver"})
    results = (await judge.request("queue.decide", items=items))["results"]
    assert [result["mid"] for result in results] == [item["mid"] for item in items]
    assert [result.get("status") for result in results[:5]] == [
        "delivered", "blocked", "delivered", "delivered", "delivered",
    ]
    assert results[5]["error"]["code"] == "not_found"
    await student.expect("message", seq=4)
    assert sorted(frame["text"] for frame in student.taken("message")) == [
        "text 0", "text 2", "text 3", "text 4",
    ]


async def test_a_claim_keeps_others_out(connect, pair, make_user):
    teacher = await connect(pair.teacher)
    holder, other = await connect(make_user("moderator")), await connect(make_user("admin"), node=1)
    await other.request("queue.watch")
    sent = await held(teacher, pair.room)
    claim = await holder.request("queue.claim", mid=sent["mid"])
    assert claim["by"] == holder.user and claim["token"]
    seen = await other.expect("queue.claimed", mid=sent["mid"])
    assert seen["by"] == holder.user and not seen.get("token")
    assert (await other.refused("queue.claim", mid=sent["mid"])).code == "conflict"
    assert (await other.refused("queue.decide", mid=sent["mid"], verdict="block")).code == "conflict"
    await holder.request("queue.release", mid=sent["mid"], claim=claim["token"])
    await other.expect("queue.released", mid=sent["mid"])
    await other.request("queue.decide", mid=sent["mid"], verdict="deliver")


async def test_decided_elsewhere_is_pushed_to_watchers(connect, pair, make_user):
    teacher = await connect(pair.teacher)
    watcher, judge = await connect(make_user("moderator"), node=1), await connect(make_user("moderator"))
    await watcher.request("queue.watch")
    sent = await held(teacher, pair.room)
    await judge.request("queue.decide", mid=sent["mid"], verdict="deliver")
    decided = await watcher.expect("queue.decided", mid=sent["mid"])
    assert (decided["status"], decided["by"]) == ("delivered", judge.user)


async def test_undo_of_a_block_delivers(connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator)
    sent = await held(teacher, pair.room)
    await judge.request("queue.decide", mid=sent["mid"], verdict="block")
    await teacher.expect("status", status="blocked")
    await judge.request("queue.undo", mid=sent["mid"])
    assert (await student.expect("message", seq=1))["mid"] == sent["mid"]


async def test_undo_of_a_delivery_removes(connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator)
    sent = await held(teacher, pair.room)
    await judge.request("queue.decide", mid=sent["mid"], verdict="deliver")
    await student.expect("message", seq=1)
    await judge.request("queue.undo", mid=sent["mid"])
    removed = await student.expect("removed")
    assert (removed["seq"], removed["mid"]) == (2, sent["mid"])


async def test_remove_takes_back_at_any_time(connect, pair, moderator):
    teacher, student = await connect(pair.teacher), await connect(pair.student, node=1)
    judge = await connect(moderator)
    sent = await held(teacher, pair.room)
    await judge.request("queue.decide", mid=sent["mid"], verdict="deliver")
    await student.expect("message", seq=1)
    await judge.request("queue.remove", mid=sent["mid"], reason="abuse")
    await student.expect("removed", seq=2, mid=sent["mid"])
    await teacher.expect("removed", seq=2, mid=sent["mid"])
    history = (await teacher.request("history", room=pair.room))["messages"]
    assert history[0]["removed"] is True and "please wait" not in json.dumps(history)


async def test_context_shows_the_conversation(connect, pair, moderator):
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    before = await held(teacher, pair.room, "the one before")
    await judge.request("queue.decide", mid=before["mid"], verdict="deliver")
    sent = await held(teacher, pair.room)
    context = await judge.request("queue.context", mid=sent["mid"])
    texts = [item["text"] for item in context["messages"]]
    assert texts == ["the one before", "please wait"]


async def test_stats_and_metrics_know_the_queue(cluster, connect, pair, moderator):
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    await held(teacher, pair.room)
    stats = await judge.request("queue.stats")
    (pending,) = cluster.query("SELECT count(*) FROM messages WHERE status = 'pending_moderation'")
    assert stats["pending"] == pending[0] and stats["oldest_s"] >= 0


async def test_pages_of_the_queue(connect, pair, moderator):
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    mids = [(await held(teacher, pair.room, f"page {n}"))["mid"] for n in range(7)]
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await judge.request("queue.watch", limit=3, **more)
        seen += [case["mid"] for case in page["cases"]]
        assert len(page["cases"]) <= 3
        cursor = page.get("cursor")
        if not page["more"]:
            break
    assert [mid for mid in seen if mid in mids] == mids
    assert len(seen) == len(set(seen))


async def test_row_of_another_program_joins_the_queue(cluster, connect, pair, moderator):
    judge = await connect(moderator)
    await judge.request("queue.watch")
    (row,) = cluster.query(
        "INSERT INTO messages (chat_room_id, sender_id, message_text) VALUES (%s, %s, 'imported')"
        " RETURNING id::text",
        pair.room, pair.student.id,
    )
    added = await judge.expect("queue.added", timeout=25)
    while added["case"]["mid"] != row[0]:
        added = await judge.expect("queue.added", timeout=25)
    student = await connect(pair.student, node=1)
    await judge.request("queue.decide", mid=row[0], verdict="deliver")
    assert (await student.expect("message"))["text"] == "imported"


async def test_unwatch_ends_the_pushes(connect, pair, moderator):
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    await judge.request("queue.watch")
    await judge.request("queue.unwatch")
    sent = await held(teacher, pair.room)
    await asyncio.sleep(0.6)
    assert sent["mid"] not in json.dumps(judge.seen)
