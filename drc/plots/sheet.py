"""Contact sheets: pictures in a grid with words around them, light on the dark ground of the host."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from .canvas import GROUND, LIGHT, MUTED, plain, shortened

HEAD, NAME, STRIP, SMALLEST = 15, 14, 16, 9  # sizes of letters in pixels


def of_one_size(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """uint8 [H, W, 3] each -> the same at the top left of as much ground as the largest needs."""
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    sized = [np.full((height, width, 3), ImageColor.getrgb(GROUND), np.uint8) for _ in pictures]
    for ground, picture in zip(sized, pictures, strict=True):
        ground[: picture.shape[0], : picture.shape[1]] = picture
    return sized


def contact_sheet(
    rows: list[list[np.ndarray | None]],
    heads: list[str],
    names: list[str] | None = None,
    cell: int = 128,
    gap: int = 8,
) -> np.ndarray:
    """A table of pictures, uint8 [H, W, 3].

    `rows` hold one picture uint8 [h, w, 3] or None per column; None, or a row that ends early, leaves the ground empty.
    A picture of another size is scaled to fit its cell. `heads` stand above the columns, `names` (one per row) to the
    left; what is too long for its place ends in "...". Raises ValueError when pictures, heads and names do not match.
    """
    if any(len(row) > len(heads) for row in rows):
        longest = max(len(row) for row in rows)
        raise ValueError(
            f"a row of the contact sheet has {longest} pictures, expected at most {len(heads)} (the heads)"
        )
    if names is not None and len(names) != len(rows):
        raise ValueError(f"the contact sheet has {len(names)} row names, expected {len(rows)}, one per row")
    head_font, name_font = ImageFont.load_default(HEAD), ImageFont.load_default(NAME)
    names = [shortened(name, name_font, 1.5 * cell) for name in names or []]
    left, top = gap, gap
    if any(names):
        left += round(max(map(name_font.getlength, names))) + gap
    if any(heads):
        top += HEAD + gap
    sheet = Image.new("RGB", (left + len(heads) * (cell + gap), top + len(rows) * (cell + gap)), GROUND)
    pen = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        middle = left + column * (cell + gap) + cell / 2
        pen.text((middle, top - gap), shortened(head, head_font, cell), LIGHT, head_font, anchor="md")
    for number, row in enumerate(rows):
        y = top + number * (cell + gap)
        if names:
            pen.text((left - gap, y + cell / 2), names[number], MUTED, name_font, anchor="rm")
        for column, picture in enumerate(row):
            if picture is not None:
                small = fitted(picture, cell)
                x = left + column * (cell + gap)
                sheet.paste(small, (x + (cell - small.width) // 2, y + (cell - small.height) // 2))
    return np.array(sheet)


def numbered_sheet(pictures: Sequence[np.ndarray], labels: Sequence[str], cell: int = 96, gap: int = 8) -> np.ndarray:
    """Pictures uint8 [h, w, 3] in a grid as wide as it is high, a label below each; uint8 [H, W, 3]."""
    columns = max(1, round(len(pictures) ** 0.5))
    rows, font = -(-len(pictures) // columns), ImageFont.load_default(NAME)
    step = cell + gap + NAME + gap // 2
    sheet = Image.new("RGB", (gap + columns * (cell + gap), gap + rows * step), GROUND)
    pen = ImageDraw.Draw(sheet)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        small = fitted(picture, cell)
        x, y = gap + number % columns * (cell + gap), gap + number // columns * step
        sheet.paste(small, (x + (cell - small.width) // 2, y + (cell - small.height) // 2))
        pen.text((x + cell / 2, y + cell + gap // 2), shortened(label, font, cell), MUTED, font, anchor="ma")
    return np.array(sheet)


def status_strip(image: np.ndarray, text: str) -> np.ndarray:
    """The picture uint8 [H, W, 3] with one line of text below it, uint8 [H + strip, W, 3].

    Letters get smaller before a long line is cut, and the strip has the same height whatever the line says.
    """
    height, width = image.shape[:2]
    margin = STRIP // 2
    room = width - 2 * margin
    fonts = (ImageFont.load_default(size) for size in range(STRIP, SMALLEST - 1, -1))
    font = next((font for font in fonts if font.getlength(plain(text)) <= room), ImageFont.load_default(SMALLEST))
    strip = Image.new("RGB", (width, STRIP + 2 * margin), GROUND)
    line = shortened(text, font, room)
    ImageDraw.Draw(strip).text((margin, strip.height / 2), line, LIGHT, font, anchor="lm")
    return np.concatenate((image, np.array(strip)))


def fitted(picture: np.ndarray, cell: int) -> Image.Image:
    """uint8 [h, w, 3] scaled until its longer side is `cell`."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        shape = " x ".join(map(str, picture.shape))
        raise ValueError(f"a picture of the contact sheet is {picture.dtype} of {shape}, expected uint8 of h x w x 3")
    height, width = picture.shape[:2]
    longest = max(height, width)
    size = max(1, round(cell * width / longest)), max(1, round(cell * height / longest))
    return Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.LANCZOS)
