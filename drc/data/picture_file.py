"""One picture file of a user: what it is, whether it can be used, and its pixels."""

import contextlib
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from ..files import BETWEEN_LOOKS, open_regular, stream_hash
from ..pixels import from_pixels, prepare, to_image, to_pixels
from ..progress import OnPart
from ..visible import quoted

AT_ONCE = ("WEBP", "TIFF")  # formats that Pillow decodes in one call, which may take seconds
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MOST_PIXELS = 2**26  # 64 megapixels: 8192 x 8192
MOST_BYTES = 2**29  # as many pixels of 16 bits a channel, as they are
MOST_SCANS = 2**30  # pixels times scans of a JPEG: 16 scans over the largest, many more than cameras write
SHORTEST_SIDE = 8
QUARTER_TURN = 5  # from this EXIF orientation on, width and height change places
WHITE = (255, 255, 255)
OVERSAMPLING = 8  # a picture more than so much larger than asked for is averaged down first, to bound memory
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # of a JPEG, but for those inside its pixels
JPEG_SCAN, JPEG_END = b"\xff\xda", b"\xff\xd9"
WHITES = {"I": (2**16 - 1, 2**32 - 1), "F": (1, 255, 2**16 - 1)}  # by mode, what white may be; else of 16 bits


@dataclass(frozen=True)
class Found:
    digest: str  # SHA-256 of the file's bytes, hexadecimal
    width: int
    height: int
    several: bool  # an animation, or several pages


def inspect(path: Path, on_read: OnPart | None = None) -> Found:
    """Decodes a file once, whole, so that a damaged one is found out; one that is too large is not decoded.

    `on_read` is called before every piece that is read; what it raises ends the reading. Raises ValueError with the
    reason where the picture cannot be used.
    """
    with readable(), opened(path, on_read) as file, not_filled_up():
        image = open_image(file)
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise UnusableError(f"{width} x {height} pixels, but at most 64 megapixels can be used; make it smaller")
        if min(width, height) < SHORTEST_SIDE:
            raise UnusableError(f"{width} x {height} pixels, but each side needs at least {SHORTEST_SIDE}")
        # A photograph with a small copy of itself, as telephones make them, is one picture.
        several = image.format != "MPO" and getattr(image, "is_animated", False)
        image.draft(image.mode, (1, 1))  # a JPEG is read whole, but decoded small
        file.decode(image)
        if quarter_turn(image):
            width, height = height, width
        laid_on(WHITE, image)
        file.seek(0)
        return Found(stream_hash(file), width, height, several)


def read(path: Path, size: int, on_read: OnPart | None = None, ground: tuple[int, int, int] = WHITE) -> np.ndarray:
    """The picture as uint8 [size, size, 3], turned upright, on a ground of that colour, fitted as `drc.pixels.prepare`
    does.

    `on_read` is as of `inspect`, and called between the steps of the work, too. Raises ValueError in one sentence for
    a file that cannot be read.
    """
    return to_pixels(prepare(to_image(from_pixels([read_for(path, size, on_read, ground)])), size, f"'{path}'")[0])


def read_for(path: Path, size: int, on_read: OnPart | None = None, ground: tuple[int, int, int] = WHITE) -> np.ndarray:
    """The picture as uint8 [H, W, 3], turned upright, on a ground of that colour, to be fitted into `size`: one that is
    much larger is averaged down, to bound memory. Else as `read`."""
    image = upright(Path(path), on_read, ground)
    image.thumbnail((OVERSAMPLING * size, OVERSAMPLING * size), Image.Resampling.BOX, reducing_gap=None)
    return np.array(image)


def read_whole(path: Path) -> np.ndarray:
    """The picture as uint8 [H, W, 3], turned upright, on white; ValueError as of `read`."""
    return np.array(upright(path))


def upright(path: Path, on_read: OnPart | None = None, ground: tuple[int, int, int] = WHITE) -> Image.Image:
    try:
        with readable(), opened(path, on_read) as file:
            image = open_image(file)
            file.decode(image)
            file.hear()
            turn_upright(image)
            file.hear()
            return laid_on(ground, image)
    except ValueError as error:
        raise ValueError(f"picture '{path}' is {error}; put it back, or read the folder again") from error


class UnusableError(ValueError):
    """Why a picture cannot be used, after "it is"."""


class StoppedError(BaseException):
    """Carries what `on_read` raised through decoders, which take every error for damage."""


class HeardFile(BufferedReader):
    """A file whose reader can be stopped at every piece: some files make a decoder read for hours.

    What is decoded at once is decoded beside, by a thread that cannot be stopped: whoever stops leaves it behind, and
    the file is closed when it is done.
    """

    def __init__(self, path: Path, on_read: OnPart):
        super().__init__(open_regular(path).detach())
        self.on_read = on_read
        self.beside: Decoding | None = None

    def read(self, size: int = -1) -> bytes:
        self.hear()
        return super().read(size)

    def decode(self, image: Image.Image) -> None:
        if image.format not in AT_ONCE:
            image.load()
            return
        self.beside = Decoding(image)
        while self.beside.is_alive():
            self.beside.join(BETWEEN_LOOKS)
            self.hear()
        if self.beside.error is not None:
            raise self.beside.error

    def close(self) -> None:
        if self.beside is not None and self.beside.is_alive():
            self.beside.left_behind(super().close)
        else:
            super().close()

    def hear(self) -> None:
        if threading.current_thread() is self.beside:
            return
        try:
            self.on_read()
        except Exception as error:
            raise StoppedError from error


class Decoding(threading.Thread):
    """Decodes a picture; `error` is what it raised."""

    def __init__(self, image: Image.Image):
        super().__init__(daemon=True)
        self.image, self.error = image, None
        self.start()

    def run(self) -> None:
        try:
            self.image.load()
        except BaseException as error:
            self.error = error

    def left_behind(self, afterwards: Callable[[], None]) -> None:
        """Has `afterwards` called when it is done."""

        def wait() -> None:
            self.join()
            afterwards()

        threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def opened(path: Path, on_read: OnPart | None = None) -> Iterator[HeardFile]:
    with HeardFile(path, on_read or (lambda: None)) as file:
        if (size := os.fstat(file.fileno()).st_size) > MOST_BYTES:
            raise UnusableError(f"{size // 2**20} MiB, but at most {MOST_BYTES // 2**20} can be read")
        yield file


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Makes one reason out of all that decoders raise over files that are not what they seem."""
    try:
        yield
    except UnusableError:
        raise
    except StoppedError as stopped:
        raise stopped.__cause__ from None
    except Image.DecompressionBombError as error:  # of decoders that look before they tell the size
        raise UnusableError("larger than the 64 megapixels that can be used; make it smaller") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise UnusableError(f"impossible to open ({error.strerror})") from error
        raise UnusableError(f"damaged or cut off ({quoted(str(error) or type(error).__name__)})") from error


@contextlib.contextmanager
def not_filled_up() -> Iterator[None]:
    """Other code in this process may have told Pillow to fill truncated pictures up with grey; not here."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def open_image(file: BinaryIO) -> Image.Image:
    """Image.open for our formats, without its own limit on pixels, which would not tell the size."""
    Image.init()
    start = file.read(16)
    for name in FORMATS:
        opener, accepts = Image.OPEN.get(name, (None, None))
        if opener and (not accepts or accepts(start) is True):
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):  # as Image.open does
                file.seek(0)
                image = opener(file, "")
                if name == "JPEG":
                    check_scans(file, image)
                return image
    raise UnusableError("not a picture, or damaged at its beginning" if start else "an empty file")


def check_scans(file: BinaryIO, image: Image.Image) -> None:
    """A scan of a JPEG that changes nothing takes a hundred bytes, and the time of all pixels."""
    file.seek(0)
    data, position, scans = file.read(), 2, 0
    while (found := MARKER.search(data, position)) and found[0] != JPEG_END:
        scans += found[0] == JPEG_SCAN
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    if scans * image.width * image.height > MOST_SCANS:
        raise UnusableError(f"a JPEG in {scans} passes over its pixels, which takes too long; save it anew")


def quarter_turn(image: Image.Image) -> bool:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) >= QUARTER_TURN
    except Exception:  # nothing that is readable turns it
        return False


def turn_upright(image: Image.Image) -> None:
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def laid_on(ground: tuple[int, int, int], image: Image.Image) -> Image.Image:
    """In RGB; the picture itself where it is that already."""
    if image.mode.startswith("I") or image.mode == "F":
        return eight_bits(image).convert("RGB")
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "RGBa"):
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        below = Image.new("RGB", image.size, ground)
        below.paste(image, mask=image)
        return below
    if image.mode == "LAB":
        raise UnusableError("in Lab colours, which cannot be read; save it in RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits, scaled by its white; Pillow's own conversion cuts off what is above 255.

    Wide modes do not tell their white: it is the smallest usual one that holds the picture.
    """
    numbers = np.asarray(image)
    if image.mode == "I":
        numbers = numbers.view(np.uint32)
    most = numbers.max()
    whites = WHITES.get(image.mode, (2**16 - 1,))
    white = next((white for white in whites if most <= white), None)  # none for NaN either
    if white is None or not numbers.min() >= 0:
        raise UnusableError(
            f"holding numbers from {numbers.min():.4g} to {most:.4g} that are no colours; save it as PNG"
        )
    return Image.fromarray(np.rint(numbers.astype(np.float32) * np.float32(255 / white)).astype(np.uint8))
