"""Labels: what one may look like. The form, the API and the import ask here."""

import unicodedata
from collections.abc import Iterable

from app.faults import Code, Fault, length_code
from app.models.task import LABEL_MAX, LABELS_MAX

SEPARATOR = ";"  # joins them in an export, so that none may hold it
# The same in the API's document: no separator, no control character, and not blank.
PATTERN = rf"^(?=.*\S)[^{SEPARATOR}\u0000-\u001f\u007f-\u009f]*$"


def clean(labels: Iterable[str]) -> list[str]:
    """The labels as they are kept: trimmed, and once each without case, the first spelling.

    Raises ValueError with a Fault.
    """
    kept: dict[str, str] = {}
    for label in labels:
        plain = _checked(label.strip())
        kept.setdefault(plain.casefold(), plain)
    if len(kept) > LABELS_MAX:
        raise ValueError(Fault(Code.TOO_LONG, f"Use at most {LABELS_MAX} labels."))
    return list(kept.values())


def _checked(label: str) -> str:
    if not 1 <= len(label) <= LABEL_MAX:
        why = f"A label must have 1 to {LABEL_MAX} characters."
        raise ValueError(Fault(length_code(len(label), 1), why))
    if SEPARATOR in label:
        why = f"A label must not contain {SEPARATOR!r}."
        raise ValueError(Fault(Code.INVALID_CHARACTER, why))
    if any(unicodedata.category(character) == "Cc" for character in label):
        why = "A label must not contain control characters."
        raise ValueError(Fault(Code.INVALID_CHARACTER, why))
    return label
