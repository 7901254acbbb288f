"""Settings with three successive keys, and a browser that moves between the apps."""

from tests.support.clients import SESSION_COOKIE, Browser

FIRST = "0123456789abcdef-of-the-tests-alone"  # the key of tests.support.databases.make_app
SECOND = "fedcba9876543210-of-the-tests-alone"
THIRD = "2468013579acebdf-of-the-tests-alone"
COOKIE = SESSION_COOKIE


def move(browser: Browser, to: Browser) -> Browser:
    """Return `to` with the cookie and the CSRF token of `browser`."""
    held = browser.client.get_cookie(COOKIE)
    if held is not None:
        to.client.set_cookie(COOKIE, held.value)
    to.csrf_token = browser.csrf_token
    return to
