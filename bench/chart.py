"""A small SVG of requests a second over connections, with a line for each number of workers."""

from bench.servers import ROOT

PATH = ROOT / "docs" / "throughput.svg"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 320, 60, 20, 40
COLOURS = ("#0969da", "#bf3989", "#1a7f37")


def write(rates: dict[str, dict[str, float]]) -> None:
    """Write the chart. `rates` are by workers, then by connections."""
    connections = list(next(iter(rates.values())))
    most = max(rate for line in rates.values() for rate in line.values())
    step = (WIDTH - LEFT - 110) / (len(connections) - 1)
    deep = HEIGHT - TOP - BOTTOM

    def at(index: int, rate: float) -> tuple[float, float]:
        return LEFT + index * step, TOP + deep * (1 - rate / most)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="sans-serif" font-size="13">',
        "<title>Requests a second by connections, for 1, 2 and 4 workers</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        _, y = at(0, most * share)
        parts.append(f'<path d="M{LEFT} {y:.0f}H{WIDTH - 110}" stroke="#d0d7de"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{most * share:.0f}</text>'
        )
    for index, number in enumerate(connections):
        x, _ = at(index, 0)
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - 18}" text-anchor="middle">{number}</text>')
    middle = (LEFT + WIDTH - 110) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 3}" text-anchor="middle">connections</text>')
    ends = []
    for colour, (workers, line) in zip(COLOURS, rates.items(), strict=True):
        points = [at(index, rate) for index, rate in enumerate(line.values())]
        path = "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        ends.append((points[-1][1], colour, "1 worker" if workers == "1" else f"{workers} workers"))
    low = 0.0
    for y, colour, label in sorted(ends):
        low = max(y, low + 16)  # no label over another
        parts.append(f'<text x="{WIDTH - 102}" y="{low + 4:.0f}" fill="{colour}">{label}</text>')
    PATH.write_text("\n".join([*parts, "</svg>"]) + "\n")
