"""What a variable part of a URL may look like. What does not match is no route: a 404."""

from werkzeug.routing import BaseConverter

from app.models.types import ID


class IdConverter(BaseConverter):
    """A UUID, in either case."""

    regex = ID

    def to_python(self, value: str) -> str:
        return value.lower()
