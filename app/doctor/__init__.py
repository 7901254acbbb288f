"""`flask doctor`: a check of the settings and of everything that the service depends on.

A fault stops the service or a part of it. A warning names a risk in production, which may be
intended.
"""

from collections.abc import Iterator

from flask import Flask

from app.doctor import database, outside, settings
from app.doctor.finding import Finding


def examine(app: Flask) -> Iterator[Finding]:
    """Yield the findings one after the other: a server that does not answer takes seconds."""
    with app.app_context():
        yield from settings.examine(app.config)
        yield from database.examine(app.config)
        yield from outside.examine(app)
