# SPDX-License-Identifier: Apache-2.0
"""deploy/nginx/chatgate.conf in Debian's nginx, in front of two nodes."""

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest

from client import Client, insecure_tls
from cluster import ROOT, free_ports
from services import wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONF = ROOT / "deploy/nginx/chatgate.conf"

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx: apt install nginx")


class Proxy:
    """nginx with the shipped file, whose ports, paths and nodes are a test's."""

    def __init__(self, cluster, folder):
        self.folder = folder
        plain, self.port = free_ports(2)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", folder / "key.pem",
             "-out", folder / "chain.pem"],
            check=True, capture_output=True,
        )
        text = CONF.read_text()
        for pattern, put in [
            (r"(?m)^ *listen \[::\].*\n", ""),
            (r"listen 80;", f"listen 127.0.0.1:{plain};"),
            (r"listen 443 ", f"listen 127.0.0.1:{self.port} "),
            (r"/etc/letsencrypt/live/chat.example.com/fullchain.pem", f"{folder}/chain.pem"),
            (r"/etc/letsencrypt/live/chat.example.com/privkey.pem", f"{folder}/key.pem"),
            (r"/var/log/nginx/chatgate.log", f"{folder}/access.log"),
            (r"127\.0\.0\.1:8081", f"127.0.0.1:{cluster.nodes[0].port}"),
            (r"127\.0\.0\.1:8082", f"127.0.0.1:{cluster.nodes[1].port}"),
        ]:
            text, count = re.subn(pattern, put, text)
            assert count > 0, f"{pattern} is not in {CONF}"
        self.main = folder / "nginx.conf"
        paths = "".join(
            f"    {kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.main.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ }}\nhttp {{\n    access_log {folder}/other.log;\n{paths}{text}}}\n"
        )
        self.command = [NGINX, "-p", str(folder), "-c", str(self.main), "-e", f"{folder}/error.log"]
        self.process = None

    def test(self):
        return subprocess.run([*self.command, "-t"], capture_output=True, text=True)

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.get("/")[0] == 200, 10, "nginx serves")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def get(self, path, **headers):
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5, context=insecure_tls()) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return None, b""

    def log(self):
        return (self.folder / "access.log").read_text()


@pytest.fixture(scope="module")
def cluster(make_cluster):
    return make_cluster(2, http={"trusted_proxies": "127.0.0.1"})


@pytest.fixture(scope="module")
def proxy(cluster, tmp_path_factory):
    proxy = Proxy(cluster, tmp_path_factory.mktemp("nginx"))
    checked = proxy.test()
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    proxy.start()
    yield proxy
    proxy.stop()


async def test_wss_through_nginx(cluster, proxy, pair):
    url = f"wss://127.0.0.1:{proxy.port}/ws"
    origin = f"https://127.0.0.1:{proxy.port}"
    clients = []
    try:
        for user in (pair.teacher, pair.student):
            clients.append(await Client.open(
                url, cluster.token(user), origin=origin, how="subprotocol", ssl=insecure_tls()
            ))
        teacher, student = clients
        await teacher.request("send", room=pair.room, cid="018f6d1e-7b7a-7c3f-9f5e-1d2c3b4a5968",
                              text="through nginx")
        message = await student.expect("message")
        assert message["text"] == "through nginx"
    finally:
        for client in clients:
            await client.close()


async def test_rest_through_nginx(cluster, proxy, pair):
    status, body = proxy.get("/api/chats", Authorization=f"Bearer {cluster.token(pair.teacher)}")
    assert status == 200 and json.loads(body)["rooms"][0]["id"] == pair.room


async def test_no_token_gets_into_nginxs_log(cluster, proxy, pair):
    token = cluster.token(pair.teacher)
    proxy.get(f"/api/chats?access_token={token}", Authorization=f"Bearer {token}")
    wait_until(lambda: "GET /api/chats" in proxy.log(), 5, "nginx logs")
    assert token not in proxy.log() and "access_token" not in proxy.log()


async def test_metrics_are_not_for_the_public(proxy):
    status, body = proxy.get("/metrics")
    assert status == 404 and b"chatgate_" not in body


async def test_a_node_that_leaves_is_passed_over(cluster, proxy):
    cluster.nodes[0].stop()
    try:
        assert [proxy.get("/")[0] for _ in range(6)] == [200] * 6
    finally:
        cluster.nodes[0].start()
