"""The User-Agent header in words."""

import pytest

from app.services.shared.user_agents import device


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605", "Safari on macOS"),
        (
            "Mozilla/5.0 (iPhone; CPU like Mac OS X) CriOS/130 Safari",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("Firefox/130.0", "Firefox"),
        ("", "Unknown device"),
        ("\u202e<script>", "Unknown device"),
    ],
)
def test_a_device_is_told_in_words(user_agent: str, words: str) -> None:
    assert device(user_agent) == words
