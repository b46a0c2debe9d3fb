# SPDX-License-Identifier: Apache-2.0
"""A private Postgres and a private Redis, each with start, stop, kill, freeze and thaw.

Both listen on Unix sockets only, in a folder that nobody else reads, and never run as root.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import psycopg
import redis

POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
REDIS_BINARY = "/usr/bin/redis-check-rdb"  # of redis-tools: the server, under another name

START_TIMEOUT_S = 30


def wait_until(check, timeout_s, what):
    """Calls check() until it is true; says what was waited for if it never is."""
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


class Service:
    """A child process in a folder of its own, as an unprivileged user where we are root."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"chatgate-{name}-", dir="/tmp"))
        self.process = None
        self.user = None
        if os.geteuid() == 0:
            self.user = _unprivileged_user()
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)

    def _identity(self):
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _run(self, *command):
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self._identity(),
        )
        assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}"

    def _spawn(self, *command, log):
        with open(self.folder / log, "ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self._identity(),
            )

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """Alive for the kernel, but answers nobody."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def _end(self, number, timeout_s=20):
        if not self.running:
            return
        self.signal(number)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def destroy(self):
        if self.running:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Service):
    """A cluster whose superuser is "operator" and whose gateway role is "chatgate".

    A new database is a copy of a template, which its first user fills with the migrations.
    copy_of: a stopped server whose data it begins with, template and all, which is faster.
    settings: more lines of postgresql.conf.
    """

    def __init__(self, copy_of=None, settings=""):
        super().__init__("pg")
        self.log = self.folder / "postgres.log"
        self.data = self.folder / "data"
        self.template_ready = copy_of is not None
        self._make_data(copy_of)
        self._configure(settings)
        self.start()
        if copy_of is None:
            self._make_roles()

    def _make_data(self, copy_of):
        if copy_of is not None:
            self._run("cp", "-a", copy_of.data, self.data)
            return
        self._run(
            POSTGRES_BIN / "initdb", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8",
            "-U", "operator", "-D", self.data,
        )

    def _configure(self, settings):
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n"
                "max_connections = 500\n"
                # Throw-away data: what a crash of the machine would cost does not matter here.
                "fsync = off\nfull_page_writes = off\n"
                # Everything into the log, so that a text which should not be there is found; the
                # parameters' setting is the one that chatgate asks operators for.
                "log_statement = 'all'\nlog_min_duration_statement = 0\n"
                "log_parameter_max_length = 0\nlog_parameter_max_length_on_error = 0\n"
                "log_lock_waits = on\n" + settings
            )

    def _make_roles(self):
        with self.connect("postgres") as db:
            db.execute("CREATE ROLE chatgate LOGIN")
            db.execute("CREATE DATABASE chatgate_template OWNER chatgate")

    def start(self):
        self._spawn(POSTGRES_BIN / "postgres", "-D", self.data, log="postgres.log")
        wait_until(self._answers, START_TIMEOUT_S, "Postgres starts")

    def _answers(self):
        assert self.running, f"Postgres ended:\n{self.log.read_text()[-2000:]}"
        try:
            self.connect("postgres").close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self):
        """Fast shutdown: sessions are cut, what was committed is kept."""
        self._end(signal.SIGINT)

    def kill(self):
        """Immediate shutdown, as a crash: recovery at the next start."""
        self._end(signal.SIGQUIT)

    def connect(self, database, role="operator", **options):
        """A psycopg connection; autocommit, as tests look at what others commit."""
        return psycopg.connect(
            host=str(self.folder), dbname=database, user=role, autocommit=True, **options
        )

    def url(self, database, role="chatgate"):
        host = urllib.parse.quote(str(self.folder), safe="")
        return f"postgresql://{role}@/{database}?host={host}"

    def create_database(self, name, template="chatgate_template"):
        with self.connect("postgres") as db:
            db.execute(f'CREATE DATABASE "{name}" OWNER chatgate TEMPLATE "{template}"')

    def drop_database(self, name):
        with self.connect("postgres") as db:
            db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class Redis(Service):
    def __init__(self):
        super().__init__("redis")
        self.socket = self.folder / "redis.sock"
        self.binary = self.folder / "redis-server"
        self.binary.symlink_to(REDIS_BINARY)
        self.start()

    def start(self):
        self._spawn(
            self.binary, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
            "--save", "", "--appendonly", "no", "--dir", self.folder,
            log="redis.log",
        )
        wait_until(self._answers, START_TIMEOUT_S, "Redis starts")

    def _answers(self):
        assert self.running, "Redis ended"
        try:
            return self.client().ping()
        except redis.RedisError:
            return False

    def stop(self):
        self._end(signal.SIGTERM)
        self.socket.unlink(missing_ok=True)

    def kill(self):
        self._end(signal.SIGKILL)
        self.socket.unlink(missing_ok=True)

    def client(self):
        return redis.Redis(unix_socket_path=str(self.socket))

    @property
    def url(self):
        return f"unix:{self.socket}"


def _unprivileged_user():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no unprivileged user to run Postgres as")
