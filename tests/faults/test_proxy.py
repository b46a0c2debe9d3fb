# SPDX-License-Identifier: Apache-2.0
"""The link does to bytes what it says."""

import asyncio
import struct

import pytest
import pytest_asyncio

from proxy import Frontend, Link


class Echo:
    """Answers what it hears; keeps it too."""

    def __init__(self):
        self.heard = b""
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()

    async def _serve(self, reader, writer):
        while data := await reader.read(65536):
            self.heard += data
            writer.write(data)
        writer.close()


@pytest_asyncio.fixture
async def echo():
    echo = Echo()
    echo.address = await echo.start()
    yield echo
    echo.server.close()


@pytest_asyncio.fixture
async def link(echo):
    link = Link(echo.address)
    await link.start()
    yield link
    await link.stop()


async def connect(link):
    return await asyncio.open_connection("127.0.0.1", link.port)


async def nothing(reader, within=0.15):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(reader.read(1), within)


async def test_it_carries_both_ways(link):
    reader, writer = await connect(link)
    writer.write(b"x" * 1_000_000)
    assert await reader.readexactly(1_000_000) == b"x" * 1_000_000
    writer.write_eof()
    assert await reader.read() == b""


@pytest.mark.parametrize("way", ["up", "down"])
async def test_frozen_bytes_arrive_when_it_thaws(link, echo, way):
    reader, writer = await connect(link)
    getattr(link, way).freeze()
    writer.write(b"late")
    await nothing(reader)
    assert echo.heard == (b"late" if way == "down" else b"")
    link.heal()
    assert await reader.readexactly(4) == b"late"


async def test_dripped_bytes_all_arrive(link):
    reader, writer = await connect(link)
    link.up.drip = True
    writer.write(b"slowly")
    assert await reader.readexactly(6) == b"slowly"


async def test_delayed_bytes_take_their_time(link):
    reader, writer = await connect(link)
    link.up.delay_s = 0.2
    writer.write(b"later")
    await nothing(reader)
    assert await reader.readexactly(5) == b"later"


async def test_a_cut_ends_both_sides_and_nothing_more(link):
    reader, writer = await connect(link)
    writer.write(b"1")
    await reader.readexactly(1)
    link.cut()
    assert await reader.read() == b""
    reader, writer = await connect(link)
    writer.write(b"2")
    assert await reader.readexactly(1) == b"2"


async def test_a_reset_is_a_reset(link):
    reader, writer = await connect(link)
    writer.write(b"1")
    await reader.readexactly(1)
    link.cut(reset=True)
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_refused_connections_end_at_once(link):
    link.refusing = True
    reader, _ = await connect(link)
    assert await reader.read() == b""


def message(kind, body):
    return kind + struct.pack(">i", len(body) + 4) + body


STARTUP = message(b"", b"\0\3\0\0user\0chatgate\0\0")
BATCH = message(b"B", b"\0write_messages.0\0...") + message(b"E", b"\0\0\0\0\0")
READ = message(b"B", b"\0history.0\0...") + message(b"E", b"\0\0\0\0\0") + message(b"S", b"")
SYNC = message(b"S", b"")


@pytest.mark.parametrize("chunk", [1, 3, 7, 64, 1000])
def test_the_end_of_a_batch_is_found_however_it_is_split(chunk):
    data = STARTUP + READ + BATCH + SYNC + READ
    frontend, position, found = Frontend(), 0, None
    while position < len(data) and found is None:
        found = frontend.batch_end(data[position : position + chunk])
        if found is None:
            position += chunk
    assert position + found[1] == len(STARTUP + READ + BATCH + SYNC)
    assert position + found[0] in (len(STARTUP + READ + BATCH), position)


@pytest.mark.parametrize("how, heard", [("after", BATCH + SYNC), ("before", BATCH)])
async def test_a_batch_is_cut_at_its_end(link, echo, how, heard):
    reader, writer = await connect(link)
    link.commit_cut = how
    writer.write(STARTUP + READ)
    await reader.readexactly(len(STARTUP + READ))
    writer.write(BATCH + SYNC + READ)
    assert len(await reader.read()) <= len(heard)
    await asyncio.sleep(0.1)
    assert echo.heard == STARTUP + READ + heard
    assert (link.cuts, link.commit_cut) == (1, None)
