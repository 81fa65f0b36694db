"""Charts as SVG, without native code.

    from sandbox_charts import bar
    bar(["Rome", "Oslo"], [3, 5], title="Visits").save("visits.svg")

bar, line, scatter and histogram each return a Chart. Its svg is the picture as text,
and save writes it to a file of the workspace. Several series are a dictionary of
names and values: line({"2024": [1, 2], "2025": [2, 4]}, x=["Q1", "Q2"]).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path

__all__ = ["bar", "line", "scatter", "histogram", "Chart"]

# Okabe and Ito's colours, which colour-blind readers tell apart.
# See https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
_MOST = 20_000  # values of a series
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 44, 56


class Chart:
    """A finished chart: its SVG is in ``svg``."""

    def __init__(self, svg: str):
        self.svg = svg

    def save(self, path: str | PathLike) -> Path:
        """Write the chart to a file such as "chart.svg"; return its path."""
        file = Path("/app") / path
        file.write_text(self.svg, encoding="utf-8")
        return file

    def _repr_svg_(self):
        return self.svg


def _numbers(values, what):
    numbers = []
    for value in values:
        if len(numbers) == _MOST:
            raise ValueError(f"{what}: too many values for a chart; at most {_MOST}")
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{what}: {value!r} cannot be drawn")
        numbers.append(number)
    if not numbers:
        raise ValueError(f"{what}: there are no values")
    return numbers


def _series(values, what):
    """Series by name, all of the same length."""
    if not isinstance(values, Mapping):
        values = {"": values}
    series = {str(name): _numbers(of, what) for name, of in values.items()}
    if len({len(of) for of in series.values()}) != 1:
        raise ValueError(f"{what}: the series differ in length: { {name: len(of) for name, of in series.items()} }")
    return series


def _ticks(low, high):
    """About five round numbers that span a range; the first and last hold it.

    The steps are 1, 2 or 5 times a power of ten.
    """
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(f for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [n * step for n in range(first, last + 1)]


def _label(number):
    if number and not 1e-4 <= abs(number) < 1e6:
        return f"{number:.3g}"
    return f"{round(number, 6):,.6f}".rstrip("0").rstrip(".")


class _Canvas:
    """A frame with axes, and scales from values to places in it."""

    def __init__(self, width, height, title, xlabel, ylabel):
        self.width, self.height = int(width), int(height)
        if not (100 <= self.width <= 10_000 and 100 <= self.height <= 10_000):
            raise ValueError(f"a chart of {width} by {height}: want 100 to 10000 pixels each way")
        self.parts = []
        self.inner = self.width - _LEFT - _RIGHT, self.height - _TOP - _BOTTOM
        middle = _LEFT + self.inner[0] / 2
        self.text(self.width / 2, 24, title, size=16, weight="bold")
        self.text(middle, self.height - 10, xlabel)
        if ylabel:
            y = _TOP + self.inner[1] / 2
            self.text(16, y, ylabel, turn=f' transform="rotate(-90 16 {y:g})"')

    def text(self, x, y, text, anchor="middle", size=12, weight="normal", turn=""):
        if text:
            self.parts.append(
                f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" font-size="{size}" '
                f'font-weight="{weight}"{turn}>{escape(str(text))}</text>')

    def scale_x(self, ticks):
        low, high = ticks[0], ticks[-1]
        self.x = lambda value: _LEFT + (value - low) / (high - low) * self.inner[0]

    def scale_y(self, ticks):
        low, high = ticks[0], ticks[-1]
        self.y = lambda value: _TOP + (high - value) / (high - low) * self.inner[1]
        for tick in ticks:
            y = self.y(tick)
            self.parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + self.inner[0]}" y1="{y:.2f}" y2="{y:.2f}" stroke="#ddd"/>')
            self.text(_LEFT - 8, y + 4, _label(tick), anchor="end")

    def number_x(self, ticks):
        for tick in ticks:
            self.text(self.x(tick), _TOP + self.inner[1] + 18, _label(tick))

    def name_x(self, places, names):
        """Write names below places, as many as there is room for."""
        room = max(1, self.inner[0] // max(1, max(len(str(name)) for name in names) * 7 + 8))
        every = math.ceil(len(names) / room)
        for place, name in list(zip(places, names))[::every]:
            self.text(place, _TOP + self.inner[1] + 18, name)

    def legend(self, names):
        x = self.width - _RIGHT
        for index, name in reversed(list(enumerate(names))):
            if name:
                self.text(x, _TOP - 6, name, anchor="end")
                x -= len(name) * 7 + 12
                self.parts.append(f'<rect x="{x - 4:.2f}" y="{_TOP - 15}" width="10" height="10" fill="{_colour(index)}"/>')
                x -= 16

    def finish(self):
        base = _TOP + self.inner[1]
        self.parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + self.inner[0]}" y1="{base}" y2="{base}" stroke="#333"/>')
        return Chart(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif">\n'
            '<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def _colour(index):
    return _COLOURS[index % len(_COLOURS)]


def _span(series, zero=False):
    every = [value for of in series.values() for value in of]
    return _ticks(min(every + [0.0] * zero), max(every + [0.0] * zero))


def bar(labels: Sequence, values: Sequence[float] | Mapping[str, Sequence[float]], *, title: str = "",
        xlabel: str = "", ylabel: str = "", width: int = 640, height: int = 400) -> Chart:
    """Draw a bar for each label, side by side where there are several series."""
    series, labels = _series(values, "bar"), list(labels)
    count = len(next(iter(series.values())))
    if len(labels) != count:
        raise ValueError(f"bar: {len(labels)} labels for {count} values")
    canvas = _Canvas(width, height, title, xlabel, ylabel)
    canvas.scale_y(_span(series, zero=True))
    slot = canvas.inner[0] / count
    thick = slot * 0.8 / len(series)
    for index, (name, numbers) in enumerate(series.items()):
        for place, number in enumerate(numbers):
            x = _LEFT + slot * (place + 0.1) + thick * index
            top, bottom = sorted((canvas.y(number), canvas.y(0)))
            label = f"{name} {labels[place]}".strip()
            canvas.parts.append(
                f'<rect x="{x:.2f}" y="{top:.2f}" width="{thick:.2f}" height="{bottom - top:.2f}" '
                f'fill="{_colour(index)}"><title>{escape(label)}: {_label(number)}</title></rect>')
    canvas.name_x([_LEFT + slot * (place + 0.5) for place in range(count)], labels)
    canvas.legend(series)
    return canvas.finish()


def line(values: Sequence[float] | Mapping[str, Sequence[float]], x: Sequence | None = None, *, title: str = "",
         xlabel: str = "", ylabel: str = "", width: int = 640, height: int = 400) -> Chart:
    """Draw a line through values, one for each series.

    x says where each value is: numbers, or any names, at equal distances. Without
    it they are counted from 0.
    """
    series = _series(values, "line")
    count = len(next(iter(series.values())))
    places = list(range(count)) if x is None else list(x)
    if len(places) != count:
        raise ValueError(f"line: {len(places)} places for {count} values")
    numeric = all(isinstance(place, (int, float)) for place in places)
    numbers = _numbers(places if numeric else range(count), "line")
    canvas = _Canvas(width, height, title, xlabel, ylabel)
    ticks = _ticks(min(numbers), max(numbers)) if numeric else [-0.5, count - 0.5]
    canvas.scale_x(ticks)
    canvas.scale_y(_span(series))
    for index, of in enumerate(series.values()):
        points = " ".join(f"{canvas.x(a):.2f},{canvas.y(b):.2f}" for a, b in zip(numbers, of))
        canvas.parts.append(f'<polyline points="{points}" fill="none" stroke="{_colour(index)}" stroke-width="2"/>')
    if numeric:
        canvas.number_x(ticks)
    else:
        canvas.name_x([canvas.x(number) for number in numbers], places)
    canvas.legend(series)
    return canvas.finish()


def scatter(x: Iterable[float], y: Iterable[float], *, title: str = "", xlabel: str = "", ylabel: str = "",
            width: int = 640, height: int = 400) -> Chart:
    """Draw a point for each pair of numbers."""
    across, up = _numbers(x, "scatter"), _numbers(y, "scatter")
    if len(across) != len(up):
        raise ValueError(f"scatter: {len(across)} values of x for {len(up)} of y")
    canvas = _Canvas(width, height, title, xlabel, ylabel)
    ticks = _ticks(min(across), max(across))
    canvas.scale_x(ticks)
    canvas.scale_y(_ticks(min(up), max(up)))
    canvas.parts += (
        f'<circle cx="{canvas.x(a):.2f}" cy="{canvas.y(b):.2f}" r="4" fill="{_COLOURS[0]}" fill-opacity="0.7"/>'
        for a, b in zip(across, up))
    canvas.number_x(ticks)
    return canvas.finish()


def histogram(values: Iterable[float], bins: int | None = None, *, title: str = "", xlabel: str = "",
              ylabel: str = "count", width: int = 640, height: int = 400) -> Chart:
    """Draw how many values fall into each of some equal intervals.

    Without bins, there are as many as the square root of the number of values, from
    5 to 50.
    """
    numbers = _numbers(values, "histogram")
    bins = bins or max(5, min(50, math.isqrt(len(numbers))))
    low, high = min(numbers), max(numbers)
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = [0] * bins
    for number in numbers:
        counts[min(bins - 1, int((number - low) / (high - low) * bins))] += 1
    canvas = _Canvas(width, height, title, xlabel, ylabel)
    ticks = _ticks(low, high)
    canvas.scale_x(ticks)
    canvas.scale_y(_ticks(0, max(counts)))
    step = (high - low) / bins
    for index, count in enumerate(counts):
        left, right = canvas.x(low + step * index), canvas.x(low + step * (index + 1))
        top = canvas.y(count)
        canvas.parts.append(
            f'<rect x="{left:.2f}" y="{top:.2f}" width="{max(0.5, right - left - 1):.2f}" height="{canvas.y(0) - top:.2f}" '
            f'fill="{_COLOURS[0]}"><title>{_label(low + step * index)} to {_label(low + step * (index + 1))}: {count}</title></rect>')
    canvas.number_x(ticks)
    return canvas.finish()
