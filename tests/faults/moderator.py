# SPDX-License-Identifier: Apache-2.0
"""Operators who decide whatever waits, as fast as they see it, and race each other for it."""

import asyncio
import json
import time

import journal
import wire

PAUSE_S = 0.3
PATIENCE_S = 8


class Moderator:
    """One operator. Of those that it let through it removes some again."""

    def __init__(self, world, user, name, dice):
        self.world = world
        self.user = user
        self.name = name
        self.dice = dice
        self.asked_at = {}  # mid -> when a delivery was asked for, whatever became of it
        self.decisions = []  # journal.Decision: the verdicts that were confirmed
        self.lost = 0  # verdicts that came second
        self.working = True
        self.live = False
        self.straight = False  # never by a link
        self._cases = {}
        self._wire = None
        self._last_id = 0
        self._requests = {}  # id -> what it asked
        self._since = 0
        self._task = None
        self._stop = False

    def start(self):
        self._task = asyncio.create_task(self._run())

    def end(self):
        self._stop = True
        if self._wire:
            self._wire.abort()

    async def stop(self):
        self.end()
        await asyncio.wait([self._task])
        if self._task.exception():
            raise self._task.exception()

    async def _run(self):
        while not self._stop:
            try:
                await self._connect()
                await self._work()
            except (OSError, asyncio.TimeoutError):
                pass
            if self._wire:
                self._wire.abort()
                self._wire = None
            self.live = False
            self._requests.clear()
            self._cases.clear()
            await asyncio.sleep(PAUSE_S)

    async def _connect(self):
        port, tls = self.world.address(self)
        token = self.world.token(self.user)
        self._wire = await wire.Wire.open(port, token, self._take_text, lambda data: None, tls=tls)
        self._last_id = 0
        self._ask("hello")
        self._ask("queue.watch", limit=100)

    async def _work(self):
        watched = time.monotonic()
        while not self._wire.closed.done():
            now = time.monotonic()
            if self._requests and now - self._since > PATIENCE_S:
                return
            if self.live and self.working:
                self._decide()
            if self.live and not self._requests and now - watched > 3:
                watched = now
                self._ask("queue.watch", limit=100)
            await asyncio.wait([self._wire.closed], timeout=self.dice.uniform(0.05, PAUSE_S))

    def _ask(self, t, **fields):
        if not self._requests:
            self._since = time.monotonic()
        self._last_id += 1
        self._requests[self._last_id] = t
        self._wire.send(json.dumps({"t": t, "id": self._last_id, **fields}).encode())

    def _decide(self):
        items = []
        for mid, version in list(self._cases.items())[:20]:
            del self._cases[mid]
            verdict = self.dice.choice(["deliver", "block"])
            if verdict == "deliver":
                self.asked_at.setdefault(mid, time.monotonic())
            items.append({"mid": mid, "version": version, "verdict": verdict})
        if items:
            self._ask("queue.decide", items=items)

    def _take_text(self, text):
        for line in text.split(b"\n"):
            self._take(json.loads(line))

    def _take(self, frame):
        asked = self._requests.pop(frame.get("re"), None)
        self._since = time.monotonic()
        if frame["t"] == "queue.snapshot":
            self.live = True
            self._cases.update((case["mid"], case["version"]) for case in frame["cases"])
        elif frame["t"] == "queue.added":
            self._cases[frame["case"]["mid"]] = frame["case"]["version"]
        elif frame["t"] == "queue.decided" and asked == "queue.decide":
            for result in frame["results"]:
                self._decided(result)

    def _decided(self, result):
        if "error" in result:
            self.lost += 1
            return
        self.decisions.append(
            journal.Decision(result["mid"], result["status"], result["version"], self.user.id)
        )
        if result["status"] == "delivered" and self.dice.random() < 0.2:
            self._ask("queue.remove", mid=result["mid"])
