# SPDX-License-Identifier: Apache-2.0
"""The admin port: metrics that promtool accepts, health, and nothing private in either."""

import asyncio
import os
import shutil
import subprocess

import pytest

import metrics
from rest import rest

NAMES = """
    chatgate_connections chatgate_connections_closed_total chatgate_handshake_failures_total
    chatgate_messages_received_total chatgate_message_ack_seconds_bucket
    chatgate_delivery_seconds_bucket chatgate_send_queue_bytes
    chatgate_slow_consumers_dropped_total chatgate_rate_limited_total
    chatgate_db_query_seconds_count chatgate_db_pool_connections chatgate_redis_up
    chatgate_event_loop_lag_seconds_count chatgate_moderation_queue_messages
    chatgate_moderation_oldest_seconds chatgate_moderation_decisions_total chatgate_build_info
    chatgate_tls_certificate_expiry_timestamp_seconds process_resident_memory_bytes
    process_open_fds process_cpu_seconds_total
""".split()


async def test_every_promised_metric_is_there(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "x")
    names = {name for name, _ in cluster.nodes[0].metrics()}
    assert [name for name in NAMES if name not in names] == []


@pytest.mark.skipif(
    not os.environ.get("PROMTOOL") and not shutil.which("promtool"), reason="no promtool"
)
async def test_promtool_accepts_them(cluster):
    text = metrics.scrape_text(cluster.nodes[0].admin_url)
    done = await asyncio.to_thread(
        subprocess.run, [os.environ.get("PROMTOOL", "promtool"), "check", "metrics"],
        input=text, capture_output=True, text=True,
    )
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr


async def test_counts_move(cluster, connect, pair):
    node = cluster.nodes[0]
    before = node.metrics()
    teacher = await connect(pair.teacher)
    during = node.metrics()
    for n in range(3):
        await teacher.send(pair.room, str(n))
    await teacher.expect("message", seq=3)
    await teacher.close()
    await asyncio.sleep(0.2)
    after = node.metrics()

    def moved(name, start, end, **labels):
        return metrics.value(end, name, **labels) - metrics.value(start, name, **labels)

    assert moved("chatgate_connections", before, during, transport="ws") == 1
    assert moved("chatgate_connections", before, after, transport="ws") == 0
    assert moved("chatgate_messages_total", before, after, status="delivered") == 3
    assert moved("chatgate_messages_received_total", before, after, type="send") == 3
    assert moved("chatgate_message_ack_seconds_count", before, after) == 3
    assert moved("chatgate_connections_closed_total", before, after, reason="normal") == 1
    assert moved("chatgate_handshake_failures_total", before, after) == 0


async def test_labels_name_no_user_room_or_text(cluster, connect, pair):
    teacher = await connect(pair.teacher)
    await teacher.send(pair.room, "a very particular text")
    text = metrics.scrape_text(cluster.nodes[0].admin_url)
    for private in (pair.teacher.id, pair.student.id, pair.room, "particular", pair.teacher.email):
        assert private not in text


async def test_health(cluster):
    for path in ("/healthz", "/readyz"):
        answer = await rest(cluster.nodes[0], "GET", path, admin=True)
        assert answer.status == 200
    assert (await rest(cluster.nodes[0], "GET", "/api/chats", admin=True)).status == 404


async def test_metrics_are_on_the_admin_port_only(cluster):
    assert (await rest(cluster.nodes[0], "GET", "/metrics")).status == 404
    answer = await rest(cluster.nodes[0], "GET", "/metrics", admin=True)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
