"""`flask doctor`: looks at everything that the service leans on, and says what is wrong.

A fault keeps the service, or a part of it, from working. A warning is what an operator of a service
in production should know, or what may be meant so.
"""

from collections.abc import Iterator

from flask import Flask

from app.doctor import database, outside, settings
from app.doctor.finding import Finding


def examine(app: Flask) -> Iterator[Finding]:
    """Everything, one after the other: some of it takes seconds where it does not answer."""
    with app.app_context():
        yield from settings.examine(app.config)
        yield from database.examine(app.config)
        yield from outside.examine(app)
