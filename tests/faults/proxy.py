# SPDX-License-Identifier: Apache-2.0
"""A link between two programs that can be made as bad as networks are.

A Link listens, on a Unix socket or a port, and carries each connection to its target. Its two
directions can be delayed, frozen, dripped a byte at a time; its connections can be cut, new ones
refused. A link to Postgres can cut exactly when the end of a write batch passes (`commit_cut`):
after it was sent, so that nobody was told of a COMMIT that happened, or instead of it.
"""

import asyncio
import os
import socket
import struct

CHUNK_BYTES = 65536
BUFFER_BYTES = 262144
AFTER_CUT_S = 0.3  # the far end keeps its half that long, as a network that lost one end does
WRITER = b"write_messages"


class Flow:
    """One direction of all connections of a link."""

    def __init__(self):
        self.delay_s = 0
        self.drip = False
        self._open = asyncio.Event()
        self._open.set()

    def freeze(self):
        """What is sent is not lost and does not arrive."""
        self._open.clear()

    def thaw(self):
        self._open.set()

    async def pass_on(self, data, writer):
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        await self._open.wait()
        if not self.drip:
            writer.write(data)
            await writer.drain()
            return
        for index in range(len(data)):
            writer.write(data[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0)
            await self._open.wait()


class Frontend:
    """Follows what a client says to Postgres, message by message, over any split into chunks."""

    HEAD = 5  # type and length; the first message has no type

    def __init__(self):
        self._data = b""
        self._started = False
        self._writing = False

    def batch_end(self, data):
        """Takes the next bytes. Where in them the Sync begins and ends that closes a batch of the
        writer, or None."""
        offset = len(self._data)
        self._data += data
        start, found = 0, None
        while (end := self._message_end(start)) is not None:
            kind = self._data[start : start + 1] if self._started else b"?"
            if kind in (b"B", b"P"):
                self._writing = self._writing or WRITER in self._data[start : min(end, start + 80)]
            elif kind == b"S":
                if self._writing and found is None:
                    found = (max(0, start - offset), end - offset)
                self._writing = False
            self._started = True
            start = end
        self._data = self._data[start:]
        return found

    def _message_end(self, start):
        head = self.HEAD if self._started else self.HEAD - 1
        if len(self._data) - start < head:
            return None
        (size,) = struct.unpack_from(">i", self._data, start + head - 4)
        end = start + head - 4 + size
        return end if end <= len(self._data) else None


class Link:
    """listen: a path, or None for a free port of 127.0.0.1. target: a path or (address, port); it
    may be changed at any time, for the connections that come after."""

    def __init__(self, target, listen=None):
        self.target = target
        self.path = listen
        self.port = None
        self.up = Flow()  # to the target
        self.down = Flow()
        self.refusing = False
        self.commit_cut = None  # "after" or "before": once, then it is None again
        self.cuts = 0
        self._server = None
        self._near = set()
        self._far = set()
        self._tasks = set()

    async def start(self):
        if self.path:
            self._server = await asyncio.start_unix_server(self._accept, self.path)
            os.chmod(self.path, 0o777)
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self):
        return len(self._near)

    def cut(self, reset=False):
        """All connections end, for both sides."""
        for writer in list(self._near | self._far):
            if reset:
                _reset_at_close(writer)
            writer.transport.abort()

    def freeze(self):
        self.up.freeze()
        self.down.freeze()

    def thaw(self):
        self.up.thaw()
        self.down.thaw()

    def heal(self):
        """As good as new. What a thaw lets through may come late, as on any network."""
        self.refusing = False
        self.commit_cut = None
        for flow in (self.up, self.down):
            flow.delay_s = 0
            flow.drip = False
            flow.thaw()

    async def _accept(self, reader, writer):
        self._tasks.add(task := asyncio.current_task())
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _carry(self, reader, writer):
        if self.refusing:
            writer.transport.abort()
            return
        if isinstance(self.target, (str, os.PathLike)):
            far_reader, far_writer = await asyncio.open_unix_connection(self.target)
        else:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        for one in (writer, far_writer):
            one.transport.set_write_buffer_limits(BUFFER_BYTES)
        self._near.add(writer)
        self._far.add(far_writer)
        down = asyncio.ensure_future(self._pump(far_reader, writer, self.down))
        try:
            await self._pump_up(reader, writer, far_writer)
            await down
        finally:
            down.cancel()
            self._near.discard(writer)
            self._far.discard(far_writer)
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pump_up(self, reader, near, far):
        frontend = Frontend()
        while data := await _read(reader):
            end = frontend.batch_end(data)
            if end is not None and self.commit_cut:
                how, self.commit_cut = self.commit_cut, None
                self.cuts += 1
                await self.up.pass_on(data[: end[how == "after"]], far)
                near.transport.abort()
                await asyncio.sleep(AFTER_CUT_S)
                far.transport.abort()
                return
            await self.up.pass_on(data, far)
        _end(far)

    async def _pump(self, reader, writer, flow):
        try:
            while data := await _read(reader):
                await flow.pass_on(data, writer)
            _end(writer)
        except OSError:
            writer.transport.abort()


async def _read(reader):
    try:
        return await reader.read(CHUNK_BYTES)
    except OSError:
        return b""


def _end(writer):
    """Passes an end of data on, where the connection is still there."""
    if not writer.transport.is_closing() and writer.can_write_eof():
        try:
            writer.write_eof()
        except OSError:
            writer.transport.abort()


def _reset_at_close(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
