"""Patterns for LIKE, with a backslash as its escape."""

_PLAIN = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def anywhere(text: str) -> str:
    """What holds `text` somewhere, where it means itself alone."""
    return f"%{text.translate(_PLAIN)}%"
