"""Figures that all worker processes of a machine write into one folder, to be read by any of them.

Each process holds a slot for as long as it lives: a lock that the kernel lets go with it. Who takes
the slot of one that has ended counts on from its figures, so that the folder does not grow however
often workers are replaced or the server is renewed, and no counter ever goes back.
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
    """The one of this process. Until it is taken, as in the process that forks the workers, "0"."""

    name = "0"
    lock: IO[str] | None = None


def is_shared() -> bool:
    return FOLDER in os.environ


def take_slot() -> None:
    """For a process that was just forked."""
    folder = Path(os.environ[FOLDER])
    Slot.lock = next(held for n in count(1) if (held := _locked(folder, str(n))))
    Slot.name = Path(Slot.lock.name).stem


def registry() -> CollectorRegistry | None:
    """The figures of all processes, to be written out once; None where this one is alone."""
    if not is_shared():
        return None
    folder = Path(os.environ[FOLDER])
    for path in folder.glob("*.lock"):
        if held := _locked(folder, path.stem):  # nobody has it: its process has ended
            mark_process_dead(path.stem)
            held.close()
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together


def _locked(folder: Path, name: str) -> IO[str] | None:
    """The open lock of a slot, None where somebody holds it."""
    lock = (folder / f"{name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


if is_shared():
    values.ValueClass = values.MultiProcessValue(lambda: Slot.name)
