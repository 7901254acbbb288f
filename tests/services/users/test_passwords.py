"""Passwords: the accepted ones, and their storage."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from app.errors import Invalid
from app.product import NAME
from app.services.users import passwords
from tests.conftest import PRODUCT_HASHER
from tests.support.databases import Database

COMMON = [
    "password",
    "12345678",
    "qwertyui",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
]
LONGEST = "pl\u00fcm " * 25 + "end"


@pytest.fixture(autouse=True)
def _context(sqlite_database: Database) -> Iterator[None]:
    with sqlite_database.app.app_context():
        yield


@pytest.mark.parametrize("password", ["a-1bc de", "x" * 128, LONGEST, "🍐" * 8, "        "])
def test_any_characters_from_8_to_128_are_accepted(password: str) -> None:
    passwords.check("password", password)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 129, "🍐" * 7])
def test_length_is_counted_in_code_points(password: str) -> None:
    with pytest.raises(Invalid, match="cannot be used") as caught:
        passwords.check("password", password)
    assert caught.value.fields == {"password": "Use 8 to 128 characters."}


@pytest.mark.parametrize("password", [*COMMON, "PassWord", "\uff50assword"])
def test_common_passwords_are_refused_in_any_case_and_width(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        passwords.check("password", password)
    assert "common" in caught.value.fields["password"]


@pytest.mark.parametrize(
    "password",
    ["letmein123", "Summer2024!", "P@ssw0rd!", "123monkey", "qwerty!!", "M0nkey12", "iloveyou_99"],
)
def test_common_word_with_an_ending_is_as_common(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        passwords.check("password", password)
    assert "common" in caught.value.fields["password"]


@pytest.mark.parametrize(
    "password",
    [
        "monkey wrench",
        "summer in rome",
        "plumber83",
        "dragon-83920174",
        "9471 8830 1126",
        "!?!?!?!?",
    ],
)
def test_what_only_has_a_common_word_in_it_is_accepted(password: str) -> None:
    passwords.check("password", password)


@pytest.mark.parametrize(
    "password",
    ["Plumtree", "plumtree@example.com", "pear.tree", f"my-{NAME}-1", f"{NAME[:4]}.{NAME[4:]} 17"],
)
def test_what_a_guesser_knows_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        passwords.check(
            "new", password, "plumtree", "Pear.Tree@example.com", "plumtree@example.com"
        )
    assert list(caught.value.fields) == ["new"]


def test_list_of_common_passwords_is_long_enough() -> None:
    assert sum(len(line) >= 8 for line in passwords.COMMON_LIST.read_text().split()) >= 3000


def test_every_character_counts() -> None:
    first, second = "x" * 99 + "a", "x" * 99 + "b"
    assert not passwords.verify(passwords.hash_(first), second)


def test_same_password_on_another_keyboard_fits() -> None:
    kept = passwords.hash_("caf\u00e9 au lait")  # one code point
    assert passwords.verify(kept, "cafe\u0301 au lait")  # two


def test_spaces_at_the_ends_count() -> None:
    assert not passwords.verify(passwords.hash_("seven plums "), "seven plums")


def test_nobody_has_no_password() -> None:
    assert not passwords.verify(None, "of nobody")


@pytest.mark.parametrize("kept", ["", "!", "$argon2id$v=19$broken"])
def test_broken_hash_fits_nothing(kept: str) -> None:
    assert not passwords.verify(kept, "seven plums")


def test_same_password_has_two_hashes() -> None:
    assert passwords.hash_("seven plums") != passwords.hash_("seven plums")


def test_hash_of_the_product_is_as_owasp_asks() -> None:
    assert PRODUCT_HASHER.hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_weaker_hash_is_outdated() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16)
    assert passwords.is_outdated(weaker.hash("x"))
    assert not passwords.is_outdated(passwords.hash_("x"))
