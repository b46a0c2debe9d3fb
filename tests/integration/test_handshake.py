# SPDX-License-Identifier: Apache-2.0
"""The upgrade: three ways to bring a token, Origin, subprotocols, and HTTP that is wrong."""

import asyncio
import base64

import pytest
import websockets

from client import Client, Closed
from cluster import WS_PATH
from raw import Raw, TEXT, frame
from rest import rest


@pytest.mark.parametrize("how", ["header", "subprotocol", "hello"])
async def test_token_travels_in_three_ways(connect, pair, how):
    client = await connect(pair.teacher, how=how)
    assert client.welcome["user"] == {
        "id": pair.teacher.id,
        "role": "teacher",
        "first_name": pair.teacher.first_name,
        "last_name": pair.teacher.last_name,
    }
    assert client.websocket.subprotocol == "chatgate.v1"


async def test_no_subprotocol_means_v1(connect, pair):
    client = await connect(pair.teacher, subprotocols=[])
    assert client.websocket.subprotocol is None
    assert client.welcome["t"] == "welcome"


async def test_token_is_never_echoed(cluster, raw, pair):
    token = cluster.token(pair.teacher)
    socket = await raw()
    offered = f"chatgate.bearer.{token}, chatgate.v1"
    await socket.write(socket.upgrade_request(Sec_WebSocket_Protocol=offered))
    response = await socket.response()
    assert response.status == 101
    assert response.headers["sec-websocket-protocol"] == "chatgate.v1"
    assert token not in str(response.headers)


async def test_unknown_subprotocol_is_refused(cluster, pair):
    with pytest.raises(websockets.InvalidStatusCode) as refusal:
        await Client.open(
            cluster.nodes[0].ws_url, cluster.token(pair.teacher), subprotocols=["chatgate.v9"]
        )
    assert refusal.value.status_code == 400


async def test_token_in_the_url_is_refused(cluster, raw, pair):
    for name in ("token", "access_token"):
        socket = await raw()
        path = f"{WS_PATH}?{name}={cluster.token(pair.teacher)}"
        await socket.write(socket.upgrade_request(path=path))
        response = await socket.response()
        assert response.status in (400, 401)


async def test_bad_token_at_the_upgrade_is_401(cluster, raw, pair):
    socket = await raw()
    await socket.write(socket.upgrade_request(cluster.token(pair.teacher) + "x"))
    response = await socket.response()
    assert response.status == 401
    assert b"unauthorized" in response.body


async def test_expired_token_at_the_upgrade_says_so(cluster, raw, pair):
    socket = await raw()
    await socket.write(socket.upgrade_request(cluster.token(pair.teacher, ttl_s=-60)))
    response = await socket.response()
    assert response.status == 401
    assert b"token_expired" in response.body


async def test_bad_token_in_hello_is_4500(cluster, pair):
    with pytest.raises(Closed) as closed:
        await Client.open(cluster.nodes[0].ws_url, "no.such.token", how="hello")
    assert closed.value.code == 4500


async def test_expired_token_in_hello_is_4004(cluster, pair):
    with pytest.raises(Closed) as closed:
        await Client.open(
            cluster.nodes[0].ws_url, cluster.token(pair.teacher, ttl_s=-60), how="hello"
        )
    assert closed.value.code == 4004


async def test_hello_without_any_token_is_4500(cluster):
    with pytest.raises(Closed) as closed:
        await Client.open(cluster.nodes[0].ws_url)
    assert closed.value.code == 4500


async def test_hello_of_somebody_else_is_4500(cluster, connect, pair):
    client = await connect(pair.teacher, greet=False)
    with pytest.raises(Closed) as closed:
        await client.request("hello", token=cluster.token(pair.student))
    assert closed.value.code == 4500


async def test_anything_before_hello_is_4501(cluster, connect, pair):
    client = await connect(pair.teacher, greet=False)
    await client.send_frame({"t": "rooms", "id": 1})
    assert await client.closed() == 4501


async def test_second_hello_is_4501(connect, pair):
    client = await connect(pair.teacher)
    await client.send_frame({"t": "hello", "id": 2})
    assert await client.closed() == 4501


async def test_frame_sent_with_the_handshake_waits_for_authentication(cluster, raw, pair):
    socket = await raw()
    request = socket.upgrade_request(cluster.token(pair.teacher)).encode()
    await socket.write(request + frame(TEXT, '{"t":"hello","id":1}'))
    assert (await socket.response()).status == 101
    opcode, payload = await socket.next_frame()
    assert opcode == TEXT and b'"welcome"' in payload


# Origin: browsers send it, and may come from allowed pages only.


def own_origins(node):
    return [f"http://127.0.0.1:{node.port}"]


async def test_own_origin_may_connect(cluster, connect, pair):
    for origin in own_origins(cluster.nodes[0]):
        client = await connect(pair.teacher, origin=origin)
        assert client.is_open


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://127.0.0.1:{port}.evil.example",
        "http://evil.example/http://127.0.0.1:{port}",
        "http://127.0.0.1:{port}@evil.example",
        "",
    ],
)
async def test_foreign_origin_is_403(cluster, raw, pair, origin):
    socket = await raw()
    origin = origin.format(port=cluster.nodes[0].port)
    await socket.write(socket.upgrade_request(cluster.token(pair.teacher), Origin=origin))
    assert (await socket.response()).status == 403


async def test_listed_origin_may_connect(make_cluster, raw):
    import people

    listed = make_cluster(http={"allowed_origins": "https://app.example, https://b.example"})
    token = listed.token(people.add_user(listed, "teacher"))
    for origin, status in [
        ("https://app.example", 101),
        ("https://b.example", 101),
        ("https://app.example.evil", 403),
        ("http://app.example", 403),
    ]:
        socket = await Raw.connect(listed.nodes[0])
        await socket.write(socket.upgrade_request(token, Origin=origin))
        assert (await socket.response()).status == status, origin
        await socket.close()


# HTTP that is wrong. What is asked for is in the name; what it gets, in the table.

KEY = base64.b64encode(bytes(16)).decode()

WRONG_UPGRADES = {
    "post": (dict(method="POST"), 405),
    "http 1.0": (dict(version="HTTP/1.0"), 400),
    "version 12": (dict(Sec_WebSocket_Version="12"), 426),
    "no version": (dict(drop=("Sec-WebSocket-Version",)), 426),
    "short key": (dict(Sec_WebSocket_Key="c2hvcnQ="), 400),
    "no base64 key": (dict(Sec_WebSocket_Key="!" * 24), 400),
    "no key": (dict(drop=("Sec-WebSocket-Key",)), 400),
    "two keys": (dict(Sec_WebSocket_Key=[KEY, KEY]), 400),
    "no host": (dict(drop=("Host",)), 400),
    "two hosts": (dict(Host=["a", "b"]), 400),
    "two origins": (dict(Origin=["http://a", "http://a"]), 400),
    "length and chunks": (dict(Content_Length="1", Transfer_Encoding="chunked"), 400),
    "two lengths": (dict(Content_Length=["1", "2"]), 400),
    "h2c": (dict(Upgrade="h2c", HTTP2_Settings="AAMAAABkAAQAAP__"), 403),
    "websocket and h2c": (dict(Upgrade="websocket, h2c"), 403),
    "foreign path": (dict(path="/no/such/path"), 404),
    "16 kB token": (dict(token="x" * 16384), 431),
    "8 kB of headers": (dict(X_Filler="x" * 8300), 431),
}


@pytest.mark.parametrize("case", WRONG_UPGRADES)
async def test_wrong_upgrade(cluster, raw, pair, case):
    options, status = WRONG_UPGRADES[case]
    options = {"token": cluster.token(pair.teacher), **options}
    socket = await raw()
    await socket.write(socket.upgrade_request(**options))
    response = await socket.response()
    assert response is not None, "hung up without an answer"
    assert response.status == status
    if status == 426:
        assert response.headers["sec-websocket-version"] == "13"
    if status == 405:
        assert "GET" in response.headers["allow"]


WRONG_HEADS = {
    "NUL in a value": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "bare LF later": (b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    "folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
    "dots": (b"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "encoded dots": (b"GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "encoded NUL": (b"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 404),
}


@pytest.mark.parametrize("case", WRONG_HEADS)
async def test_wrong_head(raw, case):
    data, status = WRONG_HEADS[case]
    socket = await raw()
    await socket.write(data)
    response = await socket.response()
    assert response is not None, "hung up without an answer"
    assert response.status == status


@pytest.mark.parametrize(
    "greeting",
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 64],
    ids=["http2", "tls", "zeros"],
)
async def test_other_protocols_are_dropped(raw, greeting):
    socket = await raw()
    await socket.write(greeting)
    assert not (await socket.at_end()).startswith(b"HTTP/1.1 2")


async def test_slow_headers_are_dropped(make_cluster):
    impatient = make_cluster(http={"header_timeout_ms": 500})
    socket = await Raw.connect(impatient.nodes[0])
    await socket.write("GET / HTTP/1.1\r\nHost:")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await socket.at_end(timeout=5)
    assert 0.3 < loop.time() - begun < 3
    await socket.close()


async def test_a_dribble_of_headers_is_dropped_too(make_cluster):
    impatient = make_cluster(http={"header_timeout_ms": 500})
    socket = await Raw.connect(impatient.nodes[0])

    async def dribble():
        for character in "GET / HTTP/1.1\r\nX: " + "y" * 200:
            await socket.write(character)
            await asyncio.sleep(0.05)

    writer = asyncio.create_task(dribble())
    await socket.at_end(timeout=5)
    writer.cancel()
    await socket.close()


async def test_h1_pipelining_and_many_small_writes(cluster, raw, pair):
    """A good request is understood however its bytes are cut."""
    socket = await raw()
    for character in socket.upgrade_request(cluster.token(pair.teacher)):
        await socket.write(character)
    assert (await socket.response()).status == 101
    await socket.hello()


async def test_unknown_path_and_method(cluster):
    answer = await rest(cluster.nodes[0], "GET", "/api/no-such-thing")
    assert answer.status == 404 and answer.error["code"] == "not_found"
    answer = await rest(cluster.nodes[0], "DELETE", "/api/chats")
    assert answer.status == 405 and "GET" in answer.headers["allow"]


async def test_deflate_is_not_negotiated(cluster, connect, pair):
    client = await connect(pair.teacher, compression="deflate")
    assert client.websocket.extensions == []


async def test_unknown_user_is_refused(cluster, raw):
    socket = await raw()
    token = cluster.token("00000000-0000-4000-8000-000000000000")
    await socket.write(socket.upgrade_request(token))
    response = await socket.response()
    if response.status == 101:  # the database is asked after the upgrade
        await socket.send_text('{"t":"hello","id":1}')
        assert await socket.close_code() == 4500
    else:
        assert response.status == 401
