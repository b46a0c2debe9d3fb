# SPDX-License-Identifier: Apache-2.0
"""Text frames that are no good requests: an error each, and the connection lives on."""

import json

import pytest

ROOM = "00000000-0000-4000-8000-000000000001"
CID = "00000000-0000-4000-8000-000000000002"


def send(**changes):
    request = {"t": "send", "id": 2, "room": ROOM, "cid": CID, "text": "x", **changes}
    return json.dumps({key: value for key, value in request.items() if value is not None})


def send_raw(**changes):
    """As send(), with values as JSON text."""
    request = {"t": '"send"', "id": "2", "room": f'"{ROOM}"', "cid": f'"{CID}"', "text": '"x"', **changes}
    return "{" + ",".join(f'"{key}":{value}' for key, value in request.items()) + "}"


BAD = {
    "duplicate key": '{"t":"rooms","id":2,"id":3}',
    "duplicate key, escaped": '{"t":"rooms","id":2,"\\u0069d":3}',
    "depth 17": '{"t":"rooms","id":2,"x":' + "[" * 16 + "]" * 16 + "}",
    "depth 30,000": '{"t":"rooms","id":2,"x":' + "[" * 30000,
    "trailing bytes": '{"t":"rooms","id":2} x',
    "two objects": '{"t":"rooms","id":2}{"t":"rooms","id":3}',
    "BOM": '\ufeff{"t":"rooms","id":2}',
    "lone surrogate": send_raw(text='"\\ud800"'),
    "lone low surrogate": send_raw(text='"\\udc00x"'),
    "escaped NUL": send_raw(text='"a\\u0000b"'),
    "NUL in a key": '{"t":"rooms","id":2,"a\\u0000b":1}',
    "1e999": send_raw(id="1e999"),
    "beyond int64": send_raw(id="9223372036854775808"),
    "far beyond int64": send_raw(id="1" * 400),
    "1.0 for an integer": send_raw(id="2.0"),
    "-0 for an integer": send_raw(id="-0"),
    "exponent for an integer": send_raw(id="2e0"),
    "NaN": send_raw(id="NaN"),
    "Infinity": send_raw(id="Infinity"),
    "hex": send_raw(id="0x2"),
    "leading zero": send_raw(id="02"),
    "array at the root": '[{"t":"rooms","id":2}]',
    "string at the root": '"rooms"',
    "null at the root": "null",
    "unknown t": '{"t":"no.such.thing","id":2}',
    "t missing": '{"id":2}',
    "t is a number": '{"t":1,"id":2}',
    "t is login": '{"t":"login","id":2,"email":"a@b.c","password":"x"}',
    "10,000 keys": "{" + ",".join(f'"k{n}":0' for n in range(6000)) + ',"t":"rooms","id":2}',
    "empty": "",
    "blank": "   ",
    "cut": '{"t":"rooms","id":',
    "single quotes": "{'t':'rooms','id':2}",
    "comment": '{"t":"rooms",/* */"id":2}',
    "trailing comma": '{"t":"rooms","id":2,}',
    "control character in a string": '{"t":"rooms","id":2,"x":"a\nb"}',
    "id missing": send(id=None),
    "id 0": send(id=0),
    "id negative": send(id=-1),
    "id is a string": send(id="2"),
    "id is null": send_raw(id="null"),
    "id is true": send(id=True),
    "room missing": send(room=None),
    "room is no uuid": send(room="x"),
    "room with braces": send(room="{" + ROOM + "}"),
    "room without dashes": send(room=ROOM.replace("-", "")),
    "room is a number": send(room=1),
    "cid missing": send(cid=None),
    "cid is no uuid": send(cid="0000"),
    "cid with blanks": send(cid=f" {CID}"),
    "text missing": send(text=None),
    "text is a number": send(text=1),
    "text is an object": send(text={"a": 1}),
    "text is empty": send(text=""),
    "text is blank": send(text=" \n\t\u3000"),
    "history both ways": json.dumps({"t": "history", "id": 2, "room": ROOM, "before": 1, "after": 1}),
    "history limit 0": json.dumps({"t": "history", "id": 2, "room": ROOM, "limit": 0}),
    "history limit negative": json.dumps({"t": "history", "id": 2, "room": ROOM, "limit": -5}),
    "history before 0.5": json.dumps({"t": "history", "id": 2, "room": ROOM, "before": 0.5}),
    "read negative": json.dumps({"t": "read", "id": 2, "room": ROOM, "seq": -1}),
    "sync of a list": json.dumps({"t": "sync", "id": 2, "rooms": [ROOM]}),
    "sync of nothing": json.dumps({"t": "sync", "id": 2, "rooms": {}}),
    "sync with a bad cursor": json.dumps({"t": "sync", "id": 2, "rooms": {ROOM: -1}}),
    "sync with a bad room": json.dumps({"t": "sync", "id": 2, "rooms": {"x": 1}}),
    "sync of too many": json.dumps(
        {"t": "sync", "id": 2, "rooms": {f"00000000-0000-4000-8000-{n:012x}": 0 for n in range(201)}}
    ),
    "open without with": '{"t":"open","id":2}',
    "rooms cursor is a number": '{"t":"rooms","id":2,"cursor":5}',
    "rooms cursor is garbage": '{"t":"rooms","id":2,"cursor":"%%%"}',
    "refresh without a token": '{"t":"refresh","id":2}',
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_request(connect, pair, case):
    client = await connect(pair.teacher)
    await client.send_text(BAD[case])
    error = await client.expect("error")
    assert error["code"] in ("bad_request", "too_large"), error
    assert error.get("re") in (None, 2)
    await client.request("rooms", id=10)  # alive


async def test_an_error_names_its_request_where_it_can(connect, pair):
    client = await connect(pair.teacher)
    await client.send_text('{"t":"no.such.thing","id":7}')
    assert (await client.expect("error"))["re"] == 7
    await client.send_text("nonsense")
    assert "re" not in await client.expect("error")


async def test_ids_must_rise(connect, pair):
    client = await connect(pair.teacher)
    await client.request("rooms", id=5)
    for again in (5, 4, 1):
        await client.send_text(json.dumps({"t": "rooms", "id": again}))
        error = await client.expect("error")
        assert error["code"] == "bad_request"
    await client.request("rooms", id=6)


async def test_largest_id(connect, pair):
    client = await connect(pair.teacher)
    largest = (1 << 53) - 1
    assert (await client.request("rooms", id=largest))["re"] == largest


async def test_repeated_bad_requests_are_1008(connect, pair):
    client = await connect(pair.teacher)
    for _ in range(1000):
        try:
            await client.send_text("nonsense")
        except Exception:
            break
    assert await client.closed() == 1008


async def test_unknown_fields_are_ignored(connect, pair):
    client = await connect(pair.teacher)
    answer = await client.send(pair.room, "x", status="delivered", seq=900, sender=pair.student.id)
    assert answer["seq"] == 1
    message = await client.expect("message")
    assert message["from"] == pair.teacher.id


async def test_depth_16_is_read(connect, pair):
    client = await connect(pair.teacher)
    deep = "[" * 15 + "]" * 15
    await client.send_text('{"t":"rooms","id":2,"x":' + deep + "}")
    assert (await client.expect("rooms"))["re"] == 2


async def test_role_is_checked_before_anything_else(connect, pair):
    client = await connect(pair.teacher)
    for t, fields in [
        ("queue.watch", {}),
        ("queue.stats", {}),
        ("queue.claim", {"mid": ROOM}),
        ("queue.decide", {"mid": ROOM, "verdict": "deliver"}),
        ("queue.undo", {"mid": ROOM}),
        ("queue.remove", {"mid": ROOM}),
        ("queue.context", {"mid": ROOM}),
    ]:
        refusal = await client.refused(t, **fields)
        assert refusal.code == "forbidden"
