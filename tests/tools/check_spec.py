"""`make check`: docs/openapi.json matches the code. `--write` updates the file.

Both refuse a change that would break a client, unless the version (app/api/openapi/document.py)
changes too.
"""

import difflib
import json
import sys
from itertools import islice

import config
from app.api.openapi import document as openapi
from tests.support.databases import make_app
from tests.tools.breaking import breaks

COMMITTED = config.ROOT / "docs" / "openapi.json"
MEND = "docs/openapi.json is not what the code says: python -m tests.tools.check_spec --write"
BREAKING = (
    "This breaks clients: add beside the old, or move the version (app/api/openapi/document.py)."
)
SHOWN = 40  # lines of the difference


def generated() -> str:
    app = make_app("sqlite:////dev")  # no request is served
    return json.dumps(openapi.build(app), indent=2, ensure_ascii=False) + "\n"


def difference() -> str:
    """Return the first lines in which the committed document differs from the code; "" for none."""
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    lines = difflib.unified_diff(
        committed.splitlines(), generated().splitlines(), "committed", "generated", lineterm=""
    )
    return "\n".join(islice(lines, SHOWN))


def broken() -> list[str]:
    """Return the changes of the code's document that break clients of the committed one."""
    if not COMMITTED.exists():
        return []
    old, new = json.loads(COMMITTED.read_text(encoding="utf-8")), json.loads(generated())
    return [] if old["info"]["version"] != new["info"]["version"] else breaks(old, new)


def main(arguments: list[str]) -> int:
    if lines := broken():
        print("\n".join(lines), BREAKING, sep="\n")
        return 1
    if arguments == ["--write"]:
        COMMITTED.write_text(generated(), encoding="utf-8")
        return 0
    if found := difference():
        print(f"{found}\n{MEND}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
