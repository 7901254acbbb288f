"""The rules for labels, for the form, the API and the import."""

from collections.abc import Iterable
from unicodedata import normalize

from app.faults import Code, Fault, length_code
from app.models.task import LABEL_MAX, LABELS_MAX
from app.services.shared import text_rules

SEPARATOR = ";"  # joins labels in an export, so no label may contain it
PATTERN = text_rules.LINE_PATTERN.replace("[^", f"[^{SEPARATOR}")  # for the OpenAPI document


def clean(labels: Iterable[str]) -> list[str]:
    """Return the labels as stored: trimmed, without caseless duplicates, in the first spelling.

    Raises ValueError with a Fault.
    """
    by_key: dict[str, str] = {}
    for label in labels:
        plain = _checked(text_rules.line(label))
        by_key.setdefault(key(plain), plain)
    if len(by_key) > LABELS_MAX:
        raise ValueError(Fault(Code.TOO_LONG, f"Use at most {LABELS_MAX} labels."))
    return list(by_key.values())


def _checked(label: str) -> str:
    if not 1 <= len(label) <= LABEL_MAX:
        why = f"A label must have 1 to {LABEL_MAX} characters."
        raise ValueError(Fault(length_code(len(label), 1), why))
    if SEPARATOR in label:
        why = f"A label must not contain {SEPARATOR!r}."
        raise ValueError(Fault(Code.INVALID_CHARACTER, why))
    return label


def keys(labels: Iterable[str]) -> list[str]:
    """Return the keys of the labels, which a filter compares."""
    return [key(label) for label in labels]


def key(label: str) -> str:
    """Return the same key for equal labels: canonical caseless matching (Unicode 3.13, D145)."""
    if label.isascii():
        return label.lower()
    return normalize("NFC", normalize("NFD", text_rules.normal(label)).casefold())
