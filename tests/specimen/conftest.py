"""The table of the specimens during a test."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.extensions import db
from app.services.shared import audit
from tests.specimen.model import RESOURCE, SPECIMENS


@pytest.fixture(autouse=True)
def table(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table of the specimens, whose actions the trail knows during the test."""
    for action in RESOURCE.actions:
        monkeypatch.setitem(audit.ACTIONS, action, RESOURCE.target_type)
    with app.app_context():
        SPECIMENS.metadata.create_all(db.engine)
    yield
    with app.app_context():
        SPECIMENS.drop(db.engine)
