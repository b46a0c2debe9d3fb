# SPDX-License-Identifier: Apache-2.0
"""A socket on which a test writes the bytes itself: malformed HTTP and malformed frames."""

import asyncio
import base64
import os
import struct

from client import insecure_tls
from cluster import WS_PATH

PATIENCE_S = 15

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", fin=True, rsv=0, mask=True, length=None, length_bytes=None):
    """One client frame. length, length_bytes: claim another length, or spell it longer."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if length_bytes == 8 or size > 0xFFFF:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    elif length_bytes == 2 or size > 125:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | size])
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body


class Raw:
    def __init__(self, reader, writer, node):
        self.reader = reader
        self.writer = writer
        self.node = node

    @classmethod
    async def connect(cls, node, tls=None, receive_buffer=None):
        options = {"ssl": insecure_tls()} if (node.tls if tls is None else tls) else {}
        if receive_buffer:
            options["limit"] = receive_buffer
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port, **options)
        return cls(reader, writer, node)

    async def write(self, data):
        """Writes; a peer that has hung up is no error here, the reading side tells."""
        if isinstance(data, str):
            data = data.encode()
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, OSError):
            pass

    def upgrade_request(self, token=None, path=None, drop=(), method="GET", version="HTTP/1.1",
                        **replace):
        """The lines of a good upgrade. drop: names to leave out; replace: other values, by name
        with _ for -; a list gives the header more than once."""
        headers = {
            "Host": f"127.0.0.1:{self.node.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "chatgate.v1",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        for name, value in replace.items():
            headers[name.replace("_", "-")] = value
        lines = [f"{method} {path or WS_PATH} {version}"]
        for name, values in headers.items():
            if name not in drop:
                for value in values if isinstance(values, list) else [values]:
                    lines.append(f"{name}: {value}")
        return "\r\n".join(lines) + "\r\n\r\n"

    async def response(self, timeout=PATIENCE_S):
        """One HTTP response; None if the peer hung up without a word."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), timeout)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
        status = int(lines[0].split()[1])
        body = b""
        if status != 101 and "content-length" in headers:
            body = await asyncio.wait_for(
                self.reader.readexactly(int(headers["content-length"])), timeout
            )
        elif status != 101:
            body = await asyncio.wait_for(self.reader.read(), timeout)
        return Response(status, headers, body)

    async def upgrade(self, token, **options):
        """A good handshake; what follows on the socket are frames."""
        await self.write(self.upgrade_request(token, **options))
        response = await self.response()
        assert response is not None and response.status == 101, response and response.body
        return self

    async def hello(self, token=None):
        """Says hello and reads up to synced."""
        await self.send_text('{"t":"hello","id":1}')
        while b'"synced"' not in (await self.next_frame())[1]:
            pass
        return self

    async def send_text(self, text):
        await self.write(frame(TEXT, text))

    async def next_frame(self, timeout=PATIENCE_S):
        """(opcode, payload) of the next frame of the server; EOFError at the end."""

        async def read():
            first, second = await self.reader.readexactly(2)
            assert not second & 0x80, "the server masked a frame"
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)

        try:
            return await asyncio.wait_for(read(), timeout)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EOFError from None

    async def close_code(self, timeout=PATIENCE_S):
        """Reads up to the server's close frame; None if it hung up without one, 1005 if it was
        empty, -1 if its payload is no code."""
        while True:
            try:
                opcode, payload = await self.next_frame(timeout)
            except EOFError:
                return None
            if opcode == CLOSE:
                if len(payload) == 1:
                    return -1
                return struct.unpack(">H", payload[:2])[0] if payload else 1005

    async def at_end(self, timeout=PATIENCE_S):
        """Reads up to the end of the stream; returns what came."""
        try:
            return await asyncio.wait_for(self.reader.read(), timeout)
        except ConnectionError:
            return b""

    async def close(self):
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, OSError):
            pass
