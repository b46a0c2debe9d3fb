# SPDX-License-Identifier: Apache-2.0
"""Who gets in, for how long, and how fast somebody is out."""

import asyncio
import hashlib
import hmac
import json
import time

import pytest

import people
import tokens
from client import Client, Closed
from cluster import run_chatgate
from raw import Raw
from rest import rest


@pytest.fixture(scope="module")
def keys():
    return {
        "rs": tokens.Rs256("rs"),
        "es": tokens.Es256("es"),
        "ed": tokens.EdDsa("ed"),
        "weak": tokens.Rs256("weak", bits=1024),
    }


@pytest.fixture(scope="module")
def cluster(make_cluster, keys, tmp_path_factory):
    """Keys of every algorithm, and an issuer and an audience."""
    folder = tmp_path_factory.mktemp("keys")
    listed = []
    for kid in ("rs", "es", "ed"):
        (folder / f"{kid}.pem").write_bytes(keys[kid].public_pem)
        listed.append(f"{kid}:{ {'ed': 'EdDSA'}.get(kid, kid.upper() + '256')}:{folder}/{kid}.pem")
    return make_cluster(
        nodes=2,
        auth={
            "keys": ", ".join(listed),
            "issuer": "https://id.example",
            "audience": "chatgate",
            "leeway_s": 0,
        },
    )


GOOD = {"iss": "https://id.example", "aud": "chatgate"}


@pytest.fixture
def mint(cluster):
    def mint(user, signer=None, **more):
        return (signer or cluster.signer).mint(user.id, **{**GOOD, **more})

    return mint


async def upgrade_status(node, token):
    socket = await Raw.connect(node)
    try:
        await socket.write(socket.upgrade_request(token))
        response = await socket.response()
        return response and response.status
    finally:
        await socket.close()


@pytest.mark.parametrize("kid", ["rs", "es", "ed"])
async def test_every_algorithm(cluster, keys, mint, pair, kid):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher, keys[kid]))
    assert client.user == pair.teacher.id
    await client.close()


async def test_audience_may_be_a_list(cluster, mint, pair):
    assert await upgrade_status(cluster.nodes[0], mint(pair.teacher, aud=["x", "chatgate"])) == 101


BAD_CLAIMS = {
    "no exp": {"exp": None},
    "exp as text": {"exp": "9999999999"},
    "exp is a fraction": {"exp": 9999999999.5},
    "exp zero": {"exp": 0},
    "exp negative": {"exp": -1},
    "nbf ahead": {"nbf": int(time.time()) + 3600},
    "nbf as text": {"nbf": "0"},
    "wrong iss": {"iss": "https://evil.example"},
    "no iss": {"iss": None},
    "wrong aud": {"aud": "other"},
    "aud list without us": {"aud": ["a", "b"]},
    "empty aud list": {"aud": []},
    "no aud": {"aud": None},
    "no sub": {"sub": None},
    "sub is no uuid": {"sub": "admin"},
    "sub is a number": {"sub": 1},
    "sub with SQL": {"sub": "' OR 1=1 --"},
    "role is an object": {"role": {"a": 1}},
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
async def test_bad_claim_is_401(cluster, mint, pair, case):
    assert await upgrade_status(cluster.nodes[0], mint(pair.teacher, **BAD_CLAIMS[case])) == 401


def bad_tokens(cluster, keys, user):
    """name -> a token that must not be accepted, however much of it is right."""
    signer = cluster.signer
    claims = tokens.claims_for(user.id, **GOOD)
    header = signer.header()

    def compact(changes=None, sign=signer.sign, body=claims):
        return tokens.compact({**header, **(changes or {})}, body, sign)

    good = compact()
    head, payload, signature = good.split(".")
    rs_pem = keys["rs"].public_pem

    def confused(data):
        return hmac.new(rs_pem, data, hashlib.sha256).digest()

    es = keys["es"]
    weak = keys["weak"]
    doubled = json.dumps(claims)[:-1] + f', "sub": "{user.id}"}}'
    huge_exp = json.dumps({**claims, "exp": 0}).replace('"exp": 0', '"exp": 1e400').encode()
    return {
        "alg none": compact({"alg": "none"}, lambda data: b""),
        "alg nOnE": compact({"alg": "nOnE"}, lambda data: b""),
        "alg none, dots": f"{tokens.b64(json.dumps({'alg': 'none'}).encode())}.{payload}.",
        "RS256 to HS256": compact({"alg": "HS256", "kid": "rs"}, confused),
        "HS256 key as RS256": compact({"alg": "RS256", "kid": "default"}),
        "another algorithm of the same key": compact({"alg": "HS384"}),
        "unknown crit": compact({"crit": ["x"], "x": 1}),
        "empty crit": compact({"crit": []}),
        "b64 false": compact({"b64": False, "crit": ["b64"]}),
        "kid with a path": compact({"kid": "../../../../dev/null"}, lambda d: hmac.new(b"", d, hashlib.sha256).digest()),
        "kid with SQL": compact({"kid": "x' UNION SELECT 'key"}),
        "unknown kid": compact({"kid": "nobody"}),
        "kid is a number": compact({"kid": 1}),
        "empty key": compact(sign=lambda data: hmac.new(b"", data, hashlib.sha256).digest()),
        "embedded jwk": tokens.compact(
            {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}, "kid": "jwk"}, claims,
            lambda data: hmac.new(b"\0\0\0", data, hashlib.sha256).digest(),
        ),
        "jku": compact({"jku": "https://evil.example/keys", "kid": "evil"}),
        "x5u": compact({"x5u": "https://evil.example/cert", "kid": "evil"}),
        "wrong typ": compact({"typ": "JWE"}),
        "wrong signature": f"{head}.{payload}.{tokens.b64(bytes(32))}",
        "signature cut": good[:-4],
        "no signature": f"{head}.{payload}.",
        "padding": good + "=",
        "non-canonical base64url": good[:-1] + chr(ord(good[-1]) + 1),
        "standard base64": good.replace("-", "+").replace("_", "/") + "+",
        "blank inside": f"{head}. {payload}.{signature}",
        "two parts": f"{head}.{payload}",
        "four parts": good + ".x",
        "five parts": f"{head}..{payload}.{signature}.{signature}",
        "claims of another": f"{head}.{tokens.b64(json.dumps({**claims, 'sub': '0' * 8 + user.id[8:]}).encode())}.{signature}",
        "claims are a list": tokens.compact(header, b"[]", signer.sign),
        "claims are no JSON": tokens.compact(header, b"sub=admin", signer.sign),
        "header is no JSON": tokens.compact(b"{", claims, signer.sign),
        "doubled claim": tokens.compact(header, doubled.encode(), signer.sign),
        "exp 1e400": tokens.compact(header, huge_exp, signer.sign),
        "ES256 signature in DER": tokens.compact(es.header(), claims, es.sign_der),
        "ES256 signature of zeros": tokens.compact(es.header(), claims, lambda data: bytes(64)),
        "weak RSA": tokens.compact({**weak.header(), "kid": "rs"}, claims, weak.sign),
        "empty": "",
        "only dots": "..",
    }


async def test_bad_tokens_are_401(cluster, keys, pair):
    wrong = {}
    for case, token in bad_tokens(cluster, keys, pair.teacher).items():
        status = await upgrade_status(cluster.nodes[0], token)
        if status != 401:
            wrong[case] = status
    # "non-canonical": where the last character's low bits were not zero, it is another signature
    assert wrong == {}


async def test_bad_tokens_in_hello_are_4500(cluster, keys, pair):
    for case, token in list(bad_tokens(cluster, keys, pair.teacher).items())[:6]:
        with pytest.raises(Closed) as closed:
            await Client.open(cluster.nodes[0].ws_url, token, how="hello")
        assert closed.value.code == 4500, case


async def test_soft_deleted_user_is_refused(cluster, mint, pair):
    cluster.query(
        "UPDATE users SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s", pair.teacher.id
    )
    with pytest.raises(Exception) as refusal:
        await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher))
    assert getattr(refusal.value, "code", None) == 4500 or refusal.value.status_code == 401


async def test_the_databases_role_beats_the_claim(cluster, mint, pair):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.student, role="moderator"))
    assert client.welcome["user"]["role"] == "student"
    assert (await client.refused("queue.watch")).code == "forbidden"
    await client.close()


# A connection's life ends with its token's, unless it is refreshed.


async def test_a_token_that_runs_out_is_4004(cluster, mint, pair):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher, ttl_s=3))
    expiring = await client.expect("expiring", timeout=5)
    assert 0 <= expiring["in_s"] <= 3
    begun = time.monotonic()
    assert await client.closed() == 4004
    assert time.monotonic() - begun < 5


async def test_refresh_prolongs(cluster, mint, pair):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher, ttl_s=3))
    answer = await client.request("refresh", token=mint(pair.teacher, ttl_s=600))
    assert answer["t"] == "refreshed" and answer["expires_at"] > client.welcome["expires_at"]
    await asyncio.sleep(4)
    assert client.is_open
    await client.close()


async def test_refresh_with_a_bad_token_changes_nothing(cluster, mint, pair):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher))
    assert (await client.refused("refresh", token="no.such.token")).code == "unauthorized"
    assert (
        await client.refused("refresh", token=mint(pair.teacher, ttl_s=-60))
    ).code in ("token_expired", "unauthorized")
    await client.send(pair.room, "still here")
    await client.close()


async def test_refresh_keeps_the_user(cluster, mint, pair):
    client = await Client.open(cluster.nodes[0].ws_url, mint(pair.teacher))
    try:
        refusal = await client.refused("refresh", token=mint(pair.student))
        assert refusal.code in ("forbidden", "unauthorized")
        assert (await client.send(pair.room, "x"))["seq"] == 1
    except Closed as closed:
        assert closed.code == 4500
    await client.abort()


# Kick, suspend, demote, delete: on all nodes, within two seconds.

OUT = {
    "kick": "INSERT INTO user_access (user_id, valid_after) VALUES (%s, now())"
    " ON CONFLICT (user_id) DO UPDATE SET valid_after = excluded.valid_after",
    "suspend": "INSERT INTO user_access (user_id, suspended_until)"
    " VALUES (%s, now() + interval '1 hour')"
    " ON CONFLICT (user_id) DO UPDATE SET suspended_until = excluded.suspended_until",
    "delete": "UPDATE users SET deleted_at = now() AT TIME ZONE 'utc' WHERE id = %s",
    "demote": "UPDATE users SET role = 'student' WHERE id = %s",
}


@pytest.mark.parametrize("how", OUT)
async def test_out_within_two_seconds_on_all_nodes(cluster, mint, make_user, how):
    await asyncio.sleep(1.1)  # a token of this very second is not older than the kick
    user = make_user("moderator")
    token = mint(user, iat=int(time.time()) - 5)
    devices = [await Client.open(node.ws_url, token) for node in cluster.nodes]
    await devices[0].request("queue.watch")
    cluster.query(OUT[how], user.id)
    begun = time.monotonic()
    codes = await asyncio.gather(*(device.closed(timeout=6) for device in devices))
    assert codes == [4502, 4502]
    assert time.monotonic() - begun < 2.5
    if how == "demote":
        back = await Client.open(cluster.nodes[0].ws_url, token)
        assert back.welcome["user"]["role"] == "student"
        await back.close()
    else:
        with pytest.raises(Exception):
            await Client.open(cluster.nodes[0].ws_url, token)
    if how == "kick":  # a token minted after it is good
        await asyncio.sleep(1.1)
        later = await Client.open(cluster.nodes[0].ws_url, mint(user))
        await later.close()


async def test_out_with_redis_away(make_cluster, make_user):
    alone = make_cluster(nodes=1, own_redis=True)
    user = people.add_user(alone, "teacher")
    client = await Client.open(alone.nodes[0].ws_url, alone.token(user, iat=int(time.time()) - 5))
    await asyncio.to_thread(alone.redis.stop)
    alone.query(OUT["delete"], user.id)
    begun = time.monotonic()
    assert await client.closed(timeout=6) == 4502
    assert time.monotonic() - begun < 2.5


# Password login over REST.


@pytest.fixture
def add_account(cluster):
    """An account made by `chatgate user add`, as a new installation does."""

    def add(password):
        email = f"{tokens.b64(hashlib.sha256(password.encode()).digest())[:12]}@test.example".lower()
        done = run_chatgate_with_input(cluster, email, password)
        assert done.returncode == 0, done.stderr
        return email

    return add


def run_chatgate_with_input(cluster, email, password):
    import subprocess

    from cluster import chatgate_binary, clean_environment

    return subprocess.run(
        [chatgate_binary(), "user", "add", "--config", str(cluster.nodes[0].ini), "--email", email,
         "--role", "teacher", "--first-name", "Ada", "--last-name", "L"],
        input=password + "\n", text=True, capture_output=True, timeout=60, env=clean_environment(),
    )


async def test_login_gives_a_token_that_works(cluster, add_account):
    email = add_account("correct horse battery staple")
    answer = await rest(
        cluster.nodes[0], "POST", "/api/auth/login",
        {"email": email, "password": "correct horse battery staple"},
    )
    assert answer.status == 200
    client = await Client.open(cluster.nodes[1].ws_url, answer.json["token"])
    assert client.welcome["user"]["role"] == "teacher"
    await client.close()
    refreshed = await rest(
        cluster.nodes[1], "POST", "/api/auth/refresh", {}, token=answer.json["token"]
    )
    assert refreshed.status == 200 and refreshed.json["token"]


async def test_wrong_password_and_unknown_email_look_the_same(cluster, add_account):
    email = add_account("another password")
    wrong = await rest(
        cluster.nodes[0], "POST", "/api/auth/login", {"email": email, "password": "guess"}
    )
    unknown = await rest(
        cluster.nodes[0], "POST", "/api/auth/login",
        {"email": "nobody@test.example", "password": "guess"},
    )
    assert wrong.status == unknown.status == 401
    assert wrong.json == unknown.json


@pytest.mark.parametrize("setting", ["", "*0", "x", "$2b$04$short", "plain-text-password"])
async def test_odd_password_hashes_are_refused(cluster, make_user, setting):
    user = make_user("student", password_hash=setting)
    answer = await rest(
        cluster.nodes[0], "POST", "/api/auth/login", {"email": user.email, "password": setting or "x"}
    )
    assert answer.status == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"email": "a@b.c"}, {"email": 1, "password": "x"}, {"email": "a@b.c", "password": None}],
)
async def test_login_bodies_that_are_wrong(cluster, body):
    assert (await rest(cluster.nodes[0], "POST", "/api/auth/login", body)).status == 400


async def test_tokens_of_the_command_line_work(cluster, pair):
    done = run_chatgate(
        "token", "mint", "--config", str(cluster.nodes[0].ini), "--user", pair.teacher.id,
        "--ttl", "60",
    )
    assert done.returncode == 0, done.stderr
    client = await Client.open(cluster.nodes[0].ws_url, done.stdout.strip())
    assert client.user == pair.teacher.id
    await client.close()
