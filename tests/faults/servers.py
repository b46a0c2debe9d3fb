# SPDX-License-Identifier: Apache-2.0
"""The Postgres of a scenario: an ordinary one, one with a standby, one on a disk that gets full."""

import os
import signal
import subprocess
import time

from services import POSTGRES_BIN, Postgres, wait_until

SMALL_DISK_BYTES = 160 * 1024 * 1024


def make_postgres(plan, template):
    if plan.postgres == "small_disk":
        return SmallDisk(template, plan.postgres_settings)
    return Postgres(template, plan.postgres_settings)


def kill_hard(postgres):
    """kill -9 of the postmaster. Its children notice by themselves."""
    postgres.signal(signal.SIGKILL)
    postgres.process.wait()


def start_again(postgres, timeout_s=20):
    """As a supervisor does: until it stays. What the one before left may be in the way for a while."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            postgres.start()
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class Standby(Postgres):
    """Streams from a primary until it is promoted."""

    def __init__(self, primary):
        self.primary = primary
        super().__init__(copy_of=primary)

    def _make_data(self, copy_of):
        self._run(
            POSTGRES_BIN / "pg_basebackup", "-h", copy_of.folder, "-U", "operator", "-R", "-X", "stream",
            "-c", "fast", "-D", self.data,
        )

    def receiver(self):
        """The process that receives from the primary, or None."""
        with self.connect("postgres") as db:
            row = db.execute("SELECT pid FROM pg_stat_wal_receiver").fetchone()
        return row and row[0]

    def promote(self):
        with self.connect("postgres") as db:
            db.execute("SELECT pg_promote(true, 20)")
        wait_until(self._writable, 20, "the standby is primary")

    def _writable(self):
        with self.connect("postgres") as db:
            return not db.execute("SELECT pg_is_in_recovery()").fetchone()[0]


class SmallDisk(Postgres):
    """Its data is on a file system of its own, which fill() fills to the last byte."""

    def _make_data(self, copy_of):
        self.disk = self.folder / "disk"
        self.data = self.disk / "data"
        self.disk.mkdir(mode=0o755)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES},mode=0777", "none", self.disk],
            check=True,
        )
        self._run("cp", "-a", copy_of.data, self.data)

    @property
    def ballast(self):
        return self.disk / "ballast"

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass

    def free(self):
        os.unlink(self.ballast)

    def destroy(self):
        if self.running:
            self.process.kill()
            self.process.wait()
        # Children of a killed postmaster may hold the file system for a moment.
        for _ in range(100):
            if subprocess.run(["umount", self.disk], stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        super().destroy()
