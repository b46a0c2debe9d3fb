# SPDX-License-Identifier: Apache-2.0
"""Each check finds what it is there for: journals and databases with one fault put in."""

import dataclasses
import random

import pytest

import checker
from journal import Ack, Decision, Journal, Row, Seen, Sent, Sightings, Transition, canary

ROOM, OTHER_ROOM = "room", "other room"
TEACHER, STUDENT = "teacher", "student"
MEMBERS = {ROOM: {TEACHER, STUDENT}}


class Story:
    """A good run: the teacher sent four messages. The third waited for an operator, who let it
    through; the fourth was blocked; the first was removed in the end."""

    def __init__(self):
        dice = random.Random(1)
        self.canaries = [canary(dice) for _ in range(4)]
        one, two, three, four = self.canaries
        self.rows = [
            Row(ROOM, "m1", TEACHER, "c1", "delivered", 1, 4, 2, one),
            Row(ROOM, "m2", TEACHER, "c2", "delivered", 2, None, 1, two),
            Row(ROOM, "m3", TEACHER, "c3", "delivered", 3, None, 2, three),
            Row(ROOM, "m4", TEACHER, "c4", "blocked", None, None, 2, four),
        ]
        self.audit = [
            Transition("m1", "remove", "removed", 2, "operator"),
            Transition("m3", "screen", "pending_moderation", 1),
            Transition("m3", "decide", "delivered", 2, "operator"),
            Transition("m4", "screen", "pending_moderation", 1),
            Transition("m4", "decide", "blocked", 2, "operator"),
        ]
        self.decisions = [Decision("m3", "delivered", 2, "operator")]
        self.sender = Journal(TEACHER, "laptop", lambda: 0)
        self.peer = Journal(STUDENT, "phone", lambda: 0)
        for number, text in enumerate(self.canaries, 1):
            self.sender.sent[f"c{number}"] = Sent(ROOM, text)
        self.sender.acks = {
            "c1": [Ack("m1", "delivered", 1)],
            "c2": [Ack("m2", "delivered", 2), Ack("m2", "delivered", 2)],  # it was sent again
            "c3": [Ack("m3", "pending_moderation", None)],
        }
        self.sender.own = {"m3": "delivered", "m4": "blocked"}
        for journal in (self.sender, self.peer):
            journal.streams[ROOM] = [
                Seen("message", 1, "m1", one),
                Seen("message", 2, "m2", two),
                Seen("message", 3, "m3", three),
                Seen("removed", 4, "m1"),
            ]

    def change_row(self, mid, **fields):
        self.rows = [
            dataclasses.replace(row, **fields) if row.mid == mid else row for row in self.rows
        ]

    def found(self):
        database = checker.Database(self.rows, self.audit)
        return {
            (one.promise, one.kind)
            for one in checker.check_deliveries(
                [self.sender, self.peer], database, MEMBERS, self.decisions
            )
        }


@pytest.fixture
def story():
    return Story()


def test_a_good_run_is_good(story):
    assert story.found() == set()


def test_an_acknowledged_message_without_a_row_is_lost(story):
    story.rows = [row for row in story.rows if row.mid != "m2"]
    assert ("A", checker.LOST) in story.found()


def test_an_acknowledgement_of_another_message(story):
    story.sender.acks["c2"].append(Ack("m9", "delivered", 2))
    assert ("A", checker.DOUBLED) in story.found()


def test_an_acknowledgement_with_another_number(story):
    story.sender.acks["c2"] = [Ack("m2", "delivered", 3)]
    assert ("A", checker.DISORDER) in story.found()


def test_a_row_with_another_text(story):
    story.change_row("m2", canary=story.canaries[0])
    assert ("A", checker.LOST) in story.found()


def test_a_cid_with_two_rows(story):
    story.rows.append(Row(ROOM, "m5", TEACHER, "c2", "delivered", 5, None, 1, story.canaries[1]))
    assert ("E", checker.DOUBLED) in story.found()


def test_an_unacknowledged_message_with_two_rows(story):
    del story.sender.acks["c2"]
    story.rows.append(Row(ROOM, "m5", TEACHER, "c2", "delivered", 5, None, 1, story.canaries[1]))
    assert ("E", checker.DOUBLED) in story.found()


def test_an_unacknowledged_message_may_have_no_row(story):
    story.sender.sent["c5"] = Sent(ROOM, "qzbbbbbbbbbbbbbb")
    assert story.found() == set()


def test_a_row_that_nobody_sent(story):
    story.rows.append(Row(ROOM, "m5", TEACHER, "c5", "blocked", None, None, 1, "qzbbbbbbbbbbbbbb"))
    assert ("E", checker.DOUBLED) in story.found()


def test_a_number_that_two_messages_have(story):
    story.change_row("m3", seq=2)
    assert ("B", checker.DOUBLED) in story.found()


def test_a_number_that_no_message_has(story):
    story.change_row("m1", removed_seq=5)
    assert ("B", checker.LOST) in story.found()


def test_a_blocked_message_with_a_number(story):
    story.change_row("m4", seq=5)
    assert ("B", checker.LOST) in story.found()


def test_a_gap_in_a_stream(story):
    del story.peer.streams[ROOM][1]
    assert story.found() == {("B", checker.LOST)}


def test_an_end_that_never_came(story):
    del story.peer.streams[ROOM][-1]
    assert story.found() == {("B", checker.LOST)}


def test_a_stream_that_never_began(story):
    del story.peer.streams[ROOM]
    assert story.found() == {("B", checker.LOST)}


def test_a_message_that_came_twice(story):
    story.peer.streams[ROOM].insert(2, story.peer.streams[ROOM][1])
    assert story.found() == {("B", checker.DOUBLED)}


def test_a_message_that_came_again_at_the_end(story):
    story.peer.streams[ROOM].append(story.peer.streams[ROOM][0])
    assert story.found() == {("B", checker.DOUBLED)}


def test_two_messages_that_changed_places(story):
    stream = story.peer.streams[ROOM]
    stream[1], stream[2] = stream[2], stream[1]
    assert ("B", checker.DISORDER) in story.found()


def test_a_number_that_was_another_message(story):
    stream = story.peer.streams[ROOM]
    stream[1] = dataclasses.replace(stream[1], mid="m9")
    assert story.found() == {("B", checker.DISORDER)}


def test_a_message_with_the_text_of_another(story):
    stream = story.peer.streams[ROOM]
    stream[1] = dataclasses.replace(stream[1], canary=story.canaries[2])
    assert story.found() == {("B", checker.LOST)}


def test_a_message_without_its_text(story):
    stream = story.peer.streams[ROOM]
    stream[1] = dataclasses.replace(stream[1], canary="")
    assert story.found() == {("B", checker.LOST)}


def test_a_removed_message_may_come_without_its_text(story):
    stream = story.peer.streams[ROOM]
    stream[0] = dataclasses.replace(stream[0], canary="")
    assert story.found() == set()


def test_a_message_that_the_database_does_not_have(story):
    story.peer.streams[ROOM].append(Seen("message", 5, "m5", story.canaries[0]))
    assert story.found() == {("B", checker.DOUBLED)}


def test_after_a_reset_the_stream_goes_on_from_the_head(story):
    stream = story.peer.streams[ROOM]
    story.peer.streams[ROOM] = [stream[0], Seen("reset", 2), *stream[2:]]
    assert story.found() == set()
    story.peer.streams[ROOM] = [stream[0], Seen("reset", 1), *stream[2:]]
    assert story.found() == {("B", checker.LOST)}
    story.peer.streams[ROOM] = [stream[0], Seen("reset", 2), *stream[1:]]
    assert story.found() == {("B", checker.DOUBLED)}


def test_messages_numbered_against_the_order_of_sending(story):
    story.sender.sent = {"c2": story.sender.sent.pop("c2"), **story.sender.sent}
    assert ("B", checker.DISORDER) in story.found()


def test_a_verdict_that_a_device_was_not_told(story):
    story.sender.own["m4"] = "pending_moderation"
    assert story.found() == {("B", checker.LOST)}


def test_the_peer_is_told_of_a_held_message(story):
    story.peer.own["m4"] = "blocked"
    assert story.found() == {("C", checker.LEAK)}


def test_a_room_of_others_is_shown(story):
    story.peer.streams[OTHER_ROOM] = [Seen("message", 1, "m9", "")]
    assert story.found() == {("C", checker.LEAK)}


def test_a_transition_without_audit(story):
    story.audit = [one for one in story.audit if (one.mid, one.version) != ("m4", 1)]
    assert ("D", checker.VERDICT) in story.found()


def test_a_transition_that_is_audited_twice(story):
    story.audit.append(story.audit[2])
    assert story.found() == {("D", checker.VERDICT)}


def test_an_audit_row_of_a_transition_that_never_was(story):
    story.audit.append(Transition("m2", "decide", "delivered", 2, "operator"))
    assert story.found() == {("D", checker.VERDICT)}


def test_a_status_that_the_audit_does_not_know(story):
    story.change_row("m4", status="delivered", seq=5)
    assert ("D", checker.VERDICT) in story.found()


def test_two_operators_who_both_decided(story):
    story.decisions.append(Decision("m3", "blocked", 2, "another"))
    assert story.found() == {("D", checker.VERDICT)}


def test_a_confirmed_verdict_that_was_not_made(story):
    story.decisions.append(Decision("m4", "delivered", 2, "operator"))
    assert story.found() == {("D", checker.VERDICT)}


def leaks(story, sightings, **where):
    database = checker.Database(story.rows, story.audit)
    return len(list(checker.check_secret("a place", sightings, database, **where)))


def test_a_blocked_text_is_nowhere_but_with_its_sender(story):
    seen = {story.canaries[3].encode(): 1}
    assert leaks(story, seen, user=STUDENT) == 1
    assert leaks(story, seen) == 1
    assert leaks(story, seen, user=TEACHER) == 0


def test_a_delivered_text_is_nowhere_in_a_log(story):
    seen = {story.canaries[1].encode(): 1}
    assert leaks(story, seen, user=STUDENT) == 0
    assert leaks(story, seen) == 0
    assert leaks(story, seen, delivered_too=False) == 1


def test_a_held_text_is_nowhere_before_its_delivery(story):
    seen = {story.canaries[2].encode(): 5}
    assert leaks(story, seen, user=STUDENT, decided_at={"m3": 4}) == 0
    assert leaks(story, seen, user=STUDENT, decided_at={"m3": 6}) == 1


def test_a_text_of_no_row_reaches_nobody(story):
    assert leaks(story, {b"qzbbbbbbbbbbbbbb": 1}, user=STUDENT) == 1


def test_what_the_database_forgot_may_have_been_delivered(story):
    assert leaks(story, {b"qzbbbbbbbbbbbbbb": 1}, user=STUDENT, forgets=True) == 0
    assert leaks(story, {story.canaries[3].encode(): 1}, user=STUDENT, forgets=True) == 1


@pytest.mark.parametrize("split", range(1, 18))
def test_a_canary_is_seen_in_bytes_however_they_are_split(split):
    seen = Sightings(lambda: 7)
    data = b"\x81\x20qzbbbbbbbbbbbbbb\n"
    seen.scan(data[:split])
    seen.scan(data[split:])
    assert seen.first == {b"qzbbbbbbbbbbbbbb": 7}


def test_costs_that_grow(story):
    bounds = checker.Bounds(memory_bytes=100, descriptors=10, stall_s=0.1)
    good = checker.Cost("node1", 1000, 1100, 20, 30, 0.1)
    assert list(checker.check_costs([good], bounds)) == []
    for field, value in (("memory_after", 1101), ("descriptors_after", 31), ("stall_s", 0.2)):
        bad = dataclasses.replace(good, **{field: value})
        assert [one.promise for one in checker.check_costs([bad], bounds)] == ["F"]


def test_a_heal_that_takes_too_long_or_never_comes():
    assert list(checker.check_heal(2, 2)) == []
    assert [one.promise for one in checker.check_heal(2.1, 2)] == ["G"]
    assert [one.promise for one in checker.check_heal(None, 2)] == ["G"]
