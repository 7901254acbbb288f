"""The format of random secrets."""

import re

import pytest
from hypothesis import given, strategies as st

from app.services.authentication import secret_tokens


def test_secret_is_wellformed_and_recognisable() -> None:
    secret = secret_tokens.make()
    assert re.fullmatch(r"fst_[0-9A-Za-z]{49}", secret)
    assert secret_tokens.is_wellformed(secret)


def test_a_thousand_secrets_differ_throughout() -> None:
    made = [secret_tokens.make() for _ in range(1000)]
    assert len(set(made)) == 1000
    # every place of the random part but the first: 256 bits do not fill 43 places of base 62
    for place in range(5, 47):
        assert len({secret[place] for secret in made}) > 40


@given(st.integers(0, 52), st.characters())
def test_any_one_wrong_character_is_noticed(place: int, character: str) -> None:
    secret = secret_tokens.make()
    wrong = secret[:place] + character + secret[place + 1 :]
    assert secret_tokens.is_wellformed(wrong) == (wrong == secret)


@pytest.mark.parametrize("text", ["", "fst_", "x" * 53, "fst_" + "\u0660" * 49])
def test_other_text_is_not_wellformed(text: str) -> None:
    assert not secret_tokens.is_wellformed(text)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert not secret_tokens.is_wellformed(text)


def test_digest_is_sha_256() -> None:
    assert secret_tokens.digest("abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
