# SPDX-License-Identifier: Apache-2.0
"""A client of chatgate.v1 that shares no code with the gateway or with protocol/client.

Every frame that it receives is checked against protocol/schema, and every one that it sends
through request() or post() too.
"""

import asyncio
import json
import ssl
import time
import uuid

import websockets

import schemas

PROTOCOL = "chatgate.v1"
PATIENCE_S = 15


class Refused(Exception):
    """The server answered with an error frame."""

    def __init__(self, frame):
        super().__init__(json.dumps(frame))
        self.frame = frame
        self.code = frame["code"]
        self.reason = frame.get("reason")
        self.retry_after_ms = frame.get("retry_after_ms")


class Closed(Exception):
    """The connection ended while something was awaited."""

    def __init__(self, code, reason):
        super().__init__(f"closed: {code} {reason}")
        self.code = code


def new_uuid():
    return str(uuid.uuid4())


def insecure_tls():
    """For certificates that a test made itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    def __init__(self, websocket):
        self.websocket = websocket
        self.inbox = []  # pushes not yet taken by expect()
        self.seen = []  # all frames, in the order of arrival
        self.welcome = None
        self.synced = None
        self.fault = None
        self._answers = {}
        self._last_id = 0
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url, token=None, how="header", hello=None, origin=None, subprotocols=None,
                   greet=True, headers=None, **options):
        """Connects, and says hello unless greet is False.

        how: where the token travels: "header", "subprotocol" or "hello". hello: more fields of it.
        """
        offered = [PROTOCOL] if subprotocols is None else list(subprotocols)
        extra = dict(headers or {})
        hello = dict(hello or {})
        if token is not None and how == "header":
            extra["Authorization"] = f"Bearer {token}"
        elif token is not None and how == "subprotocol":
            offered.append(f"chatgate.bearer.{token}")
        elif token is not None:
            hello["token"] = token
        if url.startswith("wss:"):
            options.setdefault("ssl", insecure_tls())
        options.setdefault("ping_interval", None)
        options.setdefault("compression", None)
        websocket = await websockets.connect(
            url, subprotocols=offered or None, extra_headers=extra, origin=origin, max_size=None,
            open_timeout=PATIENCE_S, close_timeout=5, max_queue=None, **options
        )
        client = cls(websocket)
        if greet:
            try:
                await client.greet(**hello)
            except BaseException:
                await client.abort()
                raise
        return client

    async def greet(self, **hello):
        """hello, up to the end of the resume that it starts."""
        number = self._next_id()
        self.welcome = await self.request("hello", id=number, **hello)
        self.synced = await self.expect("synced", re=number)

    @property
    def user(self):
        return self.welcome["user"]["id"]

    async def _read(self):
        try:
            async for text in self.websocket:
                assert isinstance(text, str), "a binary frame"
                for line in text.split("\n"):
                    self._take(json.loads(line))
        except websockets.ConnectionClosed:
            pass
        except Exception as error:  # noqa: BLE001 - told to the test by its next call
            self.fault = error
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Closed(self.websocket.close_code, "while it was awaited"))
                answer.exception()
        self._news.set()

    def _take(self, frame):
        schemas.check_event(frame)
        frame["_at"] = time.monotonic()
        self.seen.append(frame)
        answer = self._answers.pop(frame.get("re"), None)
        if answer is None or answer.done():
            self.inbox.append(frame)
        elif frame["t"] == "error":
            answer.set_exception(Refused(frame))
        else:
            answer.set_result(frame)
        self._news.set()

    def _next_id(self):
        self._last_id += 1
        return self._last_id

    async def send_text(self, text):
        """Any text, as one frame, unchecked."""
        await self.websocket.send(text)

    async def send_frame(self, frame):
        schemas.check_command(frame)
        await self.send_text(json.dumps(frame))

    async def post(self, t, **fields):
        """A frame without an id: no answer is wanted."""
        await self.send_frame({"t": t, **fields})

    def begin(self, t, checked=True, **fields):
        """Sends a request; returns the future of its answer. checked=False: against no schema."""
        number = fields.pop("id", None) or self._next_id()
        self._last_id = max(self._last_id, number)
        frame = {"t": t, "id": number, **fields}
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        text = json.dumps(frame)
        if checked:
            schemas.check_command(frame)

        async def run():
            try:
                await self.websocket.send(text)
            except websockets.ConnectionClosed as closed:
                raise Closed(self.websocket.close_code, str(closed)) from None
            return await asyncio.wait_for(asyncio.shield(answer), PATIENCE_S)

        return asyncio.ensure_future(run())

    async def request(self, t, **fields):
        """Sends a request and returns its answer; raises Refused if that is an error."""
        return await self.begin(t, **fields)

    async def refused(self, t, **fields):
        """Sends a request that must be refused; returns the error."""
        try:
            answer = await self.request(t, **fields)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"not refused: {answer}")

    async def send(self, room, text, cid=None, **more):
        return await self.request("send", room=room, cid=cid or new_uuid(), text=text, **more)

    async def error_after(self, text):
        """Sends a text that must be answered by an error without a usable id."""
        await self.send_text(text)
        return await self.expect("error")

    def _find(self, t, fields):
        for index, frame in enumerate(self.inbox):
            if frame["t"] == t and all(frame.get(key) == value for key, value in fields.items()):
                return self.inbox.pop(index)
        return None

    async def expect(self, t, timeout=PATIENCE_S, **fields):
        """Takes the first push of this kind with these fields, waiting for it if need be."""
        deadline = time.monotonic() + timeout
        while True:
            self._news.clear()
            frame = self._find(t, fields)
            if frame is not None:
                return frame
            if self.fault:
                raise self.fault
            if self._reader.done():
                raise Closed(self.websocket.close_code, f"while {t} {fields} was awaited")
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no {t} {fields} in {timeout} s; there are: {self.inbox}")
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except asyncio.TimeoutError:
                pass

    async def never(self, t, within=0.6, **fields):
        """Waits, and fails if such a push is there or comes."""
        await asyncio.sleep(within)
        frame = self._find(t, fields)
        assert frame is None, f"unwanted: {frame}"
        if self.fault:
            raise self.fault

    def taken(self, t, **fields):
        """All frames of this kind so far, whoever took them."""
        return [
            frame
            for frame in self.seen
            if frame["t"] == t and all(frame.get(key) == value for key, value in fields.items())
        ]

    async def closed(self, timeout=PATIENCE_S):
        """Waits until the server closes; returns the code that the close frame carried."""
        await asyncio.wait_for(asyncio.shield(self._reader), timeout)
        if self.fault:
            raise self.fault
        return self.websocket.close_code

    @property
    def is_open(self):
        return not self._reader.done()

    async def close(self):
        """Says goodbye; a fault that no call has told yet is told here."""
        await self.websocket.close()
        await self._reader
        if self.fault:
            raise self.fault

    async def abort(self):
        """Drops the connection without a close frame."""
        if self.websocket.transport:
            self.websocket.transport.abort()
        await self._reader
