# SPDX-License-Identifier: Apache-2.0
"""What /proc tells of processes: CPU time and memory."""

import dataclasses
import os
import pathlib
import re

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _stat_times_s(pid, with_children=False):
    """User and system time of a process, all threads; children: those it has waited for."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rsplit(")", 1)[1].split()
    wanted = fields[11:15] if with_children else fields[11:13]
    return sum(map(int, wanted)) * _TICK_S


def _children(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def cpu_s(pid):
    """CPU time of one process."""
    return _stat_times_s(pid)


def family_cpu_s(pid):
    """CPU time of a process, its living children and those that it has waited for."""
    return _stat_times_s(pid, with_children=True) + sum(map(_stat_times_s, _children(pid)))


@dataclasses.dataclass(frozen=True)
class Memory:
    rss_kib: int
    pss_kib: int


def memory(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE))
    return Memory(int(sizes["Rss"]), int(sizes["Pss"]))


def load_average():
    return os.getloadavg()[0]
