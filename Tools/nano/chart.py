"""Line charts with error bars, two in a row, as one SVG that reads on light and dark pages."""

from dataclasses import dataclass
from html import escape

COLOURS = ["#b07aa1", "#4e79a7", "#59a14f", "#e15759"]
WIDTH, HEIGHT, LEFT, TOP, GAP = 260, 200, 46, 56, 34
GREY = "#888888"


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


def panel(chart, left):
    """One chart; x positions are evenly spaced ticks, y runs from 0 to 100."""
    step = WIDTH / (len(chart.ticks) - 1)
    place = {tick: left + index * step for index, tick in enumerate(chart.ticks)}
    height = lambda value: TOP + HEIGHT * (1 - value / 100)
    parts = [text(left + WIDTH / 2, TOP - 14, chart.title, size=14, weight="bold")]
    for value in range(0, 101, 20):
        parts.append(line(left, height(value), left + WIDTH, height(value), opacity=0.3))
        parts.append(text(left - 8, height(value) + 4, value, size=11, anchor="end"))
    for tick in chart.ticks:
        parts.append(text(place[tick], TOP + HEIGHT + 18, tick, size=11))
    parts.append(text(left + WIDTH / 2, TOP + HEIGHT + 38, chart.axis))
    for series, colour in zip(chart.series, COLOURS):
        corners = " ".join(f"{place[x]:.1f},{height(y):.1f}" for x, y, _ in series.points)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, error in series.points:
            low, high = height(max(y - error, 0)), height(min(y + error, 100))
            parts.append(line(place[x], low, place[x], high, colour, 1.5))
            parts.append(f'<circle cx="{place[x]:.1f}" cy="{height(y):.1f}" r="3" fill="{colour}"/>')
    return parts


def page(charts, label):
    columns, height = min(len(charts), 2), TOP + HEIGHT + 40
    width = LEFT + columns * (WIDTH + LEFT + GAP)
    total = -(-len(charts) // columns) * height + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" '
        f'height="{total}" font-family="sans-serif">'
    ]
    parts.append(text(8, 16, label, anchor="start"))
    place = 260
    for series, colour in zip(charts[0].series, COLOURS):
        parts.append(line(place, 12, place + 22, 12, colour, 3))
        parts.append(text(place + 28, 16, series.name, anchor="start"))
        place += 120
    for index, chart in enumerate(charts):
        row, column = divmod(index, columns)
        parts.append(f'<g transform="translate(0,{row * height})">')
        parts += panel(chart, LEFT + column * (WIDTH + LEFT + GAP)) + ["</g>"]
    return "\n".join(parts + ["</svg>"]) + "\n"
