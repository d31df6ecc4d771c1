"""Lock Palette and Pictures to SVG: drawn pictures as files that can be shipped, in the colours of their history."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ..drc.complete.settings import FULL, LEAST, MOST_COLOURS
from ..drc.interrupt import heard
from . import host
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of, sharpening
from .progress import Later, Progress
from .widgets import SQUARE_TOOLTIP, choice, listed, names_from, whole_number

if TYPE_CHECKING:
    import numpy
    from torch import Tensor

    from ..drc.complete.palette import Palette

LARGEST_GRID = 1024
GROUNDS = LEFT_OUT, FILLED = "transparent", "filled"
IMAGES_TOOLTIP = "Drawn pictures, as they come from DRC Decode, sharp or not, in any number. " + SQUARE_TOOLTIP


def colours() -> io.WidgetInput:
    return whole_number(
        "colours",
        0,
        0,
        MOST_COLOURS,
        "The most colours that a picture may have beside its ground. 0: as many as the pictures of the history usually "
        "have. Each picture takes those that are nearest to its own.",
    )


@guarded
class DRC_LockPalette(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_LockPalette",
            display_name="Lock Palette",
            category="DRC/sets",
            description="Gives drawn pictures exactly the colours of a history, with clean edges, in the size that you "
            "ship, and tells where they are transparent.",
            inputs=[
                io.Image.Input("images", tooltip=IMAGES_TOOLTIP),
                io.Image.Input("history", tooltip="The pictures whose colours they get, as in StyleTower."),
                colours(),
                whole_number(
                    "size",
                    FULL,
                    LEAST,
                    FULL,
                    "Width and height of what comes out, in pixels. Small pictures are made sharp first, and shrunk "
                    "after their colours were found.",
                ),
                mask("history"),
                mask("images"),
            ],
            outputs=[
                io.Image.Output(
                    "image_out", display_name="IMAGE", tooltip="The pictures on the ground of the history."
                ),
                io.Mask.Output(
                    "mask_out",
                    display_name="MASK",
                    tooltip="Where they are transparent: wherever the ground shows, if that of the history is flat. "
                    "Join Image with Alpha makes pictures with transparency of both.",
                ),
            ],
            is_input_list=True,
            **host.newer(
                search_aliases=["quantize", "quantise", "colour match", "remove background", "icon", "sticker"]
            ),
        )

    @classmethod
    def execute(cls, images, history, colours, size, history_mask=None, images_mask=None) -> io.NodeOutput:
        import numpy

        from ..drc.complete.palette import lock
        from ..drc.complete.sizes import on_ground, shrunk
        from ..drc.pixels import from_pixels

        images = pictures_of(images, images_mask, "images")
        history = pictures_of(history, history_mask, "history")
        progress = Progress(len(history) + len(images))
        palette, ground = palette_and_ground(history, "history", progress)
        large = full_sized(images, Later(progress, len(history)))
        small = [shrunk(lock(one[None], palette, colours, host.check_interrupt)[0], size) for one in large]
        transparent = from_pixels(numpy.stack([255 - one[..., 3:] for one in small]))[:, 0]
        pictures = host.as_images([on_ground(one, ground) for one in small])
        device = host.intermediate_device()
        return io.NodeOutput(pictures.to(device), transparent.to(device))


@guarded
class DRC_PicturesToSVG(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_PicturesToSVG",
            display_name="Pictures to SVG",
            category="DRC/sets",
            description="Traces drawn pictures of a few flat colours as SVG files, one path for each colour, for "
            "Save Icon Set or SaveSVGNode. Needs the Python package vtracer.",
            inputs=[
                io.Image.Input("images", tooltip=IMAGES_TOOLTIP),
                io.Image.Input(
                    "history",
                    optional=True,
                    tooltip="The pictures whose colours they get, as in StyleTower. Without them the pictures keep "
                    "their own colours, made flat.",
                ),
                colours(),
                whole_number(
                    "grid",
                    0,
                    0,
                    LARGEST_GRID,
                    "Width and height of the viewBox, in units. 0: as many as the pictures of the history have pixels, "
                    "if these are 64 or fewer, else 24.",
                ),
                choice(
                    "ground",
                    GROUNDS,
                    "transparent: nothing is drawn where the ground shows, if it is flat. filled: its colour lies "
                    "below the drawing.",
                ),
                mask("history"),
                mask("images"),
                names_from(
                    "What each picture is called: the names from Complete Icon Set. Without them it is a number."
                ),
            ],
            outputs=[
                io.SVG.Output("svg_out", display_name="SVG", tooltip="The files, for Save Icon Set or SaveSVGNode."),
                io.String.Output(
                    "names_out",
                    display_name="names",
                    tooltip="What each file is called, without those that were left out. A list.",
                    is_output_list=True,
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            **host.newer(search_aliases=["vectorize", "vectorise", "trace", "vector", "icon"]),
        )

    @classmethod
    def execute(
        cls, images, colours, grid, ground, history=None, history_mask=None, images_mask=None, names=""
    ) -> io.NodeOutput:
        from ..drc.complete import svg
        from ..drc.complete.flat import require_flat
        from ..drc.complete.palette import lock
        from ..drc.complete.report import numbered

        images = pictures_of(images, images_mask, "images")
        history = pictures_of(history, history_mask, "history") if history is not None else []
        called = numbered(listed(names), len(images))
        try:
            svg.require()
        except ValueError as error:  # what else hangs in the graph goes on: only what waits for the files stops
            return io.NodeOutput(*host.nothing(2), ui=host.show_text(cls.hidden, f"{error}."))
        source, name = (history, "history") if history else (images, "images")
        progress = Progress(len(source) + len(images))
        palette, colour = palette_and_ground(source, name, progress)
        grid = grid or svg.grid_of([max(picture.shape[:2]) for picture in history])
        below = colour if ground == FILLED and palette.flat else None
        files, kept, refused = [], [], []
        for number, picture in enumerate(full_sized(images, Later(progress, len(source))), 1):
            what = f"picture {number} of images" if called[number - 1] == str(number) else f"'{called[number - 1]}'"
            try:
                heard(partial(require_flat, picture, what), host.check_interrupt)
                (locked,) = lock(picture[None], palette, colours, host.check_interrupt)
                files.append(svg.trace(locked, grid, what, below, host.check_interrupt))
                kept.append(called[number - 1])
            except ValueError as error:
                refused.append(error)
        if not files:
            raise refused[0]
        return io.NodeOutput(host.as_svg(files), kept, ui=host.show_text(cls.hidden, "\n".join(told(files, refused))))


def told(files: list[str], refused: list[ValueError]) -> Iterator[str]:
    sizes = sorted(len(file) / 1024 for file in files)
    yield f"{len(files)} SVG, {sizes[0]:.1f} to {sizes[-1]:.1f} kB"
    yield from (f"Left out: {error}." for error in refused)


def palette_and_ground(history: list[Tensor], name: str, progress: Progress) -> tuple[Palette, numpy.ndarray]:
    """The colours of pictures [H, W, 3 or 4] at the input `name`, and the first of them, uint8 [3]."""
    from ..drc.complete.palette import palette_of
    from ..drc.complete.sizes import prepared
    from ..drc.data.palette import pixels_of_oklab
    from ..drc.pixels import to_pixels

    def squares() -> Iterator[numpy.ndarray]:
        for number, picture in enumerate(history, 1):
            work = partial(prepared, picture, f"picture {number} of {name}")
            yield to_pixels(heard(work, host.check_interrupt))[0]
            progress.step_to(number)

    palette = palette_of(squares(), host.check_interrupt)
    return palette, pixels_of_oklab(palette.colours[0])


def full_sized(images: list[Tensor], progress: Later) -> Iterator[numpy.ndarray]:
    """Each picture of the input images, sharp, uint8 [FULL, FULL, 3]."""
    from ..drc.complete.sizes import full_size
    from ..drc.sharpener import MEMORY_PER_PIXEL

    device = host.load_device()
    owner = sharpening(device)
    smaller = [max(picture.shape[:2]) for picture in images if max(picture.shape[:2]) < FULL]
    if smaller:
        host.load([owner], max(smaller) ** 2 * MEMORY_PER_PIXEL)
    for number, picture in enumerate(images, 1):
        name = f"picture {number} of images"
        yield full_size(picture.to(device), owner.model, name, host.check_interrupt)
        progress.step_to(number)
