"""Changes of a whole copy of the project that a fork makes once: `rename`.

    python -m tools.transform rename "Acme Desk" [acme_desk [acd]]

A change depends on the files and its arguments alone, so that an update from the template can
repeat it. pyproject.toml keeps the arguments under [tool.template]. LICENSE stays as it is.
"""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
PRODUCT, ANSWERS, KEPT = "app/product.py", "pyproject.toml", ("LICENSE",)
FILES_MAX = 100  # more of them hold the name: it is an ordinary word
_CONSTANT = '^{} = "([^"]*)"'


@dataclass(frozen=True)
class Product:
    """The names of a product, as in app/product.py."""

    name: str
    slug: str
    token_prefix: str

    def faults(self) -> Iterator[str]:
        """Yield a line for each part that cannot be used, with the mend."""
        if not re.fullmatch(r"[^\W_](?:[\w .'-]{0,58}[\w.])?", self.name):
            yield f"NAME {self.name!r}: use up to 60 letters, digits, blanks, and any of .'-_"
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", self.slug):
            yield f"SLUG {self.slug!r}: use a letter, then letters, digits and _ (2 to 31, a to z)"
        if not re.fullmatch("[a-z]{3}_", self.token_prefix):
            yield f"PREFIX {self.token_prefix[:-1]!r}: use three letters, a to z"

    def words(self) -> dict[str, str]:
        """Return each spelling with its meaning, the longest first."""
        spellings = {
            self.name: "name",
            self.slug: "slug",
            self.slug.upper(): "SLUG",
            self.token_prefix: "prefix",
        }
        return dict(sorted(spellings.items(), key=lambda pair: -len(pair[0])))


def product_of(root: Path) -> Product:
    """Return the product of the tree at `root`."""
    text = (root / PRODUCT).read_text(encoding="utf-8")
    parts = (
        re.search(_CONSTANT.format(constant), text, re.MULTILINE)
        for constant in ("NAME", "SLUG", "TOKEN_PREFIX")
    )
    return Product(*(part[1] for part in parts if part))


def named(name: str, slug: str = "", prefix: str = "") -> Product:
    """Return the product called `name`, its slug and prefix made from it if they are missing."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = slug or re.sub("[^a-z0-9]+", "_", plain).strip("_")[:31].rstrip("_")
    return Product(name, slug, f"{prefix or re.sub('[^a-z]', '', slug)[:3]}_")


def files_of(root: Path) -> list[Path]:
    """Return the files of the tree that git keeps or would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := root / name).is_file()]


def texts_of(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each text file but KEPT with its content."""
    for path in files_of(root):
        if path.relative_to(root).as_posix() not in KEPT:
            try:
                yield path, path.read_bytes().decode()
            except UnicodeDecodeError:
                continue


def rename(root: Path, new: Product) -> int:
    """Give the product of the tree its new name; return the number of files that changed.

    Exits if a part of the name cannot be used, or if the old one is an ordinary word.
    """
    if faults := list(new.faults()):
        sys.exit("\n".join(faults))
    old = product_of(root)
    meanings = old.words()
    renamed = {"name": new.name, "slug": new.slug, "SLUG": new.slug.upper()}
    renamed["prefix"] = new.token_prefix
    alternatives = "|".join(re.escape(word) for word in meanings)
    # A name within another word is not the product's, but one before an underscore is.
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?:(?<=_)|(?![A-Za-z0-9]))")
    changes = {}
    for path, text in texts_of(root):
        changed = pattern.sub(lambda found: renamed[meanings[found[0]]], text)
        if changed != text:
            changes[path] = changed
    if len(changes) > FILES_MAX:
        sys.exit(f"{old.name!r} is in {len(changes)} files: an ordinary word. Change it by hand.")
    for path, text in changes.items():
        path.write_bytes(text.encode())
    _keep_answers(root, new)
    return len(changes)


def _keep_answers(root: Path, product: Product) -> None:
    """Write the product into [tool.template] of pyproject.toml."""
    path = root / ANSWERS
    text = re.sub(r"\n\[tool\.template\]\n(?:[^\[].*\n)*", "", path.read_text(encoding="utf-8"))
    prefix = product.token_prefix[:-1]
    lines = f'name = "{product.name}"\nslug = "{product.slug}"\nprefix = "{prefix}"\n'
    path.write_text(f"{text.rstrip()}\n\n[tool.template]\n{lines}", encoding="utf-8")


def main(arguments: list[str]) -> int:
    verb, *values = arguments or [""]
    if verb != "rename" or not 1 <= len(values) <= 3 or not values[0]:
        sys.exit('make rename NAME="Acme Desk" [SLUG=acme_desk] [PREFIX=acd]')
    product = named(*values)
    print(f"{product}: {rename(ROOT, product)} files changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
