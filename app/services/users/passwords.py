"""The rules of passwords (NIST SP 800-63B-4, 3.1.1; ASVS 5.0, 6.2) and their hashes."""

import functools
import re
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import product, settings
from app.errors import Invalid
from app.faults import Code, Fault, length_code
from app.models.user import PASSWORD_MAX

PRODUCT_WORD = "".join(filter(str.isalnum, product.NAME.casefold()))
OWN_WORDS = (
    "The password must not be your username, your email address or the part of it before the @,"
    f" or contain the name {product.NAME}."
)
# One character of a valid password may be typed as up to four code points (NFD). Longer input is
# never a password, and the time to normalise it grows with the square of its length.
TYPED_MAX = 4 * PASSWORD_MAX
NO_PASSWORD = ""  # the stored hash of an account without a password
# The most common passwords of at least eight characters (ASVS 5.0, 6.2.4), and shorter words that
# people extend with a year or a "!".
COMMON_LIST = Path(__file__).with_name("common_passwords.txt")
COMMON_WORDS = Path(__file__).with_name("common_words.txt")
AROUND_MAX = 6  # characters around a common word that a guesser tries
_AROUND = re.compile(r"[\W\d_]*")
_LETTERS = str.maketrans("@4310$57", "aaeiosst")  # common substitutes of letters


class Hashing:
    """The cost of the hash for the whole process. Tests lower it."""

    # OWASP's parameters for Argon2id: 19 MiB, two passes, one lane (28 ms of CPU)
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check(field: str, password: str, *context: str) -> None:
    """Raise Invalid for `field` unless the password is allowed.

    `context` holds words that an attacker knows: username and email.
    """
    shortest = settings.current().password_min_length
    if not shortest <= len(password) <= PASSWORD_MAX:
        raise _refusal(field, length_code(len(password), shortest), length_rule())
    plain = _normal(password).casefold()
    if _is_common(plain):
        raise _refusal(field, Code.TOO_COMMON, "This password is among the most common ones.")
    known = {word.casefold() for word in context}
    known |= {word.partition("@")[0] for word in known}
    if plain in known or PRODUCT_WORD in "".join(filter(str.isalnum, plain)):
        raise _refusal(field, Code.TOO_SIMILAR, OWN_WORDS)


def length_rule() -> str:
    return f"Use {settings.current().password_min_length} to {PASSWORD_MAX} characters."


def hash_(password: str) -> str:
    return Hashing.hasher.hash(_normal(password))


def verify(stored_hash: str | None, password: str) -> bool:
    """Return True if the password matches the hash `stored_hash`.

    The check takes the same time for an unknown user (None) and for one without a password ("").
    """
    dummy = _dummy(Hashing.hasher)
    try:
        Hashing.hasher.verify(stored_hash or dummy, _normal(password[:TYPED_MAX]))
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored_hash) and len(password) <= TYPED_MAX


def is_outdated(stored_hash: str) -> bool:
    return Hashing.hasher.check_needs_rehash(stored_hash)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)  # equal for every keyboard


@functools.cache
def _dummy(hasher: PasswordHasher) -> str:
    return hasher.hash("of nobody")


def _is_common(plain: str) -> bool:
    """Return True for a listed password or a listed word with few additions, as "Summer2024!"."""
    before = _AROUND.match(plain)
    after = _AROUND.match(plain[::-1])
    assert before is not None
    assert after is not None
    core = plain[before.end() : len(plain) - after.end()]
    around = len(plain) - len(core)
    words = {plain, plain.translate(_LETTERS)}
    if around <= AROUND_MAX:
        words |= {core, core.translate(_LETTERS)}
    return not words.isdisjoint(_common())


@functools.cache
def _common() -> frozenset[str]:
    lists = (COMMON_LIST, COMMON_WORDS)
    return frozenset(word for path in lists for word in path.read_text(encoding="utf-8").split())


def _refusal(field: str, code: Code, why: str) -> Invalid:
    return Invalid("This password cannot be used.", {field: Fault(code, why)})
