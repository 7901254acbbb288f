"""The words of a text for the search index of both databases, and the conditions of a query.

Both databases give the same answers by these rules:

- Case, accents, width, invisible characters and the script of digits do not count.
- A word begins after a blank, after an apostrophe, and where letters, digits and marks meet. The
  index holds the text from there to the next blank: `2.5` is found in `v2.5.0`.
- In a script without blanks each character begins a word of RUN_MAX characters, so that any
  sequence of characters is found.
- A word of a query matches the beginning of an indexed word, or an indexed word of the same stem.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from string import punctuation
from typing import NamedTuple
from unicodedata import category, combining, decimal, normalize

from Stemmer import Stemmer

WORD_MAX = 32  # characters of an indexed word
RUN_MAX = 3  # characters of an indexed word of a script without blanks
STEM = "="  # precedes a stem in the index

# The kinds of characters, each as one letter.
_LETTER, _DIGIT, _UNSPACED, _APOSTROPHE, _MARK, _BLANK = "ldc'. "
# Apostrophes, characters typed in their place, and characters without width that separate words.
_APOSTROPHES = (
    "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u05f3\u1fbd\u1fbf\u1ffd\u1ffe"
    "\u200b\u200c\u2018\u2019\u201b\u2032\u2035\ua78b\ua78c\uff07"
)
_UNITE = dict.fromkeys(map(ord, _APOSTROPHES), "'")
# Letters with a stroke and ligatures, which have no decomposition.
_PLAIN = str.maketrans(
    {"\u0131": "i", "\u0142": "l", "\u0111": "d", "\u00f8": "o", "\u00e6": "ae", "\u0153": "oe"}
    | {"\u0127": "h", "\u0167": "t", "\u00f0": "d", "\u00fe": "th", "\u0138": "k", "\u0237": "j"}
)
# Default_Ignorable_Code_Point (Unicode 16), and the Arabic tatweel, which only stretches a word.
_IGNORED = re.compile(
    "[\u00ad\u034f\u0640\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200d-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# First code points of blocks of scripts that are written without blanks, and of the next blocks.
_UNSPACED_BLOCKS = (
    *(0x0E00, 0x10A0),  # Thai, Lao, Tibetan, Myanmar
    *(0x1780, 0x1800, 0x1950, 0x1AB0, 0x1B00, 0x1B80),  # Khmer, Tai Le to Tai Tham, Balinese
    *(0x2E80, 0x3130, 0x31A0, 0x3200),  # Radicals, Kana, Bopomofo
    *(0x3400, 0xA4D0),  # Han, Yi
    *(0xA980, 0xAA00, 0xAA60, 0xAAE0),  # Javanese, Myanmar, Tai Viet
    *(0xF900, 0xFB00),  # Han
    *(0x10000, 0x10100, 0x10600, 0x10780, 0x11700, 0x11750),  # Linear B, Linear A, Ahom
    *(0x12000, 0x14680, 0x16FE0, 0x1B300),  # Cuneiform, hieroglyphs, Tangut, Khitan, Kana, Nushu
    *(0x20000, 0x40000),  # Han
)
_CHUNK = re.compile("[ldc][^ ]*")
_PART = re.compile(r"l+|d+|c|\.+")
_ENGLISH = re.compile(f"[a-z]{{3,{WORD_MAX}}}")


class Clause(NamedTuple):
    """One condition of a query: an indexed word begins with `start`, or is one of `others`."""

    start: str
    others: tuple[str, ...] = ()


class _Part(NamedTuple):
    """Letters, digits or one character without blanks, at `begin` of a chunk."""

    begin: int
    text: str
    kind: str

    @property
    def reach(self) -> int:
        """The end of the indexed word that begins here."""
        return self.begin + (RUN_MAX if self.kind == _UNSPACED else WORD_MAX)


class _Chunk(NamedTuple):
    """Text between two blanks, without apostrophes, and with one `.` for a run of marks."""

    text: str
    parts: list[_Part]


def indexed(text: str) -> str:
    """Return the words of `text` for the index: each once, with a blank before and after it."""
    words: dict[str, None] = {}
    letters: dict[str, None] = {}
    for piece in fold(text).split():
        word = piece.strip(punctuation)
        if word.isascii() and (word.isalpha() or word.isdigit()):  # most words, on a hot path
            words[word[:WORD_MAX]] = letters[word] = None
            continue
        for chunk in _chunks(piece):
            for part in chunk.parts:
                words[chunk.text[part.begin : part.reach]] = letters[part.text] = None
    english = [word for word in letters if _ENGLISH.fullmatch(word)]
    for word, stem in zip(english, Stemmer("english", 0).stemWords(english), strict=True):
        if stem != word or word not in words:
            words[STEM + stem] = None
    return f" {' '.join(words)} "


def clauses(query: str) -> list[Clause]:
    """Return the conditions of `query`. A text must meet all; an empty list finds no text."""
    return list(dict.fromkeys(one for chunk in _chunks(fold(query)) for one in _of_chunk(chunk)))


def _of_chunk(chunk: _Chunk) -> Iterator[Clause]:
    """Yield the conditions of a chunk: an indexed word ends after WORD_MAX or RUN_MAX characters,
    so a longer chunk needs several."""
    text, tail = chunk.text, chunk.parts[-1]
    stem = _stem(tail.text) if tail.kind == _LETTER else ""
    others = tuple(dict.fromkeys((STEM + stem, stem))) if stem else ()
    covered = 0
    for part in chunk.parts:
        end = min(part.reach, len(text))
        if end <= covered:
            continue
        covered = end
        if not others or end < len(text):
            yield Clause(text[part.begin : end])
            continue
        if part is not tail:
            yield Clause(text[part.begin : tail.begin])
        start = text[part.begin : end]
        yield Clause(start, tuple(word for word in others if not word.startswith(start)))


def _chunks(text: str) -> Iterator[_Chunk]:
    """Yield the chunks of a folded text that have a letter or a digit."""
    for match in _CHUNK.finditer(text.translate(_KINDS)):
        yield _chunk(text, match)


def _chunk(text: str, match: re.Match[str]) -> _Chunk:
    parts, pieces, length, mark = [], [], 0, ""
    for piece in _PART.finditer(match.string, *match.span()):
        kind = piece[0][0]
        if kind == _MARK:
            mark = _MARK
            continue
        word = text[piece.start() : piece.end()]
        parts.append(_Part(length + len(mark), word, kind))
        pieces += [mark, word]
        length, mark = length + len(mark) + len(word), ""
    return _Chunk("".join(pieces), parts)


def _stem(word: str) -> str:
    """Return the stem of an English word by Snowball's algorithm, "" for any other word."""
    return Stemmer("english", 0).stemWord(word) if _ENGLISH.fullmatch(word) else ""


def fold(text: str) -> str:
    """Return `text` without case, accents and the other differences that do not count."""
    if text.isascii():
        return text.lower()
    text = normalize("NFKD", _IGNORED.sub("", text.translate(_UNITE)))
    return normalize("NFKC", text.translate(_BARE).casefold().translate(_PLAIN))


class _Bare(dict[int, str | None]):
    """A table for str.translate that removes accents and unites the digits of all scripts."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kind, mark = category(character), combining(character)
        bare: str | None = character
        if kind == "Me" or mark == 1 or 10 <= mark <= 36 or mark >= 200:
            bare = None
        elif kind == "Nd":
            bare = str(decimal(character))
        self[code] = bare
        return bare


class _Kinds(dict[int, str]):
    """A table for str.translate that replaces each character by its kind."""

    def __missing__(self, code: int) -> str:
        self[code] = kind = _kind(code)
        return kind


def _kind(code: int) -> str:
    """Return the kind of a code point. An unassigned one counts as a letter, so that a later
    version of Unicode does not change the words."""
    group = category(chr(code))
    if group[0] in "LMN" and bisect_right(_UNSPACED_BLOCKS, code) % 2:
        return _UNSPACED
    if group[0] in "LM" or group == "Cn":
        return _LETTER
    if group[0] == "N":
        return _DIGIT
    return _BLANK if group[0] == "Z" or group == "Cc" else _MARK


_BARE = _Bare()
_KINDS = _Kinds(dict.fromkeys(map(ord, _APOSTROPHES), _APOSTROPHE))
