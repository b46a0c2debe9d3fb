# SPDX-License-Identifier: Apache-2.0
"""The narrow ways past a kick, a demotion and the limits of guessing."""

import asyncio
import time

import pytest

import people
from client import Client
from rest import rest

DEMO_HASH = "$2b$10$UrumnsU9oW3rmg7DAUACl.ogc8HiqW6v5ppogCZOUbM70fRJ25dNS"  # of "demo"


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(nodes=1, auth={"login_attempts": 3})


def end_tokens(cluster, user, at_s):
    cluster.query(
        "INSERT INTO user_access (user_id, valid_after) VALUES (%s, to_timestamp(%s))"
        " ON CONFLICT (user_id) DO UPDATE SET valid_after = excluded.valid_after",
        user.id, at_s,
    )


def login(cluster, user, password):
    return rest(
        cluster.nodes[0], "POST", "/api/auth/login", {"email": user.email, "password": password}
    )


async def test_a_token_of_the_second_of_the_kick_is_ended(cluster, make_user):
    """It may be from before the kick: a token tells its age to the second only."""
    user = make_user("teacher")
    second = int(time.time()) - 5
    token = cluster.token(user, iat=second)
    await (await Client.open(cluster.nodes[0].ws_url, token)).close()
    end_tokens(cluster, user, second + 0.5)
    client = await Client.open(cluster.nodes[0].ws_url, token, greet=False)
    await client.send_text('{"t":"hello","id":1}')
    assert await client.closed() == 4502
    assert (await rest(cluster.nodes[0], "GET", "/api/chats", token=token)).status == 401


async def test_who_signs_in_in_the_second_of_the_kick_is_in(cluster):
    user = people.add_user(cluster, "teacher", password_hash=DEMO_HASH)
    end_tokens(cluster, user, int(time.time()) + 0.999)
    answer = await login(cluster, user, "demo")
    client = await Client.open(cluster.nodes[0].ws_url, answer.json["token"])
    assert client.user == user.id
    await client.close()


async def test_a_refresh_takes_no_older_token(cluster, connect, make_user):
    """It might have been ended before this session began."""
    user = make_user("teacher")
    client = await connect(user)
    older = cluster.token(user, iat=int(time.time()) - 100)
    assert (await client.refused("refresh", token=older)).code == "unauthorized"
    await client.request("refresh", token=cluster.token(user))


async def test_a_demoted_moderator_watches_no_more(cluster, connect, moderator):
    """Found by another session of theirs, before the watch over access finds it."""
    watching = await connect(moderator)
    await watching.request("queue.watch")
    cluster.query("SET session_replication_role = replica")  # no trigger notes the change
    cluster.query("UPDATE users SET role = 'student' WHERE id = %s", moderator.id)
    cluster.query("SET session_replication_role = origin")
    other = await connect(moderator)
    assert other.welcome["user"]["role"] == "student"
    assert await watching.closed() == 4502


async def test_signing_in_often_is_no_guessing(cluster):
    user = people.add_user(cluster, "teacher", password_hash=DEMO_HASH)
    for _ in range(6):
        assert (await login(cluster, user, "demo")).status == 200


async def test_guesses_at_once_are_no_way_around_the_limit(cluster):
    user = people.add_user(cluster, "teacher", password_hash=DEMO_HASH)
    answers = await asyncio.gather(*(login(cluster, user, f"guess {n}") for n in range(12)))
    assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * 9
