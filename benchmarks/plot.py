"""Horizontal bars on a logarithmic scale, as SVG that reads in light and in dark."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 760, 190, 110
BAR, GAP, HEAD = 18, 6, 34
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.t{font-weight:600}.b{fill:#9aa5b1}.o{fill:#1668b8}.r{stroke:#222;stroke-dasharray:3 3}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.r{stroke:#ddd}.b{fill:#66707c}.o{fill:#58a6ff}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    who: str
    cpu_ms: float
    ours: bool


def svg(groups: Mapping[str, Sequence[Bar]]) -> str:
    """`groups`: title -> bars; the dashed line of a group is its first bar, the baseline."""
    values = [bar.cpu_ms for bars in groups.values() for bar in bars]
    low = 10 ** math.floor(math.log10(min(values)))
    high = max(values)
    parts = []
    y = 10
    for title, bars in groups.items():
        parts.append(f'<text class="t" x="8" y="{y + 16}">{escape(title)}</text>')
        y += HEAD
        top = y
        for bar in bars:
            length = _x(bar.cpu_ms, low, high) - LEFT
            parts += [
                f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(bar.who)}</text>',
                f'<rect class="{"o" if bar.ours else "b"}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
                f'<text x="{LEFT + length + 6:.1f}" y="{y + 13}">{bar.cpu_ms:.3g} ms</text>',
            ]
            y += BAR + GAP
        x = _x(bars[0].cpu_ms, low, high)
        parts.append(f'<line class="r" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{y - GAP + 4}"/>')
        y += 8
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">'
    title = "<title>CPU milliseconds per evaluation, logarithmic; blue: Assay; dashed: without isolation</title>"
    return f"{head}\n{title}\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / low) / math.log(high / low)
