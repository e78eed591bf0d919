#!/usr/bin/env python3
"""Draws the figures of benches/peers/ingest.py as bars, to be read on light and on dark.

    docs/charts.py docs/peers.json docs/peers.svg
"""

import json
import math
import statistics
import sys
from pathlib import Path

# A figure, its title, what is drawn of it.
ROWS = [
    ("numbers", "Points per CPU-second, numbers (longer is better)", lambda cost: 1e6 / cost),
    ("memory_numbers", "Memory per series, bytes (shorter is better)", lambda memory: memory),
    ("plain_cpu", "CPU of a scrape, milliseconds (shorter is better)", lambda seconds: seconds * 1e3),
]
WIDTH, LEFT, BAR, GAP, TITLE = 800, 205, 20, 8, 36
# On a ground of its own, since a page may be dark where the system is light.
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .ground { fill: #ffffff; stroke: #d1d9e0 } .title { font-weight: 600 } .said { fill: #59636e; font-size: 12px }
  .own { fill: #0f7b6c } .other { fill: #9aa4af } .line { stroke: #8c959f; stroke-opacity: .35 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ground { fill: #0d1117; stroke: #3d444d } .said { fill: #9198a1 }
    .own { fill: #2dd4bf } .other { fill: #6e7681 }
  }
"""


def short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def draw(report: dict) -> str:
    parts, top = [], 24
    for figure, title, drawn in ROWS:
        bars = []
        for key, subject in report["subjects"].items():
            if values := subject["figures"].get(figure):
                bars.append((key, subject["name"], drawn(statistics.median(values))))
        if not bars:
            continue
        # Of whole powers of ten; the shortest bar is still to be seen.
        low = math.floor(math.log10(min(value for *_, value in bars)) - 0.1)
        high = math.ceil(math.log10(max(value for *_, value in bars)))
        scale = (WIDTH - LEFT - 60) / (high - low)
        parts.append(f'<text class="title" x="0" y="{top}">{title}</text>')
        top += 12
        bottom = top + len(bars) * (BAR + GAP)
        for power in range(low, high + 1):
            x = LEFT + (power - low) * scale
            parts.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        for key, name, value in bars:
            length = (math.log10(value) - low) * scale
            kind = "own" if key == "meterbridge" else "other"
            middle = top + BAR / 2 + GAP / 2 + 5
            parts.append(f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end">{name}</text>')
            parts.append(
                f'<rect class="{kind}" x="{LEFT}" y="{top + GAP / 2}" width="{length:.1f}" height="{BAR}" rx="2"/>'
            )
            parts.append(f'<text x="{LEFT + length + 8:.1f}" y="{middle}">{short(value)}</text>')
            top += BAR + GAP
        top += TITLE
    said = f"{report['series']:,} series, one core, {report['date']}. Logarithmic: each line is ten times the one before it."
    parts.append(f'<text class="said" x="0" y="{top - 8}">{said}</text>')
    body = "\n".join(parts)
    width, height = WIDTH + 32, top + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="Meterbridge beside others">\n<style>{STYLE}</style>\n'
        f'<rect class="ground" x="-15.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
