"""`make map`: docs/map.svg, the rooms of the app and their imports, drawn from the code.

The rows are the layers of the import contracts in pyproject.toml. An arrow is omitted if a path of
other arrows connects the same rooms.
"""

import sys
import tomllib
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import NamedTuple

import grimp

import config

DRAWN = config.ROOT / "docs" / "map.svg"
MEND = "docs/map.svg is not what the imports say: make map"
ROW, BOX, GAP, TOP = 78, 34, 10, 46  # pixels
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933; text-anchor: middle }
.title { font-weight: 600; text-anchor: start }
rect { fill: #eef2f6; stroke: #7b8794; rx: 6 }
path { stroke: #7b8794; fill: none }
marker path { fill: #7b8794; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  rect { fill: #27313b }
}
"""
Arrows = dict[str, set[str]]


class Panel(NamedTuple):
    """The rooms of one package, in layers from the top."""

    package: str
    layers: list[list[str]]


class Box(NamedTuple):
    x: int
    y: int
    width: int


def panels() -> list[Panel]:
    """Return a panel for each exhaustive contract of pyproject.toml."""
    settings = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        Panel(contract["containers"][0], [layer.split(" | ") for layer in contract["layers"]])
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]


def arrows(graph: grimp.ImportGraph, panel: Panel) -> Arrows:
    """Return the rooms that each room imports from."""
    rooms = [room for layer in panel.layers for room in layer]
    found: Arrows = {}
    for room in rooms:
        module = f"{panel.package}.{room}"
        inside = {module, *graph.find_descendants(module)}
        imported = {
            name for each in inside for name in graph.find_modules_directly_imported_by(each)
        }
        found[room] = {
            other
            for other in rooms
            if other != room and any(_is_in(name, f"{panel.package}.{other}") for name in imported)
        }
    return found


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def reduced(found: Arrows) -> Arrows:
    """Return the arrows without those that a longer path of other arrows replaces."""
    return {
        room: {
            other
            for other in others
            if not any(other in reached(found, between) for between in others - {other})
        }
        for room, others in found.items()
    }


def reached(found: Arrows, start: str) -> set[str]:
    """Return all rooms that are reachable from `start`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = found[waiting.pop()] - seen
        seen |= new
        waiting.extend(new)
    return seen


def boxes(panel: Panel, left: int, width: int) -> dict[str, Box]:
    placed = {}
    for number, layer in enumerate(panel.layers):
        each = (width - GAP * (len(layer) - 1)) // len(layer)
        for place, room in enumerate(layer):
            placed[room] = Box(left + place * (each + GAP), TOP + number * ROW, each)
    return placed


def drawn(panel: Panel, found: Arrows, left: int, width: int) -> Iterable[str]:
    """Yield the lines of SVG for one panel; boxes cover the arrows behind them."""
    placed = boxes(panel, left, width)
    yield f'<text class="title" x="{left}" y="24">{escape(panel.package)}</text>'
    for room, others in found.items():
        for other in sorted(others, key=list(placed).index):
            start, end = placed[room], placed[other]
            way = f"M{_middle(start)} {start.y + BOX}L{_middle(end)} {end.y - 2}"
            yield f'<path marker-end="url(#tip)" d="{way}"/>'
    for room, box in placed.items():
        yield f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{BOX}"/>'
        yield f'<text x="{_middle(box)}" y="{box.y + 22}">{escape(room)}</text>'


def _middle(box: Box) -> int:
    return box.x + box.width // 2


def picture() -> str:
    graph = grimp.build_graph("app")
    app, services = panels()
    height = TOP + max(len(app.layers), len(services.layers)) * ROW - BOX
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" role="img">',
            "<title>The rooms of the app: an arrow leads to what is imported</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="7"'
            ' markerHeight="7" orient="auto"><path d="M0 0L6 3L0 6z"/></marker></defs>',
            *drawn(app, reduced(arrows(graph, app)), 10, 560),
            *drawn(services, reduced(arrows(graph, services)), 640, 250),
            "</svg>\n",
        )
    )


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        DRAWN.write_text(picture(), encoding="utf-8")
        return 0
    if not Path(DRAWN).exists() or DRAWN.read_text(encoding="utf-8") != picture():
        print(MEND)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
