# SPDX-License-Identifier: Apache-2.0
"""A device that never gives up: it reconnects, resumes, resends, and writes a journal of it all."""

import asyncio
import json
import time
import uuid

import journal
import wire
from texts import prose

ANSWER_TIMEOUT_S = 8  # then the connection is taken for dead
RETRY_S = (0.05, 0.4)
HELD = " ты дурак"
CONTACT = " звони +7 912 345-67-89"
FINAL = {"not_found", "forbidden", "cid_conflict", "too_large", "bad_request", "unprocessable"}


class Outbox:
    """What is on its way in one room: the next is sent when the one before has its answer."""

    def __init__(self):
        self.waiting = []  # (cid, text), the first of them in flight
        self.request = None  # id of the send that is in flight on this connection
        self.retry_at = 0


class Device:
    """world: where it connects (`world.address(device)`), and the token that it shows."""

    def __init__(self, world, user, rooms, name, dice, rate=4.0, drip=False, batch=False):
        self.world = world
        self.user = user
        self.name = name
        self.dice = dice
        self.rate = rate
        self.drip = drip
        self.batch = batch
        self.journal = journal.Journal(user.id, name, time.monotonic)
        self.cursors = {room: 0 for room in rooms}
        self.outboxes = {room: Outbox() for room in rooms}
        self.epoch = None
        self.own_since = None
        self.live = False
        self.straight = False  # never by a link
        self.talking = False
        self.breaks = 0
        self.resets = 0
        self.codes = []  # how its connections ended
        self.faults = []  # frames that no gateway may send
        self.latest = {}  # room -> (when written, number) of the last own message that was shown
        self._written = {}  # cid -> when
        self._begun = {}  # cid -> when it was first sent on this connection
        self._wire = None
        self._last_id = 0
        self._greeting = None
        self._task = None
        self._stop = False

    def start(self):
        self._task = asyncio.create_task(self._run())

    def end(self):
        """Begins to stop."""
        self._stop = True
        self.drop()

    async def stop(self):
        self.end()
        await asyncio.wait([self._task])
        if self._task.exception():
            raise self._task.exception()

    @property
    def idle(self):
        return not any(outbox.waiting for outbox in self.outboxes.values())

    def drop(self, how="abort"):
        """Ends the connection; the device comes back by itself."""
        if self._wire:
            getattr(self._wire, how)()

    def stop_reading(self):
        if self._wire:
            self._wire.stop_reading()

    async def _run(self):
        while not self._stop:
            try:
                await self._connect()
                await self._talk()
            except (OSError, asyncio.TimeoutError):
                pass
            self._gone()
            await asyncio.sleep(self.dice.uniform(*RETRY_S))

    async def _connect(self):
        port, tls = self.world.address(self)
        self._wire = await wire.Wire.open(
            port, self.world.token(self.user), self._take_text, self.journal.bytes.scan, tls=tls,
            receive_buffer=self.world.plan.receive_buffer,
        )
        hello = {"t": "hello", "id": self._next_id(), "rooms": self.cursors}
        if self.epoch:
            hello["epoch"] = self.epoch
        if self.own_since:
            hello["own_since"] = self.own_since
        if self.batch:
            hello["caps"] = ["batch"]
        self._greeting = hello["id"]
        self._post(hello)

    async def _talk(self):
        """Until the connection ends. A request that gets no answer means that it has."""
        opened = time.monotonic()
        next_send = 0
        while not self._wire.closed.done():
            now = time.monotonic()
            if not self.live and now - opened > ANSWER_TIMEOUT_S:
                return
            if any(now - begun > ANSWER_TIMEOUT_S for begun in self._begun.values()):
                return
            if self.live and self.talking and now >= next_send:
                self._write_one()
                next_send = now + self.dice.expovariate(self.rate)
            if self.live:
                self._send_what_waits(now)
            pause = 0.25 if not self.talking else min(0.1, max(0.005, next_send - now))
            await asyncio.wait([self._wire.closed], timeout=pause)

    def _gone(self):
        if self._wire:
            self._wire.abort()
            self.codes.append(self._wire.code)
            self._wire = None
        self.breaks += 1
        self.live = False
        self._greeting = None
        self._last_id = 0
        self._begun.clear()
        self.journal.bytes.cut()
        for outbox in self.outboxes.values():
            outbox.request = None

    def _write_one(self):
        """A new message, if the room is not waiting for an answer yet."""
        room = self.dice.choice(list(self.outboxes))
        outbox = self.outboxes[room]
        if len(outbox.waiting) > 1:
            return
        canary = journal.canary(self.dice)
        chance = self.dice.random()
        more = HELD if chance < 0.08 else CONTACT if chance < 0.12 else ""
        if self.world.padding:
            more = " " + prose(self.world.padding // 14, self.dice.random())
        self.submit(room, str(uuid.UUID(int=self.dice.getrandbits(128), version=4)), canary, more)

    def submit(self, room, cid, canary, more=""):
        """A message that another device of the user may send too."""
        self._written[cid] = time.monotonic()
        self.outboxes[room].waiting.append((cid, canary, more))

    def _send_what_waits(self, now):
        for room, outbox in self.outboxes.items():
            if not outbox.waiting or outbox.request is not None or now < outbox.retry_at:
                continue
            cid, canary, more = outbox.waiting[0]
            self.journal.sent.setdefault(cid, journal.Sent(room, canary))
            outbox.request = self._next_id()
            self._begun[cid] = now
            self._post({"t": "send", "id": outbox.request, "room": room, "cid": cid,
                        "text": canary + more})

    def _next_id(self):
        self._last_id += 1
        return self._last_id

    def _post(self, frame):
        self._wire.send(json.dumps(frame, ensure_ascii=False).encode(), self.drip)

    def _take_text(self, text):
        for line in text.split(b"\n"):
            frame = json.loads(line)
            take = getattr(self, "_take_" + frame["t"].replace(".", "_"), None)
            if take:
                take(frame)

    def _take_welcome(self, frame):
        self.epoch = frame["epoch"]

    def _take_synced(self, frame):
        self.own_since = frame["own_since"]
        if frame["re"] == self._greeting:
            self.live = True

    def _take_message(self, frame):
        text = frame.get("text", "")
        if not frame.get("removed") and journal.CANARY.match(text.encode()) is None:
            self.faults.append(f"{self.name}: a message without its text: {frame['mid']}")
        self._show(frame, "message", text[: journal.CANARY_BYTES])

    def _take_removed(self, frame):
        self._show(frame, "removed", "")

    def _show(self, frame, kind, canary):
        room = frame["room"]
        self.journal.shown(room, journal.Seen(kind, frame["seq"], frame["mid"], canary))
        self.cursors[room] = max(self.cursors.get(room, 0), frame["seq"])
        if frame.get("cid") in self._written:
            self.latest[room] = (self._written[frame["cid"]], frame["seq"])

    def _take_reset(self, frame):
        self.resets += 1
        self.journal.shown(frame["room"], journal.Seen("reset", frame["head"]))
        self.cursors[frame["room"]] = frame["head"]

    def _take_own(self, frame):
        self.journal.own[frame["mid"]] = frame["status"]

    def _take_status(self, frame):
        self.journal.own[frame["mid"]] = frame["status"]

    def _outbox_of(self, request):
        for outbox in self.outboxes.values():
            if outbox.request is not None and outbox.request == request:
                return outbox
        return None

    def _take_ok(self, frame):
        outbox = self._outbox_of(frame["re"])
        if outbox is None:
            self.faults.append(f"{self.name}: an answer to nothing: {frame['re']}")
            return
        cid, _, _ = outbox.waiting.pop(0)
        outbox.request = None
        if frame["cid"] != cid:
            self.faults.append(f"{self.name}: the answer to {cid} is about {frame['cid']}")
        ack = journal.Ack(frame["mid"], frame["status"], frame.get("seq"))
        self.journal.acks.setdefault(cid, []).append(ack)
        self._begun.pop(cid)

    def _take_error(self, frame):
        outbox = self._outbox_of(frame.get("re"))
        if outbox is None:
            return
        cid = outbox.waiting[0][0]
        outbox.request = None
        self._begun.pop(cid, None)
        if frame["code"] in FINAL:
            self.journal.refusals.append((cid, frame["code"]))
            outbox.waiting.pop(0)
        wait_s = max(frame.get("retry_after_ms", 0) / 1000, 0.05)
        outbox.retry_at = time.monotonic() + min(wait_s, 2)
