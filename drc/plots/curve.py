"""The loss curve: what the log of a training says so far, as a picture."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .canvas import COLOURS, DIM, GRID, GROUND, LIGHT, MUTED, SHARP, SMALL, TITLE, shortened

BLUE, ORANGE, GREEN, PINK, VIOLET, LIME, YELLOW, INDIGO = COLOURS


@dataclass(frozen=True)
class Series:
    key: str  # in the records of the log
    name: str  # in the legend
    colour: str
    noisy: bool = False  # a running mean is drawn over the line
    rare: bool = False  # a dot at every value


@dataclass(frozen=True)
class Chart:
    title: str
    note: str
    series: tuple[Series, ...]
    shows: tuple[float, ...] = ()  # numbers that the axis always reaches


def combinations(what: str) -> tuple[Series, ...]:
    colours = {"aa": YELLOW, "sa": GREEN, "am": PINK, "sm": INDIGO}
    return tuple(Series(f"{what}_{pair}", f"({pair[0]}, {pair[1]})", colour) for pair, colour in colours.items())


TRAINING = Series("loss", "training", BLUE, noisy=True)
VALIDATION = Series("validation_loss", "validation", ORANGE, rare=True)
STYLE = Series("style_score", "style score", VIOLET, rare=True)
SEMANTICS = Series("semantic_score", "semantic score", LIME, rare=True)
CHARTS = (
    Chart("loss", "in nats", (TRAINING, VALIDATION)),
    Chart("loss of each combination", "(style of, meaning of)", combinations("loss")),
    Chart("how often each is drawn", "(style of, meaning of)", combinations("p"), (0, 1)),
    Chart("what counts", "loss that a wrong history or reference adds", (STYLE, SEMANTICS), (0,)),
)


def loss_curve(records: list[dict], width: int = 1024, height: int = 768) -> np.ndarray:
    """The records of a training's log as uint8 [height, width, 3].

    A record has a "step" and some numbers under the keys of CHARTS; losses and scores are in nats. What is missing or
    no finite number is left out, a chart without any number too, and the others take its room.
    """
    found = {series.key: points(records, series.key) for chart in CHARTS for series in chart.series}
    charts = [chart for chart in CHARTS if any(len(found[series.key]) for series in chart.series)]
    picture = Image.new("RGB", (width * SHARP, height * SHARP), GROUND)
    pen = ImageDraw.Draw(picture)
    if not charts:
        middle = picture.width / 2, picture.height / 2
        pen.text(middle, "no step yet", MUTED, ImageFont.load_default(TITLE * SHARP), anchor="mm")
        return np.array(picture.reduce(SHARP))
    last = max(1, max(pairs[-1, 0] for pairs in found.values() if len(pairs)))
    for chart, box in zip(charts, boxes(len(charts), *picture.size), strict=True):
        draw_chart(pen, box, chart, found, last)
    return np.array(picture.reduce(SHARP))


def points(records: list[dict], key: str) -> np.ndarray:
    """Steps and finite values [n, 2] of one key, in the order of the steps."""
    pairs = [(record.get("step"), record.get(key)) for record in records]
    pairs = [pair for pair in pairs if all(isinstance(x, Real) and math.isfinite(x) for x in pair)]
    return np.array(sorted(pairs, key=lambda pair: pair[0]), dtype=float).reshape(-1, 2)


def boxes(count: int, width: int, height: int) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each chart: one below the other, or from three on two abreast below a wide one."""
    lines = {1: (1,), 2: (1, 1), 3: (1, 2), 4: (2, 2)}[count]
    high = height / len(lines)
    cells = [(line, i, width / abreast) for line, abreast in enumerate(lines) for i in range(abreast)]
    return [(wide * i, high * line, wide * (i + 1), high * (line + 1)) for line, i, wide in cells]


def draw_chart(pen, box, chart: Chart, found: dict[str, np.ndarray], last: float) -> None:
    """Title, legend, axes and lines of one chart; `last` is the last step of all charts."""
    left, top, right, bottom = box
    edge, gap, small = 16 * SHARP, 8 * SHARP, ImageFont.load_default(SMALL * SHARP)
    raw = {series: found[series.key] for series in chart.series if len(found[series.key])}
    bold = {series: running_mean(pairs) if series.noisy else pairs for series, pairs in raw.items()}
    write_head(pen, (left + edge, top + edge / 2, right - edge), chart, raw, bold)
    low, high = span(np.concatenate([pairs[:, 1] for pairs in raw.values()]), chart.shows)
    up = ticks(low, high, (bottom - top) / (48 * SHARP))
    labels = numerals(up)
    left += edge + max(map(small.getlength, ["step", *labels])) + gap
    top, right, bottom = top + (32 + TITLE + SMALL) * SHARP, right - 1.5 * edge, bottom - (SMALL + 16) * SHARP

    def place(pairs):
        x = left + pairs[:, 0] / last * (right - left)
        y = bottom - (np.clip(pairs[:, 1], low, high) - low) / (high - low) * (bottom - top)
        return np.stack((x, y), axis=1)

    for (_, y), value, label in zip(place(np.array([(0, y) for y in up])), up, labels, strict=True):
        pen.line((left, y, right, y), DIM if value == 0 else GRID, SHARP)
        pen.text((left - gap, y), label, MUTED, small, anchor="rm")
    along = ticks(0, last, (right - left) / (96 * SHARP), whole=True)
    for (x, _), label in zip(place(np.array([(x, low) for x in along])), numerals(along), strict=True):
        pen.line((x, bottom, x, bottom + gap / 2), MUTED, SHARP)
        x = min(x, box[2] - gap - small.getlength(label) / 2)
        pen.text((x, bottom + gap), label, MUTED, small, anchor="mt")
    pen.text((left - gap, bottom + gap), "step", MUTED, small, anchor="rt")
    for series in raw:
        if bold[series] is not raw[series]:
            pen.line(place(raw[series]).ravel().tolist(), series.colour, 1)  # half a pixel, so half as bright
    draw_lines(pen, {series: place(pairs) for series, pairs in bold.items()}, (left, right))


def write_head(pen, room, chart: Chart, raw: dict[Series, np.ndarray], bold: dict[Series, np.ndarray]) -> None:
    """Title and note, below them the legend with the newest value of each line."""
    left, line, right = room
    title, small = ImageFont.load_default(TITLE * SHARP), ImageFont.load_default(SMALL * SHARP)
    line += TITLE * SHARP
    pen.text((left, line), chart.title, LIGHT, title, anchor="ls")
    after = left + title.getlength(chart.title) + 12 * SHARP
    pen.text((after, line), shortened(chart.note, small, right - after), MUTED, small, anchor="ls")
    line += (SMALL + 7) * SHARP
    for series in raw:
        mean = ", running mean" if bold[series] is not raw[series] else ""
        words = f"{series.name}{mean} {figure(bold[series][-1, 1])}"
        swatch = (left, line - 7 * SHARP, left + 14 * SHARP, line - 3 * SHARP)
        left += 19 * SHARP
        if left < right:
            pen.rectangle(swatch, series.colour)
            pen.text((left, line), shortened(words, small, right - left), LIGHT, small, anchor="ls")
        left += small.getlength(words) + 14 * SHARP


def draw_lines(pen, lines: dict[Series, np.ndarray], room: tuple[float, float]) -> None:
    """Lines through places [n, 2]. Where some lie on each other they take turns, so that all of them are seen."""
    turns = np.arange(room[0], room[1] + 12 * SHARP, 12 * SHARP)
    order = list(lines)
    for begin, end in zip(turns, turns[1:], strict=False):
        order = order[1:] + order[:1]
        for series in order:
            x, y = lines[series].T
            piece = np.unique(np.clip(np.concatenate(([begin], x[(x > begin) & (x < end)], [end])), x[0], x[-1]))
            if len(piece) > 1:
                corners = np.stack((piece, np.interp(piece, x, y)), axis=1)
                pen.line(corners.ravel().tolist(), series.colour, (3 if series.noisy else 2) * SHARP)
    for series, places in lines.items():
        if series.rare or len(places) == 1:
            for x, y in places:
                pen.ellipse((x - 3.5 * SHARP, y - 3.5 * SHARP, x + 3.5 * SHARP, y + 3.5 * SHARP), series.colour)


def running_mean(pairs: np.ndarray) -> np.ndarray:
    """Steps and means [n, 2] over a twelfth of the records, the nearest most; the same array when they are few."""
    window = max(3, len(pairs) // 12) | 1
    if len(pairs) < 3 * window:
        return pairs
    near = np.hanning(window + 2)[1:-1]
    means = np.convolve(pairs[:, 1], near, "same") / np.convolve(np.ones(len(pairs)), near, "same")
    return np.stack((pairs[:, 0], means), axis=1)


def span(values: np.ndarray, shows: tuple[float, ...]) -> tuple[float, float]:
    """Lowest and highest number of an axis. Rare ones far outside do not squeeze the rest: they run along its edge."""
    low, high = np.percentile(values, (1, 99))
    reach = high - low
    low, high = max(values.min(), low - reach), min(values.max(), high + reach)
    low, high = min((low, *shows)), max((high, *shows))
    if high - low < 1e-6 * max(1.0, abs(high)):
        low, high = low - max(0.5, 0.1 * abs(low)), high + max(0.5, 0.1 * abs(high))
    room = 0.04 * (high - low)
    return low - room * (low not in shows), high + room * (high not in shows)


def ticks(low: float, high: float, about: float, whole: bool = False) -> list[float]:
    """Round numbers from low to high: multiples of 1, 2 or 5 times a power of ten, `about` so many."""
    rough = max((high - low) / max(about, 3), 1 if whole else 0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [round(number * step, 12) for number in numbers]


def figure(value: float) -> str:
    return f"{value:.2f}" if value == 0 or 0.1 <= abs(value) < 1e5 else f"{value:.2g}"


def numerals(numbers: list[float]) -> list[str]:
    """The numbers of one axis, all with the same decimals: 1,000 or 0.25 or 1e+09."""
    step = min((b - a for a, b in zip(numbers, numbers[1:], strict=False)), default=1)
    if max(map(abs, numbers), default=0) >= 1e7 or step < 1e-5:
        return [f"{number:.3g}" for number in numbers]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{number:,.{decimals}f}" for number in numbers]
