"""`make voice`: docstrings, comments and documents have none of the worst phrases of STYLE.md.

A question may begin with any word. Code and quoted texts are ignored.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import config
from tests.support.documents import documents

PLACES = (
    "app",
    "bench",
    "examples",
    "migrations",
    "environment",
    "tests",
    "tools",
    "config.py",
    "gunicorn.conf.py",
    "run.py",
)
# These hold bad examples.
EXEMPT = {Path("STYLE.md"), Path("tests/docs/test_voice.py"), Path("tests/tools/check_voice.py")}
RULES = {
    r"(?:^|(?<=[.!:] ))(?:What|Who|Whose|Whom|Whether)\b(?![^.]*\?)": "name the subject first",
    r"\b(?:is|are|was) told\b": "name who reads it, or say: knows, gets, receives",
    r"\bcomes? in\b": "say: arrives, is received, is sent",
    r"\b(?:has|had) (?:its|their) time\b": "say: expires",
    r"\bon (?:its|their) way\b": "say: queued, sent",
    r"\bof which\b": "begin a second sentence",
    r"\b(?:this|that|the) door\b": "say: check, access",
    r"\b(?:[Ww]hoever|for who|for whom has)\b": "name the person: a user who, somebody who",
}


class Text(NamedTuple):
    line: int
    words: str


def texts(source: str) -> Iterator[Text]:
    """Yield the docstrings and comments of a file. Adjacent comment lines are one text."""
    before: tokenize.TokenInfo | None = None
    comment = Text(0, "")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("# ")
            joins = bool(comment.words) and not token.line[: token.start[1]].strip()
            if not joins:
                yield comment
            line = comment.line if joins else token.start[0]
            comment = Text(line, f"{comment.words} {words}" if joins else words)
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            yield comment
            comment = Text(0, "")
            if token.type == tokenize.STRING and _begins_a_statement(before):
                words = " ".join(token.string.strip("\"' \n").split())
                yield Text(token.start[0], words)
            before = token
    yield comment


def paragraphs(source: str) -> Iterator[Text]:
    """Yield the paragraphs, list items, headings and table cells of a Markdown file."""
    fence = re.compile(r"```.*?```", re.DOTALL)
    plain = fence.sub(lambda block: "\n" * block[0].count("\n"), source)
    start, words = 0, ""
    for number, line in enumerate([*plain.splitlines(), ""], 1):
        if not line.strip() or re.match(r" *(?:[-#|>]|\d+\.) ", line):
            yield from (Text(start, cell.strip()) for cell in words.split("|"))
            start, words = number, re.sub(r"^ *(?:[-#>]+|\d+\.) ", "", line)
        else:
            start, words = start if words else number, f"{words} {line.strip()}".strip()


def _begins_a_statement(before: tokenize.TokenInfo | None) -> bool:
    return before is None or before.type in (tokenize.NEWLINE, tokenize.ENCODING)


def faults(words: str) -> Iterator[str]:
    """Yield the violations of STYLE.md in the words, outside quotes."""
    plain = re.sub(r"`[^`]*`|\"[^\"]*\"", "x", words)
    for pattern, mend in RULES.items():
        if found := re.search(pattern, plain):
            yield f'"{found[0]}": {mend}'


def files() -> Iterator[Path]:
    found = documents()
    for place in PLACES:
        path = config.ROOT / place
        found.extend([path] if path.is_file() else path.rglob("*.py"))
    for file in sorted(found):
        if ".venv" not in file.parts and file.relative_to(config.ROOT) not in EXEMPT:
            yield file


def main() -> int:
    lines = [
        f"{file.relative_to(config.ROOT)}:{text.line}: {fault}"
        for file in files()
        for text in (paragraphs if file.suffix == ".md" else texts)(file.read_text("utf-8"))
        for fault in faults(text.words)
    ]
    print(*lines, sep="\n", end="\n" if lines else "")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
