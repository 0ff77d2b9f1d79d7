"""Figures as small pictures: how something goes as something else grows, by tens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 300, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 44, 30
ABREAST = 3
INK, FAINT, LINE = "#6b7280", "#9ca3af66", "#2f6fde"
"""Seen on light and on dark pages."""


@dataclass(frozen=True)
class Curve:
    """`points`: how much there is of what grows, more each time, and what that costs."""

    title: str
    unit: str
    points: Sequence[tuple[int, float]]


def drawn(curves: Sequence[Curve]) -> str:
    """An SVG with a picture of each. Costs begin at nothing, so that what is flat looks flat."""
    rows = -(-len(curves) // ABREAST)
    width, height = WIDTH * min(len(curves), ABREAST), HEIGHT * rows
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    style = 'font-family="sans-serif" font-size="11"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {box} {style}>']
    for number, curve in enumerate(curves):
        x, y = WIDTH * (number % ABREAST), HEIGHT * (number // ABREAST)
        parts += [f'<g transform="translate({x} {y})">', *_one(curve), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _one(curve: Curve) -> list[str]:
    most = _round_up(max(value for _, value in curve.points))
    places = [(_across(curve, n), _up(value, most), n, value) for n, value in curve.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
    return [
        _text(LEFT, 16, curve.title, weight="bold"),
        _text(LEFT, 31, curve.unit),
        *(_level(share * most, most) for share in (0, 0.5, 1)),
        f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{LINE}"/>' for x, y, _, _ in places),
        *(_text(x, HEIGHT - 12, f"{n:,}", anchor="middle") for x, _, n, _ in places),
        *(_text(x, y - 7, figure(value), anchor="middle") for x, y, _, value in places),
    ]


def _across(curve: Curve, number: int) -> float:
    first, last = (log10(max(1, curve.points[end][0])) for end in (0, -1))
    share = (log10(max(1, number)) - first) / ((last - first) or 1)
    return LEFT + 14 + share * (WIDTH - LEFT - RIGHT - 28)


def _up(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)


def _level(value: float, most: float) -> str:
    y = _up(value, most)
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>'
        + _text(LEFT - 6, y + 4, figure(value), anchor="end")
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _round_up(value: float) -> float:
    """To one, two or five of its tens, with room for what is written above."""
    ten = 10.0 ** int(log10(max(value, 1)))
    return next(step * ten for step in (1, 2, 5, 10, 20) if step * ten >= value * 1.15)
