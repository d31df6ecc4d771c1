"""Save Icon Set: pictures and SVG as files that are called what they show."""

from __future__ import annotations

import io as streams
import logging
from functools import partial
from typing import TYPE_CHECKING

from . import host, paths
from .guard import guarded
from .host import io
from .pictures import in_a_row
from .progress import Progress
from .widgets import line, listed, names_from

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger("drc")


@guarded
class DRC_SaveSet(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_SaveSet",
            display_name="Save Icon Set",
            category="DRC/sets",
            description="Saves icons as files that are called what they show, such as camera.png, in a folder of "
            "ComfyUI's output folder. They hold the icon alone, and no workflow.",
            inputs=[
                io.Image.Input(
                    "images", optional=True, tooltip="The icons, from Lock Palette or DRC Decode: each becomes a PNG."
                ),
                io.SVG.Input("svg", optional=True, tooltip="The icons as SVG, from Pictures to SVG."),
                names_from(
                    "What each icon is called: the names from Complete Icon Set, or with SVG those from Pictures to "
                    "SVG, which may have left some out. Without them it is a number."
                ),
                io.Mask.Input(
                    "transparent",
                    optional=True,
                    tooltip="Where the PNG are transparent: the MASK of Lock Palette. Without it they have a ground.",
                ),
                line(
                    "folder",
                    "my-icons",
                    "The folder in ComfyUI's output folder. Nothing is overwritten: if one of the files is there, all "
                    "go into a folder with a number behind its name.",
                ),
            ],
            outputs=[io.String.Output("saved_in_out", display_name="saved in", tooltip="The full path of the folder.")],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            is_output_node=True,
            **host.newer(search_aliases=["save image", "save svg", "export", "file name", "icon set"]),
        )

    @classmethod
    def execute(cls, folder, images=None, transparent=None, svg=None, names="") -> io.NodeOutput:
        from ..drc.complete.names import file_names
        from ..drc.data.folder import counted
        from ..drc.files import write_bytes

        if images is None and svg is None:
            raise ValueError("images and svg are not connected; connect one of them, or both")
        pictures = [] if images is None else with_alpha(in_a_row(images), transparent)
        contents = {}  # of every file, made when it is written
        for of, found, ending, content in (("images", pictures, "png", png_of), ("svg", svg or [], "svg", bytes)):
            called = file_names(listed(names), len(found), of) if found else []
            contents |= {f"{name}.{ending}": partial(content, one) for name, one in zip(called, found, strict=True)}
        progress, place = Progress(len(contents)), paths.set_folder(folder, list(contents))
        place.mkdir(parents=True, exist_ok=True)
        for done, (name, content) in enumerate(contents.items(), 1):
            host.check_interrupt()
            write_bytes(content(), place / name)
            progress.step_to(done)
        log.info("saved %d files in %s", len(contents), place)
        text = f"{counted(len(contents), 'file')} in {paths.below_comfyui(place)}"
        shown = [name for name in contents if name.endswith(".png")]
        return io.NodeOutput(str(place), ui=host.show_saved(cls.hidden, text, place, shown))


def with_alpha(pictures: list[Tensor], transparent) -> list[Tensor]:
    """Pictures [H, W, 3 or 4] with an alpha channel where masks of the same sizes are given; ValueError for others."""
    import torch

    from ..drc.data.folder import counted

    if transparent is None:
        return pictures
    masks = in_a_row(transparent)
    if len(masks) != len(pictures):
        given, expected = counted(len(masks), "mask"), counted(len(pictures), "picture")
        raise ValueError(f"transparent has {given}, but images has {expected}; connect the MASK of the same node")
    for number, (picture, mask) in enumerate(zip(pictures, masks, strict=True), 1):
        if mask.shape != picture.shape[:2]:
            (high, wide), (height, width) = mask.shape, picture.shape[:2]
            raise ValueError(
                f"mask {number} of transparent is {wide} x {high} pixels, but picture {number} of images is "
                f"{width} x {height}; connect the MASK of the same node"
            )
    return [
        torch.cat((picture[..., :3], 1 - mask.to(picture)[..., None]), dim=-1)
        for picture, mask in zip(pictures, masks, strict=True)
    ]


def png_of(picture: Tensor) -> bytes:
    """IMAGE [H, W, 3 or 4] -> a PNG file."""
    from PIL import Image

    from ..drc.pixels import to_pixels

    file = streams.BytesIO()
    Image.fromarray(to_pixels(picture.movedim(2, 0))).save(file, "PNG", optimize=True)
    return file.getvalue()
