#!/usr/bin/env python3
"""Draws a flame graph of what `perf script` prints: how wide a bar is says how much of the time was spent in it and above it.

    perf record -F 499 --call-graph dwarf,16384 -p PID; perf script --no-inline | docs/flame.py "TITLE" > docs/flame-ingest.svg
"""

import html
import re
import sys

WIDTH, ROW, LEFT = 1200, 17, 10
# Narrower bars are left out.
LEAST = 0.003
STYLE = """
  text { font: 11px ui-monospace, monospace; fill: #1f2328 } .title { font: 600 14px system-ui, sans-serif }
  .ours { fill: #5fc9b8 } .system { fill: #f0b35f } .other { fill: #c9ced6 }
  @media (prefers-color-scheme: dark) { .title { fill: #e6edf3 } }
"""


def stacks(lines):
    """The frames of each sample, the outermost first."""
    frames = []
    for line in [*lines, ""]:
        if not line.strip():
            if frames:
                yield frames[::-1]
            frames = []
        elif line[0] in " \t":
            found = re.match(r"\s+[0-9a-f]+ (.*) \((.*)\)$", line.rstrip())
            if found:
                name = re.sub(r"\+0x[0-9a-f]+$", "", found[1])
                frames.append((re.sub(r"::h[0-9a-f]{16}$", "", name), found[2]))


def kind(name, place):
    if "kernel" in place:
        return "system"
    return "ours" if "meterbridge::" in name else "other"


def main():
    tree, total = {}, 0
    for frames in stacks(sys.stdin):
        total += 1
        known = [frame for frame in frames if "unknown" not in frame[0]]
        start = next((at for at, (name, _) in enumerate(known) if "poll" in name), 0)
        level = tree
        for name, place in known[start:]:
            node = level.setdefault(name, [0, kind(name, place), {}])
            node[0] += 1
            level = node[2]
    parts, depth = [], 0

    def draw(level, x, row):
        nonlocal depth
        for name, (count, colour, inner) in sorted(level.items(), key=lambda item: -item[1][0]):
            width = (WIDTH - 2 * LEFT) * count / total
            if count / total < LEAST:
                continue
            depth = max(depth, row)
            shown = html.escape(re.sub(r"<.*> as |meterbridge::", "", name)[: int(width / 6.7)]) if width > 30 else ""
            parts.append((row, x, width, colour, f"{html.escape(name)}, {count / total:.1%}", shown))
            draw(inner, x, row + 1)
            x += width

    draw(tree, LEFT, 0)
    height = 40 + (depth + 1) * ROW
    bars = []
    for row, x, width, colour, title, shown in parts:
        y = height - 6 - (row + 1) * ROW
        bars.append(
            f'<g><title>{title}</title><rect class="{colour}" x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" '
            f'height="{ROW - 1}" rx="1"/><text x="{x + 3:.1f}" y="{y + 12}">{shown}</text></g>'
        )
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n<style>{STYLE}</style>\n'
        f'<text class="title" x="{LEFT}" y="20">{html.escape(sys.argv[1])}</text>\n' + "\n".join(bars) + "\n</svg>"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
