"""The form field of a date and time."""

from datetime import datetime
from typing import Any

from wtforms import DateTimeLocalField

from app.services.shared import moments


class MomentField(DateTimeLocalField):
    """A date with an optional time, in UTC unless the text has another offset.

    With JavaScript (static/moments.js) the field shows the browser's time zone and the form sends
    UTC. An unchanged text keeps the stored value, to the microsecond.
    """

    def __init__(self, label: str, validators: Any = None, **options: Any) -> None:
        attributes = {"data-moment": True}
        super().__init__(label, validators, description="In UTC.", render_kw=attributes, **options)

    def _value(self) -> str:
        if not self.raw_data:
            return written(self.data)
        try:
            return written(moments.from_typed(str(self.raw_data[0]).strip()))
        except ValueError:
            return ""  # a browser cannot show an invalid text in this kind of field

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or valuelist[0] == written(self.object_data):
            return
        self.data = None
        if valuelist[0].strip():
            try:
                self.data = moments.from_typed(valuelist[0].strip())
            except ValueError:
                raise ValueError("Use a date and a time, as 2026-01-31T12:00.") from None


def written(moment: datetime | None) -> str:
    """Return the text of a datetime-local field, in UTC."""
    return moment.replace(tzinfo=None).isoformat(timespec="minutes") if moment else ""
