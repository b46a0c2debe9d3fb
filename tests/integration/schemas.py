# SPDX-License-Identifier: Apache-2.0
"""Checks what travels against protocol/schema. Every frame and body that a test sees comes here."""

import functools
import json
import pathlib
import re

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "protocol/schema"

# What answers a REST request, where it is good. Errors are rest/error.json everywhere.
BODIES = [
    ("POST", r"/api/auth/(login|refresh)", "login"),
    ("POST", r"/api/chats/get-or-create", "room"),
    ("GET", r"/api/chats", "rooms"),
    ("GET", r"/api/chats/[^/]+/messages", "history"),
    ("POST", r"/api/chats/[^/]+/messages", "sent"),
    ("POST", r"/api/chats/[^/]+/read", "read"),
    ("GET", r"/api/moderation/queue", "queue"),
    ("POST", r"/api/moderation/messages/[^/]+/verdict", "verdict"),
]


@functools.cache
def _documents():
    """All schemas by their address; files refer to each other by relative paths."""
    return {path.as_uri(): json.loads(path.read_text()) for path in FOLDER.rglob("*.json")}


@functools.cache
def validator(name):
    """The validator of FOLDER/name.json, or None if there is no such file."""
    address = (FOLDER / f"{name}.json").as_uri()
    schema = _documents().get(address)
    if schema is None:
        return None
    resolver = jsonschema.RefResolver(address, schema, store=_documents())
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def _check(name, value):
    check = validator(name)
    assert check is not None, f"protocol/schema has no {name}.json"
    problem = jsonschema.exceptions.best_match(check.iter_errors(value))
    assert problem is None, (
        f"{name}: {problem.message} at /{'/'.join(map(str, problem.absolute_path))} of {value}"
    )


def check_event(frame):
    """A frame of the server. An answer to queue.decide has a schema of its own."""
    name = frame["t"]
    if name == "queue.decided" and "re" in frame:
        name = "queue.results"
    _check(f"server/{name}", frame)


def check_command(frame):
    """A frame of ours: a test that sends a wrong one on purpose does not ask."""
    _check(f"client/{frame['t']}", frame)


def check_body(method, path, answer):
    """The JSON body of a REST answer."""
    if answer.status >= 400:
        _check("rest/error", answer.json)
        return
    path = path.partition("?")[0]
    for known, pattern, name in BODIES:
        if known == method and re.fullmatch(pattern, path):
            _check(f"rest/{name}", answer.json)
            return
