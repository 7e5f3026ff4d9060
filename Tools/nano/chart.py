"""Line charts with error bars, two in a row, as one SVG that reads on light and dark pages."""

from dataclasses import dataclass
from html import escape
from math import log

# Far apart for every kind of colour vision, at a contrast of 3 to light and to dark paper; marks differ too.
COLOURS = ["#f16c0f", "#772aff", "#20a781", "#c772dc"]
WIDTH, HEIGHT, LEFT, TOP, GAP = 260, 200, 46, 56, 34
GREY = "#767676"


@dataclass
class Series:
    name: str
    points: list  # (x, y, standard error)


@dataclass
class Chart:
    title: str
    axis: str
    series: list
    ticks: list
    note: str = ""


def text(x, y, words, size=12, anchor="middle", colour=GREY, weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}">{escape(str(words))}</text>'
    )


def line(x1, y1, x2, y2, colour=GREY, width=1, opacity=1):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-opacity="{opacity}"/>'
    )


def mark(shape, x, y, colour):
    """A circle, square, triangle or diamond."""
    if shape == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>'
    corners = [
        [(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)],
        [(0, -4.2), (4, 3), (-4, 3)],
        [(0, -4.6), (4.6, 0), (0, 4.6), (-4.6, 0)],
    ][shape - 1]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def panel(chart, left):
    """One chart; x is logarithmic, y runs from 0 to 100."""
    first, last = log(chart.ticks[0]), log(chart.ticks[-1])
    place = {tick: left + WIDTH * (log(tick) - first) / (last - first) for tick in chart.ticks}
    height = lambda value: TOP + HEIGHT * (1 - value / 100)
    parts = [text(left + WIDTH / 2, TOP - 14, chart.title, size=14, weight="bold")]
    for value in range(0, 101, 20):
        parts.append(line(left, height(value), left + WIDTH, height(value), opacity=0.3))
        parts.append(text(left - 8, height(value) + 4, value, size=11, anchor="end"))
    written = float("-inf")
    for tick in chart.ticks:
        parts.append(line(place[tick], TOP + HEIGHT, place[tick], TOP + HEIGHT + 4))
        if place[tick] - written >= 5 + 7 * len(str(tick)):
            parts.append(text(place[tick], TOP + HEIGHT + 18, tick, size=11))
            written = place[tick]
    parts.append(text(left + WIDTH / 2, TOP + HEIGHT + 38, chart.axis))
    for shape, (series, colour) in enumerate(zip(chart.series, COLOURS)):
        corners = " ".join(f"{place[x]:.1f},{height(y):.1f}" for x, y, _ in series.points)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, error in series.points:
            low, high = height(max(y - error, 0)), height(min(y + error, 100))
            parts.append(line(place[x], low, place[x], high, colour, 1.5))
            parts.append(mark(shape, place[x], height(y), colour))
    return parts


def described(charts):
    """What the charts show, for who does not see them."""
    names = ", ".join(series.name for series in charts[0].series)
    return f"A line each for {names}. " + " ".join(f"{chart.title}: over {chart.axis}." for chart in charts)


def page(charts, label):
    columns, height = min(len(charts), 2), TOP + HEIGHT + 40
    width = LEFT + columns * (WIDTH + LEFT + GAP)
    total = -(-len(charts) // columns) * height + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" '
        f'height="{total}" role="img" font-family="sans-serif">',
        f"<title>{escape(label)}</title>",
        f"<desc>{escape(described(charts))}</desc>",
    ]
    parts.append(text(8, 16, label, anchor="start"))
    place = 260
    for shape, (series, colour) in enumerate(zip(charts[0].series, COLOURS)):
        parts.append(line(place, 12, place + 22, 12, colour, 2))
        parts.append(mark(shape, place + 11, 12, colour))
        parts.append(text(place + 28, 16, series.name, anchor="start"))
        place += 120
    for index, chart in enumerate(charts):
        row, column = divmod(index, columns)
        parts.append(f'<g transform="translate(0,{row * height})">')
        parts += panel(chart, LEFT + column * (WIDTH + LEFT + GAP)) + ["</g>"]
    return "\n".join(parts + ["</svg>"]) + "\n"
