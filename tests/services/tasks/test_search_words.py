"""The words of texts and the conditions of queries, without a database."""

import re
import unicodedata

import pytest
from hypothesis import assume, example, given, settings, strategies as st

from app.services.shared import search_words
from app.services.shared.search_words import RUN_MAX, STEM, WORD_MAX, clauses, indexed
from tests.support.search_cases import QUERIES, TITLES, found_by

SAMPLES = "".join(TITLES) + "\u0301\u05b0\u0651\u200d\ufe0f\u0345\ufb01\ufdfa\u1e9e\u01c5"
TEXTS = st.text(st.sampled_from(SAMPLES) | st.characters(exclude_categories=["Cs"]), max_size=40)


def matches(text: str, query: str) -> bool:
    """Return True if a text meets all conditions of a query, compared as in the statements."""
    words, conditions = indexed(text), clauses(query)
    return bool(conditions) and all(
        f" {one.start}" in words or any(f" {word} " in words for word in one.others)
        for one in conditions
    )


@pytest.mark.parametrize(("query", "beginnings"), QUERIES)
def test_query_finds_the_titles_that_it_means(query: str, beginnings: list[str]) -> None:
    assert [title for title in TITLES if matches(title, query)] == found_by(beginnings)


@pytest.mark.parametrize("title", TITLES)
def test_every_title_is_found_by_its_own_words(title: str) -> None:
    for word in title.split():
        assert matches(title, word) == bool(clauses(word))
    assert matches(title, title) == bool(clauses(title))


@given(TEXTS, st.data())
@example("\u0345", None)
def test_text_is_found_by_each_beginning_of_a_word(text: str, data: st.DataObject | None) -> None:
    assume(data is not None and clauses(text))
    word = data.draw(st.sampled_from(text.split()))  # type: ignore[union-attr]
    length = data.draw(st.integers(1, len(word)))  # type: ignore[union-attr]
    part = unicodedata.normalize("NFC", word[:length])
    whole = search_words.fold(word).startswith(search_words.fold(part))  # no cut within a character
    assert not whole or matches(text, part) == bool(clauses(part))


@given(TEXTS, TEXTS)
def test_form_of_a_text_does_not_count(text: str, query: str) -> None:
    for form in ("NFC", "NFD"):
        assert matches(unicodedata.normalize(form, text), query) == matches(text, query)
        assert clauses(unicodedata.normalize(form, query)) == clauses(query)


@given(st.text("ab1.- '", max_size=30), st.text("ab1.- '", min_size=1, max_size=6))
def test_words_begin_where_letters_digits_and_marks_meet(text: str, query: str) -> None:
    """Compared with a direct implementation of the rule, for a query of one word without stem."""
    apart, wanted = plain(text), plain(query).strip(".; ")
    assume(wanted and " " not in wanted)
    begins = [
        start
        for start in range(len(apart))
        if apart[start] not in ". ;" and (not start or kind(apart[start - 1]) != kind(apart[start]))
    ]
    found = any(
        apart[start:].replace(";", "").startswith(wanted.replace(";", "")) for start in begins
    )
    assert matches(text, query) == found


def plain(text: str) -> str:
    """Return a run of marks as ".", an apostrophe as ";", or as nothing beside marks or blanks."""
    text = re.sub("[.'-]*[.-][.'-]*", ".", text)
    return re.sub(r"'+", ";", text)


def kind(character: str) -> str:
    return "a" if character.isalpha() else "1" if character.isdigit() else character


@given(TEXTS)
def test_words_can_be_read_by_both_databases(text: str) -> None:
    """In a tsvector without quotes, and by FTS5's tokenizer, which splits at ASCII blanks."""
    words = indexed(text)
    assert words == f" {words.strip(' ')} "
    for word in words.split(" ")[1:-1]:
        assert not re.search(r"[\s'\":\\*]", word) or not word
        assert len(word) <= max(WORD_MAX, RUN_MAX) + 1
        assert word == word.lower() or not word.isascii()


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=2000, max_size=2000))
def test_words_of_the_longest_text_fit_into_a_tsvector(text: str) -> None:
    assert len(indexed(text * 5).encode()) < 2**20


def test_unassigned_character_is_a_letter_so_that_a_later_unicode_changes_nothing() -> None:
    assert indexed("a\u0378b") == " a\u0378b "


@given(st.text(st.sampled_from("ab1.\u00e9\u4e2d"), min_size=1, max_size=200))
def test_no_indexed_word_is_longer_than_an_index_takes(text: str) -> None:
    """PostgreSQL refuses words of a tsvector above 2,046 bytes."""
    assert max(map(len, indexed(text * 50).split()), default=0) <= WORD_MAX + len(STEM)


@pytest.mark.parametrize("query", ["third", "studies", "v2.node", "running"])
def test_conditions_name_no_word_that_their_beginning_finds(query: str) -> None:
    for start, others in clauses(query):
        assert not any(word.startswith(start) for word in others)
