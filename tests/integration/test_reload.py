# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: a good configuration is in force at once, a bad one changes nothing; and TLS."""

import asyncio
import ssl
import subprocess
import time

import pytest
import websockets

import people
import tokens
from client import Client, new_uuid
from raw import Raw
from texts import prose
from rest import rest


@pytest.fixture
def cluster(make_cluster):
    cluster = make_cluster()
    yield cluster
    cluster.destroy()


async def reloaded(node, result="ok"):
    before = node.metric("chatgate_config_reloads_total", result=result)
    node.reload()
    deadline = time.monotonic() + 10
    while node.metric("chatgate_config_reloads_total", result=result) == before:
        assert time.monotonic() < deadline, f"no reload with result {result}:\n{node.log_tail(1500)}"
        await asyncio.sleep(0.05)


async def test_limits_change_for_living_connections(cluster, connect, pair):
    node = cluster.nodes[0]
    client = await connect(pair.teacher)
    await client.send(pair.room, "short words")
    node.set("limits", text_code_points=5)
    await reloaded(node)
    refusal = await client.refused("send", room=pair.room, cid=new_uuid(), text="too long")
    assert refusal.reason == "text.too_long"
    assert (await client.send(pair.room, "short"))["seq"] == 2


@pytest.mark.parametrize(
    "section, key, value",
    [
        ("limits", "text_code_points", "many"),
        ("limits", "text_code_points", "0"),
        ("limits", "no_such_key", "1"),
        ("no_such_section", "key", "1"),
        ("auth", "hs256_secret", "short"),
        ("listen", "tls_certificate", "/no/such/file"),
    ],
)
async def test_a_bad_configuration_changes_nothing(cluster, connect, pair, section, key, value):
    node = cluster.nodes[0]
    client = await connect(pair.teacher)
    node.set("drain", window_s=2)
    url = node.ws_url  # before the settings say otherwise
    node.set(section, **{key: value})
    await reloaded(node, "failed")
    assert (await client.send(pair.room, "still here"))["status"] == "delivered"
    assert node.probe("/readyz") == 200
    newcomer = await Client.open(url, cluster.token(pair.student))
    await newcomer.close()


async def test_keys_rotate_by_reload(cluster, pair):
    node = cluster.nodes[0]
    old, new = cluster.signer, tokens.Hs256("n" * 40, kid="second")
    client = await Client.open(node.ws_url, old.mint(pair.teacher.id))
    file = node.folder / "second.key"
    file.touch(mode=0o600)
    file.write_text("n" * 40)
    node.set("auth", keys=f"second:HS256:{file}")
    await reloaded(node)
    for signer in (old, new):
        both = await Client.open(node.ws_url, signer.mint(pair.teacher.id))
        await both.close()
    node.set("auth", hs256_secret="o" * 40, hs256_kid="third")
    await reloaded(node)
    with pytest.raises(websockets.InvalidStatusCode):
        await Client.open(node.ws_url, old.mint(pair.teacher.id))
    assert client.is_open
    await client.send(pair.room, "who is in stays in")
    await client.close()


async def test_origins_change_by_reload(cluster, pair):
    node = cluster.nodes[0]
    token = cluster.token(pair.teacher)
    with pytest.raises(websockets.InvalidStatusCode):
        await Client.open(node.ws_url, token, origin="https://app.example")
    node.set("http", allowed_origins="https://app.example")
    await reloaded(node)
    client = await Client.open(node.ws_url, token, origin="https://app.example")
    await client.close()


async def test_reloads_under_load_lose_nothing(cluster, connect, pair):
    node = cluster.nodes[0]
    teacher, student = await connect(pair.teacher), await connect(pair.student)

    async def talk():
        for n in range(200):
            await teacher.send(pair.room, str(n))

    talking = asyncio.create_task(talk())
    for n in range(5):
        node.set("limits", requests_per_s=5000 + n)
        await reloaded(node)
    await talking
    await student.expect("message", seq=200)


# wss


def make_certificate(folder, name, days=30):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", str(days), "-subj", f"/CN={name}", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    key.chmod(0o600)
    return key, certificate


@pytest.fixture
def secure(make_cluster, tmp_path):
    key, certificate = make_certificate(tmp_path, "first")
    live_key, live_certificate = tmp_path / "live.key", tmp_path / "live.pem"
    live_key.touch(mode=0o600)
    live_key.write_bytes(key.read_bytes())
    live_certificate.write_bytes(certificate.read_bytes())
    cluster = make_cluster(listen={"tls_certificate": live_certificate, "tls_key": live_key})
    yield cluster
    cluster.destroy()


def served_certificate(node):
    return ssl.get_server_certificate(("127.0.0.1", node.port))


async def test_wss_and_https(secure):
    node = secure.nodes[0]
    pair = people.add_pair(secure)
    teacher = await Client.open(node.ws_url, secure.token(pair.teacher))
    student = await Client.open(node.ws_url, secure.token(pair.student), how="subprotocol")
    for n in range(20):
        await teacher.send(pair.room, prose(450, seed=n))
    await student.expect("message", seq=20)
    answer = await rest(node, "GET", "/api/chats", token=secure.token(pair.teacher))
    assert answer.status == 200 and len(answer.json["rooms"]) == 1
    assert node.metric("chatgate_connections", transport="wss") == 2
    expiry = node.metric("chatgate_tls_certificate_expiry_timestamp_seconds")
    assert 29 * 86400 < expiry - time.time() < 31 * 86400
    await teacher.close()
    await student.close()


async def test_plain_text_on_the_tls_port_is_dropped(secure):
    socket = await Raw.connect(secure.nodes[0], tls=False)
    await socket.write("GET /api/chats HTTP/1.1\r\nHost: x\r\n\r\n")
    assert not (await socket.at_end()).startswith(b"HTTP/1.1 2")
    await socket.close()


async def test_only_http_1_1_and_tls_1_2_up(secure):
    node = secure.nodes[0]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port, ssl=context)
    tls = writer.get_extra_info("ssl_object")
    assert tls.selected_alpn_protocol() in ("http/1.1", None)
    assert tls.version() in ("TLSv1.2", "TLSv1.3")
    writer.close()
    old = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{node.port}", "-tls1_1",
         "-cipher", "ALL:@SECLEVEL=0"],
        input="", capture_output=True, text=True, timeout=20,
    )
    assert "Protocol  : TLSv1.1" not in old.stdout or "Cipher    : 0000" in old.stdout


async def test_a_new_certificate_by_reload(secure, tmp_path):
    node = secure.nodes[0]
    pair = people.add_pair(secure)
    client = await Client.open(node.ws_url, secure.token(pair.teacher))
    first = await asyncio.to_thread(served_certificate, node)
    key, certificate = make_certificate(tmp_path, "second")
    (tmp_path / "live.key").write_bytes(key.read_bytes())
    (tmp_path / "live.pem").write_bytes(certificate.read_bytes())
    await reloaded(node)
    assert await asyncio.to_thread(served_certificate, node) == certificate.read_text() != first
    assert client.is_open
    await client.send(pair.room, "still here")
    later = await Client.open(node.ws_url, secure.token(pair.student))
    await later.close()
    await client.close()


@pytest.mark.parametrize("damage", ["garbage", "key of another", "empty"])
async def test_a_bad_certificate_is_not_taken(secure, tmp_path, damage):
    node = secure.nodes[0]
    first = await asyncio.to_thread(served_certificate, node)
    key, certificate = make_certificate(tmp_path, "other")
    if damage == "key of another":
        (tmp_path / "live.key").write_bytes(key.read_bytes())
    else:
        (tmp_path / "live.pem").write_text("" if damage == "empty" else "no certificate")
    await reloaded(node, "failed")
    assert await asyncio.to_thread(served_certificate, node) == first
    pair = people.add_pair(secure)
    client = await Client.open(node.ws_url, secure.token(pair.teacher))
    await client.close()


async def test_a_silent_tls_handshake_is_dropped(make_cluster, tmp_path):
    key, certificate = make_certificate(tmp_path, "slow")
    secure = make_cluster(
        listen={"tls_certificate": certificate, "tls_key": key}, http={"header_timeout_ms": 500}
    )
    socket = await Raw.connect(secure.nodes[0], tls=False)
    begun = time.monotonic()
    await socket.at_end(timeout=20)
    assert time.monotonic() - begun < 15
    await socket.close()
