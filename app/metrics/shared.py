"""Figures of all worker processes of a machine, in one folder that each of them reads.

Each process holds a slot while it lives: a file lock that the kernel releases with the process. A
process that takes the slot of an ended one continues its counters. So no counter decreases, and the
folder does not grow when workers are replaced or the server is renewed.
"""

import fcntl
import os
from itertools import count
from pathlib import Path
from typing import IO

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # an environment variable, which gunicorn.conf.py sets


class Slot:
    """The slot of this process: "0" until it takes one, as in the process that forks workers."""

    name = "0"
    lock: IO[str] | None = None


def is_shared() -> bool:
    return FOLDER in os.environ


def take_slot() -> None:
    """Take a free slot, after a fork."""
    folder = Path(os.environ[FOLDER])
    Slot.lock = next(held for n in count(1) if (held := _try_lock(folder, str(n))))
    Slot.name = Path(Slot.lock.name).stem


def registry() -> CollectorRegistry | None:
    """Return a registry of all processes' figures for one scrape, None without a shared folder."""
    if not is_shared():
        return None
    folder = Path(os.environ[FOLDER])
    for path in folder.glob("*.lock"):
        if held := _try_lock(folder, path.stem):  # a free lock: its process has ended
            mark_process_dead(path.stem)
            held.close()
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together


def _try_lock(folder: Path, name: str) -> IO[str] | None:
    """Return the open lock of a slot, or None if another process holds it."""
    lock = (folder / f"{name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


if is_shared():
    values.ValueClass = values.MultiProcessValue(lambda: Slot.name)
