"""My Pictures: a folder of one's own pictures, or files dropped onto the node, as a history."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor

from ..drc.complete.settings import FULL
from ..drc.interrupt import heard
from ..drc.pixels import square
from ..drc.visible import quoted
from . import host, paths
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .sockets import Model
from .widgets import SQUARE_TOOLTIP, line, model_input

FEW = 50  # pictures that are handed on as large as they are worked on, 157 MB; of more, half as wide and high
STAND_IN = "DRC_ExamplePictures"
LEFT_OUT = "The example pictures are left out, as there are some of your own."


@guarded
class DRC_MyPictures(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_MyPictures",
            display_name="My Pictures (history: icons, emoji)",
            category="DRC/sets",
            description="Takes your own pictures, 1 to 200, as one history, and shows them with their numbers: drop "
            "files onto it, or name a folder. Nothing is ever written into your folder.",
            inputs=[
                model_input("It says how large the squares are that it looks at."),
                line(
                    "folder",
                    "",
                    "The name of a folder in ComfyUI's input folder, or the full path of one in the output or "
                    "models folder, or in one that extra_model_paths.yaml lists as datasets. Its sub-folders count "
                    "too. Empty: only the pictures of files and images. " + SQUARE_TOOLTIP,
                ),
                host.files_of_pictures(
                    "files",
                    paths.input_pictures(),
                    "Drop files of pictures onto the node, as many as you like at once, or choose one that lies in "
                    "ComfyUI's input folder, into which dropped ones are copied. They come behind those of the folder.",
                ),
                io.Image.Input(
                    "images",
                    optional=True,
                    tooltip="More pictures, as one batch or one list; they come behind all others. Those of Example "
                    "Pictures count only as long as there are none of your own.",
                ),
                mask("images"),
            ],
            outputs=[
                io.Image.Output(
                    "history_out", display_name="history", tooltip="All pictures as one batch, for StyleTower."
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt],
            is_input_list=True,
            is_output_node=True,  # so that it can be run alone, to look at the pictures before anything else
            **host.newer(search_aliases=["load images from folder", "icon set", "history", "batch images"]),
        )

    @classmethod
    def validate_inputs(cls, files):
        return True  # which of them are there is looked for when it runs

    @classmethod
    def fingerprint_inputs(cls, model, folder, files, images=None, images_mask=None):
        from ..drc.data.history import require_few
        from ..drc.data.walk import stamp_in_time

        (folder,), (files,) = folder, files
        names = [name for name in ([files] if isinstance(files, str) else files) if name]
        require_few(len(names), "the history")
        chosen = [paths.uploaded_picture(name) for name in names]
        stamps = [(name, (root / name).stat().st_mtime_ns) for root, name in chosen]
        whole = stamp_in_time(paths.picture_folder(folder), host.is_cancelled) if folder.strip() else ""
        return math.nan if whole is None else f"{whole} {stamps}"

    @classmethod
    def execute(cls, model, folder, files, images=None, images_mask=None) -> io.NodeOutput:
        from ..drc.data.history import report, require_few
        from ..drc.pixels import to_image, to_pixels
        from ..drc.plots.sheet import numbered_sheet

        stood_in = bool(folder.strip() or files) and host.source_of(cls.hidden, "images") == STAND_IN
        more = [] if images is None or stood_in else pictures_of(images, images_mask, "images")
        require_few(len(files) + len(more), "the history")
        left_out: list[tuple[str, str]] = []
        named = [*in_folder(folder, left_out), *map(paths.uploaded_picture, files)]
        count = len(named) + len(more)
        require_few(count, "the history")
        require_some(count)
        progress, names, squares = Progress(count), [], []
        whole = OfOneSize(FULL if count <= FEW else FULL // 2)
        given = ((f"picture {number} of images", picture) for number, picture in enumerate(more, 1))
        for name, picture in chain(pictures_of_files(model, named, left_out), given):
            names.append(name)
            squares.append(heard(partial(model.drc.lmm.prepare, picture, name), host.check_interrupt))
            heard(partial(whole.add, picture, name), host.check_interrupt)
            progress.step_to(len(names))
        progress.step_to(progress.total)
        if not names:
            raise ValueError(f"no picture can be used, first {quoted(left_out[0][0])}: {left_out[0][1]}; give others")
        squares = torch.stack(squares)
        own = len(names) - len(more)
        labels = [f"{number} {name.rpartition('/')[2]}" for number, name in enumerate(names[:own], 1)]
        labels += map(str, range(own + 1, len(names) + 1))
        text = f"{LEFT_OUT}\n\n" * stood_in + report(names, squares, left_out)
        shown = host.show_text(cls.hidden, text).as_dict()
        shown |= host.show_picture(numbered_sheet(to_pixels(squares), labels)).as_dict()
        return io.NodeOutput(to_image(torch.stack(whole.squares) if whole.squares else squares), ui=shown)


class OfOneSize:
    """Square pictures that all have one size, with that, at most `most` pixels of a side: fine lines keep their colour
    and icons of few pixels their grid, for who reads them after a model. None of them where one is another."""

    def __init__(self, most: int):
        self.most, self.sizes, self.squares = most, set(), []

    def add(self, picture: Tensor, name: str) -> None:
        """Another [H, W, 3 or 4] in 0..1."""
        self.sizes |= set(picture.shape[:2])
        if len(self.sizes) > 1:
            self.squares.clear()
        else:
            self.squares.append(square(picture, min(len(picture), self.most), name))


def require_some(count: int) -> None:
    if not count:
        raise ValueError(
            "folder is empty, and so are files and images; drop pictures onto the node, or write the name of a folder "
            "in ComfyUI's input folder"
        )


def in_folder(folder: str, left_out: list[tuple[str, str]]) -> list[tuple[Path, str]]:
    """A folder with each of the names of pictures below it; `left_out` is as of `picture_names`."""
    from ..drc.data.history import picture_names

    if not folder.strip():
        return []
    root = paths.picture_folder(folder)
    return [(root, name) for name in picture_names(root, left_out, lambda seen: host.check_interrupt())]


def pictures_of_files(
    model: Model, named: list[tuple[Path, str]], left_out: list[tuple[str, str]]
) -> Iterator[tuple[str, Tensor]]:
    """Name and picture of each that can be used, one after another; as of `pictures_in`."""
    from ..drc.data.history import pictures_in

    for root, name in named:
        yield from pictures_in(root, [name], model.drc.lmm.image_size, left_out, host.check_interrupt)
