# SPDX-License-Identifier: Apache-2.0
"""What a scenario is: a fault, and the installation and load that it happens to."""

import dataclasses
import os
from collections.abc import Callable

from checker import Bounds

def _root():
    return None if os.geteuid() == 0 else "needs root"


FIU = "/usr/lib/fiu"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def _fiu():
    return None if os.path.exists(f"{FIU}/fiu_posix_preload.so") else "needs the package fiu-utils"


def _faketime():
    return None if os.path.exists(FAKETIME) else "needs the package libfaketime"


NEEDS = {"root": _root, "fiu": _fiu, "faketime": _faketime}  # each says what is missing, or None

ALL = {}  # name -> Scenario, in the order of the report


@dataclasses.dataclass
class Scenario:
    """run(world) does the damage and undoes it: when it returns, the clock of `heal_s` begins."""

    name: str
    run: Callable
    about: str
    heal_s: float = 10
    nodes: int = 2
    pairs: int = 3
    devices: int = 2  # of each user
    moderators: int = 2
    rate: float = 5.0  # messages a second and device
    dripping: float = 0.0  # share of the devices that write a byte at a time
    settings: dict = dataclasses.field(default_factory=dict)
    postgres: str = "one"  # one, small_disk
    postgres_settings: str = ""
    needs: tuple = ()  # root, faketime, fiu: skipped without
    mixes: str = ""  # the part that it breaks: faults of different parts may happen at once
    prepare: Callable | None = None  # called with the world before nodes start
    receive_buffer: int | None = None  # of the devices' sockets
    only_asked: bool = False  # no part of the table
    minutes: float = 0
    bounds: Bounds = Bounds()
    pace: float = 1.0  # a long run takes its time
    before_s: float = 1.0

    def for_a_soak(self, minutes, messages_a_second):
        """A long run with as many rooms as that many messages take."""
        self.minutes = minutes
        self.pairs = max(3, round(messages_a_second / 40))
        self.rate = messages_a_second / (self.pairs * 2 * self.devices)

    def impossible(self):
        """Why it cannot run on this machine, or None."""
        return next((why for need in self.needs if (why := NEEDS[need]())), None)


def scenario(**settings):
    """Registers a coroutine function; its name and docstring are the scenario's."""

    def register(run):
        name = run.__name__.replace("_", "-")
        ALL[name] = Scenario(name, run, " ".join((run.__doc__ or "").split()), **settings)
        return run

    return register
