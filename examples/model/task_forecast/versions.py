"""Trained models as files: one for each version, never changed, the newest is served."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from flask import current_app

from app.errors import Conflict
from task_forecast.survival import Curve


@dataclass(frozen=True)
class Model:
    """A version: the moment of the training and a digest of the curves."""

    version: str
    trained_at: datetime
    curves: dict[str, Curve]


def save(curves: dict[str, Curve], moment: datetime) -> Model:
    """Store the curves as a new version, in one step: a reader never sees half a file."""
    content = json.dumps({name: asdict(curve) for name, curve in curves.items()}, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    path = _folder() / f"{moment:%Y%m%dT%H%M%SZ}-{digest}.json"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)
    return load(path)


def newest() -> Model:
    """Return the newest version. Raises Conflict if there is none."""
    paths = sorted(_folder().glob("*.json"))
    if not paths:
        raise Conflict("No model is trained yet: run flask train-forecast.")
    return load(paths[-1])


@lru_cache(maxsize=4)
def load(path: Path) -> Model:
    """Return the version of a file."""
    curves = json.loads(path.read_text(encoding="utf-8"))
    moment = datetime.strptime(path.stem.partition("-")[0], "%Y%m%dT%H%M%S%z")
    return Model(path.stem, moment, {name: Curve(**curve) for name, curve in curves.items()})


def _folder() -> Path:
    folder = Path(current_app.config["MODEL_FOLDER"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
