# SPDX-License-Identifier: Apache-2.0
"""Compares what clients wrote down with the database: the promises A to G of README.md.

Pure functions over journal.py's records. Each check returns violations, and finds one where there
is one: test_checker.py shows it each kind.
"""

import collections
import dataclasses

# What the table counts, by the kind of a violation.
LOST, DOUBLED, DISORDER, LEAK, VERDICT, COST, HEAL = (
    "lost", "duplicated", "out of order", "leaked", "verdict", "cost", "heal",
)


@dataclasses.dataclass(frozen=True)
class Violation:
    promise: str  # A to G
    kind: str
    what: str

    def __str__(self):
        return f"{self.promise} {self.kind}: {self.what}"


class Database:
    """The rows and the audit log after a run, by what the checks look for."""

    def __init__(self, rows, audit=()):
        self.rows = list(rows)
        self.by_cid = collections.defaultdict(list)
        self.by_canary = {}
        self.by_mid = {}
        self.numbers = collections.defaultdict(dict)  # room -> number -> (kind, row)
        self.clashes = []
        for row in self.rows:
            if row.cid:
                self.by_cid[row.room, row.sender, row.cid].append(row)
            self.by_canary[row.canary] = row
            self.by_mid[row.mid] = row
            self._number(row, "message", row.seq)
            self._number(row, "removed", row.removed_seq)
        self.audit = collections.defaultdict(list)
        for transition in audit:
            self.audit[transition.mid].append(transition)

    def _number(self, row, kind, number):
        if number is None:
            return
        if number in self.numbers[row.room]:
            self.clashes.append((row.room, number))
        self.numbers[row.room][number] = (kind, row)

    def head(self, room):
        return max(self.numbers[room], default=0)


def check_acked(journals, database):
    """A: every acknowledged send is exactly one row, and that which the answer named."""
    for journal in journals:
        for cid, acks in journal.acks.items():
            sent = journal.sent[cid]
            rows = database.by_cid[sent.room, journal.user, cid]
            if not rows:
                yield Violation("A", LOST, f"{journal.name}: {cid} was acknowledged and is no row")
                continue
            for ack in acks:
                if ack.mid != rows[0].mid:
                    yield Violation("A", DOUBLED, f"{journal.name}: {cid} was acknowledged as "
                                    f"{ack.mid} and is {rows[0].mid}")
                if ack.seq is not None and ack.seq != rows[0].seq:
                    yield Violation("A", DISORDER, f"{journal.name}: {cid} was acknowledged as number "
                                    f"{ack.seq} and is {rows[0].seq}")
            if rows[0].canary != sent.canary:
                yield Violation("A", LOST, f"{journal.name}: {cid} has another text")


def check_once(journals, database):
    """E: however often it was sent, it is one row or none; and no row is of nobody."""
    known = set()
    for journal in journals:
        for cid, sent in journal.sent.items():
            known.add(sent.canary)
            count = len(database.by_cid[sent.room, journal.user, cid])
            if count > 1:
                yield Violation("E", DOUBLED, f"{journal.name}: {cid} is {count} rows")
    seen = collections.Counter(row.canary for row in database.rows)
    for text, count in seen.items():
        if text not in known:
            yield Violation("E", DOUBLED, f"a row holds {text!r}, which nobody sent")
        elif count > 1:
            yield Violation("E", DOUBLED, f"{text} is in {count} rows")


def check_numbers(database):
    """B, of the database itself: the numbers of a room are 1, 2, 3, ..."""
    for room, number in database.clashes:
        yield Violation("B", DOUBLED, f"room {room} has number {number} twice")
    for room, numbers in database.numbers.items():
        for missing in set(range(1, max(numbers) + 1)) - set(numbers):
            yield Violation("B", LOST, f"room {room} has no number {missing}")
    for row in database.rows:
        if (row.seq is not None) != (row.status == "delivered"):
            yield Violation("B", LOST, f"{row.mid} is {row.status} and has the number {row.seq}")


def check_stream(journal, room, stream, database):
    """B: what a device was shown of a room is what the database has, in order, once, to the end.

    After a reset the device goes on from the head that it was told.
    """
    where = f"{journal.name} in {room}"
    expected, cut = 1, 0
    for position, seen in enumerate(stream):
        if seen.kind == "reset":
            expected, cut = seen.seq + 1, position + 1
    numbers = database.numbers[room]
    shown = set()
    if cut:
        shown.update(range(1, expected))
    for seen in stream[cut:]:
        if seen.seq in shown:
            yield Violation("B", DOUBLED, f"{where}: number {seen.seq} came again")
        elif seen.seq < expected:
            yield Violation("B", DISORDER, f"{where}: number {seen.seq} came after {expected - 1}")
        elif seen.seq > expected:
            yield Violation("B", LOST, f"{where}: number {seen.seq} came after {expected - 1}")
        shown.add(seen.seq)
        expected = max(expected, seen.seq + 1)
        yield from _check_content(where, seen, numbers.get(seen.seq))
    for missing in range(expected, database.head(room) + 1):
        yield Violation("B", LOST, f"{where}: number {missing} never came")


def _check_content(where, seen, known):
    if known is None:
        yield Violation("B", DOUBLED, f"{where}: number {seen.seq} is in no row")
        return
    kind, row = known
    if (seen.kind, seen.mid) != (kind, row.mid):
        yield Violation("B", DISORDER, f"{where}: number {seen.seq} was shown as {seen.kind} "
                        f"{seen.mid} and is {kind} {row.mid}")
    elif seen.canary and seen.canary != row.canary:
        yield Violation("B", LOST, f"{where}: number {seen.seq} has another text")
    elif seen.kind == "message" and not seen.canary and row.removed_seq is None:
        yield Violation("B", LOST, f"{where}: number {seen.seq} came without its text")


def check_streams(journals, database, members):
    """members: room -> the users in it. A device is shown its user's rooms and no other."""
    for journal in journals:
        mine = {room for room, users in members.items() if journal.user in users}
        for room in mine | set(journal.streams):
            if room not in mine:
                yield Violation("C", LEAK, f"{journal.name} was shown {room}, which is not its own")
            else:
                yield from check_stream(journal, room, journal.streams.get(room, []), database)


def check_sending_order(journals, database):
    """B: a device that sends one at a time sees its messages numbered in that order, those aside
    that another device of the user sent too."""
    senders = collections.Counter(cid for journal in journals for cid in journal.sent)
    for journal in journals:
        last = collections.defaultdict(int)
        for cid, sent in journal.sent.items():
            acks = journal.acks.get(cid)
            if senders[cid] > 1:
                continue
            if not acks or acks[0].status != "delivered" or acks[0].seq is None:
                continue  # it waited for a person, or it is not known when it was stored
            if acks[0].seq <= last[sent.room]:
                yield Violation("B", DISORDER, f"{journal.name}: {cid} has number {acks[0].seq}, one "
                                f"sent before it has {last[sent.room]}")
            last[sent.room] = max(last[sent.room], acks[0].seq)


def check_own(journals, database):
    """B: what a device was told of its user's held messages is how they stand in the end."""
    for journal in journals:
        for mid, status in journal.own.items():
            row = database.by_mid.get(mid)
            if row is None or row.sender != journal.user:
                yield Violation("C", LEAK, f"{journal.name} was told of {mid}, which is not its own")
            elif row.status != status and row.removed_seq is None:
                yield Violation("B", LOST, f"{journal.name} thinks {mid} is {status}; it is {row.status}")


def check_secret(
    place, sightings, database, user=None, decided_at=None, delivered_too=True, forgets=False
):
    """C: where a canary was seen, its message had been delivered, or it is the sender's own device.

    user: whose device it is. decided_at: mid -> when its delivery was asked for; none before may be
    seen. delivered_too: whether delivered texts may be there; a log has none. forgets: the database
    may have lost what was delivered before; such a text has no row.
    """
    for text, at in sightings.items():
        text = text.decode()
        row = database.by_canary.get(text)
        if user is not None and row is not None and row.sender == user:
            continue
        if user is not None and row is None and forgets:
            continue
        if user is not None and row is None:
            yield Violation("C", LEAK, f"{text} of no row reached {place}")
        elif not delivered_too or row is None or row.status != "delivered":
            yield Violation("C", LEAK, f"{text} ({row.status if row else 'no row'}) is in {place}")
        elif decided_at and at < decided_at.get(row.mid, 0):
            yield Violation("C", LEAK, f"{text} was in {place} before it was delivered")


def check_verdicts(database, decisions):
    """D: one audit row a transition, and one operator who made it."""
    for row in database.rows:
        versions = collections.Counter(one.version for one in database.audit[row.mid])
        first = 1 if row.status != "delivered" or 1 in versions else 2
        for version in range(first, row.version + 1):
            if versions[version] != 1:
                yield Violation("D", VERDICT, f"{row.mid} version {version} has {versions[version]} "
                                "audit rows")
        for version in versions:
            if not first <= version <= row.version:
                yield Violation("D", VERDICT, f"{row.mid} has an audit row of version {version}")
        last = max(database.audit[row.mid], key=lambda one: one.version, default=None)
        status = "removed" if row.removed_seq is not None else row.status
        if last is not None and last.to_status != status:
            yield Violation("D", VERDICT, f"{row.mid} is {status}; its audit says {last.to_status}")
    winners = collections.defaultdict(set)
    for decision in decisions:
        winners[decision.mid, decision.version].add((decision.by, decision.status))
    for (mid, version), told in winners.items():
        if len(told) > 1:
            yield Violation("D", VERDICT, f"{len(told)} operators were told that they decided {mid}")
        made = {(one.actor, one.to_status) for one in database.audit[mid] if one.version == version}
        if not told <= made:
            yield Violation("D", VERDICT, f"a verdict on {mid} was confirmed and is not in the audit")


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a node takes, before the load and after all has healed."""

    node: str
    memory_before: int
    memory_after: int
    descriptors_before: int
    descriptors_after: int
    stall_s: float  # longest turn of its event loop


@dataclasses.dataclass(frozen=True)
class Bounds:
    memory_bytes: int = 48 * 1024 * 1024
    descriptors: int = 64
    stall_s: float = 0.5


def check_costs(costs, bounds):
    """F: memory, descriptors and stalls of the loop stay bounded."""
    for cost in costs:
        grown = cost.memory_after - cost.memory_before
        if grown > bounds.memory_bytes:
            yield Violation("F", COST, f"{cost.node} grew by {grown / 2**20:.0f} MiB")
        more = cost.descriptors_after - cost.descriptors_before
        if more > bounds.descriptors:
            yield Violation("F", COST, f"{cost.node} holds {more} descriptors more")
        if cost.stall_s > bounds.stall_s:
            yield Violation("F", COST, f"the loop of {cost.node} stood still for {cost.stall_s:.3f} s")


def check_heal(heal_s, bound_s):
    """G: after the fault everything is well again in the time that the scenario states."""
    if heal_s is None:
        yield Violation("G", HEAL, f"not healed within {bound_s} s")
    elif heal_s > bound_s:
        yield Violation("G", HEAL, f"healed after {heal_s:.1f} s, not within {bound_s} s")


def forget(journals, database):
    """Takes out of journals what the database lost with its last words: a standby that had not all
    took over. Nobody may have lost it silently: streams are checked as ever, resets and all."""
    for journal in journals:
        journal.acks = {
            cid: [ack for ack in acks if ack.mid in database.by_mid]
            for cid, acks in journal.acks.items()
            if any(ack.mid in database.by_mid for ack in acks)
        }
        journal.own = {mid: told for mid, told in journal.own.items() if mid in database.by_mid}


def check_deliveries(journals, database, members, decisions=()):
    """A, B, D and E together, of the devices of users."""
    for check in (
        check_acked(journals, database),
        check_once(journals, database),
        check_numbers(database),
        check_streams(journals, database, members),
        check_sending_order(journals, database),
        check_own(journals, database),
        check_verdicts(database, decisions),
    ):
        yield from check


def counted(violations):
    """How many of each kind."""
    return collections.Counter(violation.kind for violation in violations)
