"""The converters of the routes."""

from werkzeug.routing import BaseConverter

from app.models.types import ID


class IdConverter(BaseConverter):
    """A UUID in upper or lower case. Anything else does not match and is 404."""

    regex = ID

    def to_python(self, value: str) -> str:
        return value.lower()
