# SPDX-License-Identifier: Apache-2.0
"""A WebSocket client that is cheap enough for a thousand messages a second, and can misbehave.

It keeps no more of RFC 6455 than the gateway's frames need, shows every byte that arrives to
`on_bytes`, and writes one byte at a time where it is told to.
"""

import asyncio
import base64
import functools
import os
import socket
import ssl
import struct

CONTINUATION, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
HANDSHAKE_TIMEOUT_S = 5
HEAD_BYTES_MAX = 16384


class Refused(OSError):
    """The upgrade was answered with another status than 101."""

    def __init__(self, status):
        super().__init__(f"the upgrade was refused with {status}")
        self.status = status


def client_frame(opcode, payload):
    """Masked, as the RFC wants it, with the key 0: what is sent is then the payload itself."""
    size = len(payload)
    if size > 0xFFFF:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    elif size > 125:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = bytes([0x80 | opcode, 0x80 | size])
    return head + b"\0\0\0\0" + payload


def server_frame(data, start):
    """(fin and opcode, payload, where the next begins), or None while it is incomplete."""
    if len(data) - start < 2:
        return None
    first, size = data[start], data[start + 1]
    body = start + 2
    if size == 126:
        size, body = int.from_bytes(data[body : body + 2], "big"), body + 2
    elif size == 127:
        size, body = int.from_bytes(data[body : body + 8], "big"), body + 8
    if len(data) < body + size:
        return None
    return first, bytes(data[body : body + size]), body + size


class Wire(asyncio.Protocol):
    """One connection. on_text(bytes) gets each message; `closed` is done with the close code."""

    def __init__(self, on_text, on_bytes):
        self.on_text = on_text
        self.on_bytes = on_bytes
        loop = asyncio.get_running_loop()
        self.opened = loop.create_future()
        self.closed = loop.create_future()
        self.transport = None
        self.code = 1006
        self._data = bytearray()
        self._parts = []
        self._drip = None

    @classmethod
    async def open(cls, port, token, on_text, on_bytes, tls=False, receive_buffer=None):
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire = cls(on_text, on_bytes)
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(sock, ("127.0.0.1", port))
                options = {"ssl": trusting_tls(), "server_hostname": "localhost"} if tls else {}
                await loop.create_connection(lambda: wire, sock=sock, **options)
                wire.transport.write(upgrade_request(port, token))
                await wire.opened
        except BaseException:
            wire.abort()
            sock.close()
            raise
        return wire

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.on_bytes(data)
        self._data += data
        if not self.opened.done() and not self._take_head():
            return
        start = 0
        while (frame := server_frame(self._data, start)) is not None:
            first, payload, start = frame
            self._take_frame(first, payload)
        del self._data[:start]

    def _take_head(self):
        head, mark, rest = bytes(self._data).partition(b"\r\n\r\n")
        if not mark:
            if len(head) > HEAD_BYTES_MAX:
                self.abort()
            return False
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self.opened.set_exception(Refused(status))
            self.abort()
            return False
        self._data = bytearray(rest)
        self.opened.set_result(None)
        return True

    def _take_frame(self, first, payload):
        opcode = first & 0x0F
        if opcode == PING:
            self._write(client_frame(PONG, payload))
        elif opcode == CLOSE:
            self.code = int.from_bytes(payload[:2], "big") or 1005
            self._write(client_frame(CLOSE, payload[:2]))
            self.transport.close()
        elif opcode in (TEXT, CONTINUATION):
            self._parts.append(payload)
            if first & 0x80:
                text, self._parts = b"".join(self._parts), []
                self.on_text(text)

    def connection_lost(self, error):
        if self._drip:
            self._drip.cancel()
        if not self.opened.done():
            self.opened.set_exception(ConnectionResetError("closed during the handshake"))
        if not self.closed.done():
            self.closed.set_result(self.code)

    def send(self, text, drip=False):
        """Queues a text frame. drip: a byte a segment."""
        frame = client_frame(TEXT, text)
        if drip and not self.transport.is_closing():
            self._drip = asyncio.ensure_future(self._write_slowly(frame, self._drip))
        else:
            self._write(frame)

    async def _write_slowly(self, data, before):
        if before:
            await asyncio.wait([before])
        for index in range(len(data)):
            self._write(data[index : index + 1])
            await asyncio.sleep(0)

    def _write(self, data):
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def stop_reading(self):
        self.transport.pause_reading()

    def abort(self):
        """Gone without a word."""
        if self.transport:
            self.transport.abort()

    def reset(self):
        """Gone with a RST instead of a FIN."""
        sock = self.transport.get_extra_info("socket") if self.transport else None
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def close(self):
        self._write(client_frame(CLOSE, struct.pack(">H", 1000)))


def upgrade_request(port, token):
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: chatgate.v1\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


@functools.cache
def trusting_tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
