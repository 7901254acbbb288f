"""Patterns for LIKE, with a backslash as its escape."""

_PLAIN = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def anywhere(text: str) -> str:
    """Return the pattern of all texts that contain `text` literally."""
    return f"%{text.translate(_PLAIN)}%"
