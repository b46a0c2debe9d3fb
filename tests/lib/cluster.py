# SPDX-License-Identifier: Apache-2.0
"""A whole installation for a test: Postgres, Redis and gateway nodes, in temporary folders.

Each part can be started, stopped, killed and frozen by itself. The program under test is
$CHATGATE_BIN.
"""

import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

import psycopg

import metrics
from services import Postgres, Redis, wait_until
from tokens import Hs256

ROOT = pathlib.Path(__file__).resolve().parents[2]
WS_PATH = "/ws"
READY_TIMEOUT_S = 30


def chatgate_binary():
    return os.environ.get("CHATGATE_BIN", str(ROOT / ".chatgate/build/gateway/chatgate"))


def free_ports(count):
    """Ports that were free a moment ago. A node that loses the race says so and ends."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


class Node:
    """One gateway process. Its settings may be changed between start and reload or restart."""

    def __init__(self, folder, name, settings):
        self.name = name
        self.folder = folder
        self.settings = {section: dict(keys) for section, keys in settings.items()}
        self.port, self.admin_port = free_ports(2)
        self.set("listen", port=self.port, admin_port=self.admin_port, address="127.0.0.1")
        self.set("node", name=name)
        self.log = folder / f"{name}.log"
        self.ini = folder / f"{name}.ini"
        self.process = None
        self.environment = {}  # beside our own
        self.tls = False  # what it serves: the settings may have changed since it started

    def set(self, section, **keys):
        self.settings.setdefault(section, {}).update(keys)

    def write_config(self):
        text = "".join(
            f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
            for section, keys in self.settings.items()
        )
        self.ini.touch(mode=0o600)
        self.ini.write_text(text)

    @property
    def ws_url(self):
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}{WS_PATH}"

    @property
    def http_url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def admin_url(self):
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def start(self, wait=True):
        self.write_config()
        self.tls = bool(self.settings["listen"].get("tls_certificate"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [chatgate_binary(), "serve", "--config", str(self.ini)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**clean_environment(), **self.environment},
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s=READY_TIMEOUT_S):
        wait_until(self._ready_or_dead, timeout_s, f"{self.name} is ready")

    def _ready_or_dead(self):
        assert self.running, f"{self.name} ended ({self.process.returncode}):\n{self.log_tail()}"
        return self.probe("/readyz") == 200

    def probe(self, path):
        """The HTTP status of a path on the admin port, None if nobody answers."""
        try:
            with urllib.request.urlopen(self.admin_url + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metrics(self):
        return metrics.scrape(self.admin_url)

    def metric(self, name, **labels):
        return metrics.value(self.metrics(), name, **labels)

    def log_tail(self, characters=4000):
        return self.log.read_text(errors="replace")[-characters:]

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.write_config()
        self.signal(signal.SIGHUP)

    def wait(self, timeout_s=30):
        """Waits for the process' end; returns its exit status."""
        return self.process.wait(timeout_s)

    def stop(self, timeout_s=30):
        if not self.running:
            return self.process.returncode if self.process else None
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        if self.running:
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.stop()
        self.start()


def clean_environment():
    """Our own, without what would reach into the configuration of a node."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CHATGATE_", "PG")) and name != "JOURNAL_STREAM"
    }


def run_chatgate(*arguments, **options):
    """Runs a subcommand to its end; returns the CompletedProcess with text output."""
    return subprocess.run(
        [chatgate_binary(), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**clean_environment(), **options.pop("env", {})},
        **options,
    )


# Limits that no ordinary test should meet; those about limits set their own.
GENEROUS = {
    "limits": {
        "messages_per_s": 5000,
        "message_burst": 5000,
        "requests_per_s": 5000,
        "opens_per_minute": 10000,
        "connections_per_user": 100,
    },
    "auth": {"bcrypt_cost": 4, "login_attempts": 1000},
    "drain": {"window_s": 1},
    "log": {"level": "debug", "format": "json"},
}


# Rules that hold who writes faster than people do, as tests and benches do; those about floods
# switch them on.
TOO_FAST_FOR_PEOPLE = ("spam.rate", "spam.repeat")


class Cluster:
    """Nodes over one database and one Redis.

    settings: {"section": {"key": value}}, over GENEROUS. postgres, redis: servers to share; own
    ones are made where they are not given, and destroyed with the cluster. start=False leaves the
    nodes to the test.
    """

    def __init__(self, nodes=2, settings=None, postgres=None, redis=None, start=True):
        self.owned = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chatgate-test-", dir="/tmp"))
        self.postgres = postgres or self._own(Postgres())
        self.redis = redis or self._own(Redis())
        self.database = f"test_{secrets.token_hex(6)}"
        self.signer = Hs256(secrets.token_hex(32))
        ensure_template(self.postgres)
        self.postgres.create_database(self.database)
        base = self._settings(settings or {})
        self.nodes = [Node(self.folder, f"node{n + 1}", base) for n in range(nodes)]
        self._db = threading.local()
        if start:
            try:
                self.start()
            except BaseException:
                self.destroy()
                raise

    def _own(self, service):
        self.owned.append(service)
        return service

    def _settings(self, overrides):
        settings = {
            "database": {"url": self.postgres.url(self.database)},
            "redis": {"url": self.redis.url, "key": secrets.token_hex(32)},
            "auth": {"hs256_secret": self.signer.secret.decode()},
            "messages": {"text_key": secrets.token_hex(32)},
        }
        for extra in (GENEROUS, overrides):
            for section, keys in extra.items():
                settings.setdefault(section, {}).update(keys)
        return settings

    def start(self):
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()

    def token(self, user, ttl_s=3600, **more):
        """A good token, minted here and not by the program under test."""
        return self.signer.mint(getattr(user, "id", user), ttl_s, **more)

    @property
    def db(self):
        """A connection as operator, one a thread; reconnects after Postgres was away."""
        db = getattr(self._db, "connection", None)
        if db is None or db.closed or db.broken:
            self._db.connection = db = self.postgres.connect(self.database)
        return db

    def query(self, sql, *parameters):
        """All rows of a statement. A connection that died with its server is made anew."""
        try:
            cursor = self.db.execute(sql, parameters)
        except psycopg.OperationalError:
            cursor = self.db.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []

    def destroy(self):
        for node in self.nodes:
            node.kill()
        db = getattr(self._db, "connection", None)
        if db is not None:
            db.close()
        if self.postgres.running and self.postgres not in self.owned:
            self.postgres.drop_database(self.database)
        for service in self.owned:
            service.destroy()
        shutil.rmtree(self.folder, ignore_errors=True)


def ensure_template(postgres):
    """Migrates a server's template database once: a copy of it is faster than migrating anew."""
    if postgres.template_ready:
        return
    done = run_chatgate(
        "migrate", "up", env={"CHATGATE_DATABASE_URL": postgres.url("chatgate_template")}
    )
    assert done.returncode == 0, f"migrate up failed ({done.returncode}):\n{done.stdout}{done.stderr}"
    with postgres.connect("chatgate_template") as db:
        for rule in TOO_FAST_FOR_PEOPLE:
            db.execute("SELECT chatgate_put_rule(%s, 'tests')", (f"override {rule}\n  state off\n",))
    postgres.template_ready = True
