"""The rules for text: normal form, and forbidden characters of lines and long texts."""

import re
import unicodedata

import pytest
from hypothesis import given, strategies as st

from app.services.shared import text_rules
from app.services.tasks import labels
from tests.support.texts import BAD_LINES, BAD_LONG_TEXTS, GOOD_LINES, GOOD_LONG_TEXTS

CONTROLS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]
COMPOUND_MARKS = "\u0344\u0f73\u0f75\u0f81"
MARKS = st.sampled_from("\u0301\u0323\u0328\u0345\u3099\u05b0" + COMPOUND_MARKS)


@pytest.mark.parametrize("text", GOOD_LINES)
def test_good_line_stays_as_it_is(text: str) -> None:
    assert text_rules.line(text) == text


@pytest.mark.parametrize("text", BAD_LINES)
def test_bad_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(Remove|Use) .*\.$"):
        text_rules.line(text)


@pytest.mark.parametrize("control", CONTROLS)
def test_no_control_character_stays_within_a_line(control: str) -> None:
    with pytest.raises(ValueError, match="control"):
        text_rules.line(f"a{control}b")


def test_line_is_trimmed_and_normalized() -> None:
    assert text_rules.line("\u3000\n Cafe\u0301\t\u2029") == "Café"


@pytest.mark.parametrize("text", GOOD_LONG_TEXTS)
def test_good_long_text_stays_as_it_is(text: str) -> None:
    assert text_rules.long(text) == text


@pytest.mark.parametrize("text", BAD_LONG_TEXTS)
def test_bad_long_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control"):
        text_rules.long(text)


def test_long_text_holds_no_control_character_but_tabs_and_line_breaks() -> None:
    assert [one for one in CONTROLS if not raises(text_rules.long, one)] == ["\t", "\n", "\r"]


def raises(rule: object, text: str) -> bool:
    try:
        rule(text)  # type: ignore[operator]
    except ValueError:
        return True
    return False


@given(st.text() | st.lists(MARKS, min_size=30, max_size=90).map("".join))
def test_normal_form_is_nfc(text: str) -> None:
    assert text_rules.normal(text) == unicodedata.normalize("NFC", text)


def test_long_row_of_marks_reaches_the_library_in_order() -> None:
    """unicodedata sorts marks by insertion: 200,000 of these would take minutes."""
    row = "\u0301\u0323" * 100_000
    assert text_rules.normal(f"a{row}") == "\u1ea1" + "\u0323" * 99_999 + "\u0301" * 100_000


@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF)))
def test_patterns_of_the_document_allow_what_the_rules_allow(text: str) -> None:
    allowed = bool(text.strip()) and not raises(text_rules.line, text)
    assert bool(re.search(text_rules.LINE_PATTERN, text)) == allowed
    assert bool(re.search(text_rules.LONG_PATTERN, text)) == (not raises(text_rules.long, text))


@pytest.mark.parametrize("text", [*GOOD_LINES, *BAD_LINES, *(f"a{one}b" for one in CONTROLS)])
def test_pattern_of_a_line_decides_as_its_rule(text: str) -> None:
    if max(text) <= "\uffff":
        assert bool(re.search(text_rules.LINE_PATTERN, text)) == (not raises(text_rules.line, text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Caf\u00e9", "CAFE\u0301"),
        ("\u00c5", "a\u030a"),
        ("\uac00", "\u1100\u1161"),
        ("STRASSE", "stra\u00dfe"),
        ("\u1f82", "\u1f00\u0300\u0345"),
        ("\u03a3", "\u03c2"),
    ],
)
def test_equal_labels_have_one_key(one: str, other: str) -> None:
    assert labels.key(one) == labels.key(other)
    assert labels.clean([one, other]) == labels.clean([one])
