# SPDX-License-Identifier: Apache-2.0
"""A Postgres with a streaming standby that can take its place."""

import contextlib
import os
import pathlib
import signal

from services import POSTGRES_BIN, START_TIMEOUT_S, Postgres, Service, wait_until


def children(pid):
    """The processes that this one has started."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid:
                yield int(stat.parent.name)


class Standby(Postgres):
    """A copy of a running server that follows it under the application name "standby"."""

    def __init__(self, primary):
        Service.__init__(self, "standby")
        self.log = self.folder / "postgres.log"
        self.data = self.folder / "data"
        self._run(
            POSTGRES_BIN / "pg_basebackup", "-h", primary.folder, "-U", "operator",
            "-D", self.data, "--no-sync", "--checkpoint=fast",
        )
        (self.data / "standby.signal").touch()
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(
                f"unix_socket_directories = '{self.folder}'\n"
                f"primary_conninfo = 'host={primary.folder} user=operator"
                " application_name=standby'\n"
                "synchronous_standby_names = ''\nwal_retrieve_retry_interval = '200ms'\n"
            )
        self.start()

    def signal(self, number):
        """To every process: each child of the server has a session of its own."""
        for child in children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
        super().signal(number)

    def promote(self):
        with self.connect("postgres") as db:
            db.execute("SELECT pg_promote(true, 30)")


class Replicated(Postgres):
    """A primary with a standby. Urls name both; connect() goes to the one that leads."""

    def __init__(self, synchronous=False):
        self.synchronous = synchronous
        self.standby = self.leader = None
        super().__init__()

    def replicate(self):
        """From here on there is a standby, and it has all that was written before."""
        self.standby = Standby(self)
        if self.synchronous:
            self.configure(synchronous_standby_names="standby")
        wait_until(self.replicating, START_TIMEOUT_S, "the standby follows")

    def configure(self, **settings):
        with super().connect("postgres") as db:
            for name, value in settings.items():
                db.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            db.execute("SELECT pg_reload_conf()")

    def replicating(self):
        wanted = "sync" if self.synchronous else "async"
        with super().connect("postgres") as db:
            rows = db.execute("SELECT state, sync_state FROM pg_stat_replication").fetchall()
        return rows == [("streaming", wanted)]

    def fail_over(self):
        """The primary's machine is gone from one moment to the next; the standby leads."""
        self.kill()
        self.promote_standby()

    def promote_standby(self):
        self.standby.promote()
        self.leader = self.standby

    def start_old(self):
        """The former primary comes back as if nothing had happened."""
        leader, self.leader = self.leader, None
        self.start()
        self.leader = leader

    def connect_old(self, database):
        return super().connect(database)

    @property
    def hosts(self):
        return [self.folder] + ([self.standby.folder] if self.standby else [])

    def connect(self, database, role="operator", **options):
        if self.leader:
            return self.leader.connect(database, role, **options)
        return super().connect(database, role, **options)

    def url(self, database, role="chatgate"):
        hosts = ",".join(str(host) for host in self.hosts)
        return f"host={hosts} user={role} dbname={database}"

    def destroy(self):
        if self.standby:
            self.standby.destroy()
        super().destroy()
