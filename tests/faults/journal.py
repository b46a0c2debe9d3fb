# SPDX-License-Identifier: Apache-2.0
"""What the clients of a run wrote down, and what the database says: the checker's two inputs.

Every text carries a canary, a word that nobody else writes, so that the bytes on a wire or in a log
tell whose text they hold.
"""

import dataclasses
import re

# Letters that make no word in any language: no rule of moderation minds them.
ALPHABET = "bdghjlmnpqrtvwxz"
CANARY = re.compile(rb"qz[bdghjlmnpqrtvwxz]{14}")
CANARY_BYTES = 16


def canary(dice):
    return "qz" + "".join(dice.choices(ALPHABET, k=CANARY_BYTES - 2))


@dataclasses.dataclass(frozen=True)
class Seen:
    """An event with a number, as a device was shown it. A reset is one of the kind "reset", whose
    number is the head from which the room goes on."""

    kind: str  # message, removed, reset
    seq: int
    mid: str = ""
    canary: str = ""  # none: the text was removed


@dataclasses.dataclass(frozen=True)
class Ack:
    mid: str
    status: str
    seq: int | None


@dataclasses.dataclass(frozen=True)
class Sent:
    room: str
    canary: str


class Sightings:
    """Canaries in a flow of bytes: what was seen, and when first."""

    def __init__(self, clock):
        self.first = {}
        self._clock = clock
        self._tail = b""

    def scan(self, data):
        data = self._tail + data
        for found in CANARY.findall(data):
            if found not in self.first:
                self.first[found] = self._clock()
        self._tail = data[-(CANARY_BYTES - 1) :]

    def cut(self):
        """The flow ended: what comes next is another one."""
        self._tail = b""


class Journal:
    """One device's."""

    def __init__(self, user, name, clock):
        self.user = user
        self.name = name
        self.sent = {}  # cid -> Sent, in the order of sending
        self.acks = {}  # cid -> [Ack]: one for each answer
        self.refusals = []  # (cid, code): answers after which nobody sends again
        self.streams = {}  # room -> [Seen], over all connections
        self.own = {}  # mid -> the status told last
        self.bytes = Sightings(clock)

    def shown(self, room, seen):
        self.streams.setdefault(room, []).append(seen)


@dataclasses.dataclass(frozen=True)
class Row:
    """A message in the database. canary: of its text."""

    room: str
    mid: str
    sender: str
    cid: str | None
    status: str
    seq: int | None
    removed_seq: int | None
    version: int
    canary: str


@dataclasses.dataclass(frozen=True)
class Transition:
    """A row of the audit log that tells of a status."""

    mid: str
    action: str
    to_status: str
    version: int
    actor: str | None = None


@dataclasses.dataclass(frozen=True)
class Decision:
    """An operator's verdict that the gateway confirmed."""

    mid: str
    status: str
    version: int
    by: str
