"""`make llms`: llms.txt, the list of the documents for programs that read them (llmstxt.org).

It is made of the navigation of docs/index.md: the captions are its sections, and each page has its
title and its first sentence. Without --write the module only compares, as `make check` does.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import config
from app import product
from tests.support.documents import prose

INDEX = config.ROOT / "docs" / "index.md"
TARGET = config.ROOT / "llms.txt"
MEND = "llms.txt is not what the documents say: make llms"
TREE = re.compile(r"^```\{toctree\}\n:caption: (.+)\n((?:.*\n)*?)```$", re.MULTILINE)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def sections() -> Iterator[tuple[str, list[Path]]]:
    """Yield the caption and the pages of each part of the navigation."""
    for caption, body in TREE.findall(INDEX.read_text(encoding="utf-8")):
        lines = [line for line in body.splitlines() if line and not line.startswith(":")]
        yield caption, [page for line in lines for page in _pages(line)]


def _pages(line: str) -> list[Path]:
    """Return the pages of a line: "name", "Title <name>" or a pattern with `*`."""
    named = re.search(r"<(.+)>", line)
    name = f"{named[1] if named else line}.md"
    return sorted(path.resolve() for path in INDEX.parent.glob(name))


def described(page: Path) -> str:
    """Return the line of a page: a link with its title, and its first sentence."""
    text = prose(page.read_text(encoding="utf-8"))
    heading, _, rest = text.partition("\n")
    return f"- [{heading.removeprefix('# ')}]({page.relative_to(config.ROOT)}): {_sentence(rest)}"


def _sentence(text: str) -> str:
    """Return the first sentence of the first paragraph that is neither an image nor a list."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    first = next(part for part in paragraphs if part and part[0] not in "!-|#<")
    plain = LINK.sub(r"\1", first)
    return re.split(r"(?<=\.)\s(?=[A-Z`])", plain)[0]


def generated() -> str:
    parts = [f"# {product.NAME}\n\n> {product.DESCRIPTION}\n"]
    for caption, pages in sections():
        parts.append("\n".join([f"## {caption}\n", *map(described, pages), ""]))
    parts.append(
        "## For programs\n\n"
        "- [The OpenAPI document](docs/openapi.json): each operation, parameter and schema.\n"
        "- [Every setting](.env.example): the names, the defaults and what they do.\n"
    )
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        TARGET.write_text(generated(), encoding="utf-8")
        return 0
    is_current = TARGET.exists() and TARGET.read_text(encoding="utf-8") == generated()
    if not is_current:
        print(MEND)
    return int(not is_current)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
