"""Line plots as SVG: both axes logarithmic, one line a series."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

_COLOURS = ("#0b6e4f", "#c8553d", "#2d4a8a", "#a06cd5", "#7a7a7a", "#e0a100", "#008b9a", "#d1477d")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 760, 420, 70, 40, 250, 50

Points = Sequence[tuple[float, float]]


def draw(path: Path, title: str, x_title: str, y_title: str, series: Mapping[str, Points]) -> None:
    """Write the plot of points whose coordinates are above zero."""
    lines = {name: [(x, max(y, 0.01)) for x, y in points if x > 0] for name, points in series.items()}
    found = [point for points in lines.values() for point in points]
    if not found:
        return
    bounds = [_decades([point[axis] for point in found]) for axis in (0, 1)]
    parts = [*_axes(bounds, x_title, y_title), _text(_LEFT, 22, title, "start", 15)]
    for number, (name, points) in enumerate(lines.items()):
        parts += _line(name, [_place(point, bounds) for point in points], number)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    ground = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    path.write_text("\n".join([head, ground, *parts, "</svg>\n"]), encoding="utf-8")


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _place(point: tuple[float, float], bounds: Sequence[tuple[int, int]]) -> tuple[float, float]:
    shares = [(log10(value) - low) / (high - low) for value, (low, high) in zip(point, bounds, strict=True)]
    x = _LEFT + shares[0] * (_WIDTH - _LEFT - _RIGHT)
    return x, _HEIGHT - _BOTTOM - shares[1] * (_HEIGHT - _TOP - _BOTTOM)


def _axes(bounds: Sequence[tuple[int, int]], x_title: str, y_title: str) -> list[str]:
    parts = []
    for decade in range(bounds[0][0], bounds[0][1] + 1):
        x, y = _place((10.0**decade, 10.0 ** bounds[1][0]), bounds)
        parts += [_rule(x, y, x, _TOP), _text(x, y + 18, f"{10.0**decade:,g}", "middle")]
    for decade in range(bounds[1][0], bounds[1][1] + 1):
        x, y = _place((10.0 ** bounds[0][0], 10.0**decade), bounds)
        parts += [_rule(x, y, _WIDTH - _RIGHT, y), _text(x - 8, y + 4, f"{10.0**decade:,g}", "end")]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [*parts, _text(middle, _HEIGHT - 12, x_title, "middle"), _text(_LEFT, _TOP - 4, y_title, "end")]


def _line(name: str, places: Points, number: int) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    dash = ' stroke-dasharray="5 3"' if number >= len(_COLOURS) else ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    y, x = _TOP + 10 + 18 * number, _WIDTH - _RIGHT + 16
    key = f'<line x1="{x}" y1="{y}" x2="{x + 20}" y2="{y}" stroke="{colour}" stroke-width="2"{dash}/>'
    line = f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    return [line, *dots, key, _text(x + 26, y + 4, name, "start")]


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, size: int = 11) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
