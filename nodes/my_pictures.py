"""My Pictures: a folder of one's own pictures as a history."""

import math

import torch

from . import host, paths
from .encode import squares_of
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .widgets import SQUARE_TOOLTIP, model_input

PATIENCE = 5.0  # seconds to look whether anything has changed, before a prompt runs


@guarded
class DRC_MyPictures(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_MyPictures",
            display_name="My Pictures (icons, emoji, stickers)",
            category="DRC/sets",
            description="Takes a folder of your own pictures, 1 to 200, as one history, and shows them with their "
            "numbers. Nothing is ever written into your folder.",
            inputs=[
                model_input("It says how large the squares are that it looks at."),
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="The name of a folder in ComfyUI's input folder, or the full path of one in the output or "
                    "models folder, or in one that extra_model_paths.yaml lists as datasets. Its sub-folders count "
                    "too. Empty: only the pictures at images. " + SQUARE_TOOLTIP,
                ),
                io.Image.Input(
                    "images",
                    optional=True,
                    tooltip="More pictures, as one batch or one list; they come behind those of the folder.",
                ),
                mask("images"),
            ],
            outputs=[
                io.Image.Output(
                    "history_out", display_name="history", tooltip="All pictures as one batch, for StyleTower."
                )
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            is_output_node=True,  # so that it can be run alone, to look at the pictures before anything else
            **host.newer(search_aliases=["load images from folder", "icon set", "history", "batch images"]),
        )

    @classmethod
    def fingerprint_inputs(cls, model, folder, images=None, images_mask=None):
        from ..drc.data.walk import stamp_within

        folder = folder[0] if isinstance(folder, list) else folder
        if not folder.strip():
            return ""
        return stamp_within(paths.picture_folder(folder), PATIENCE, host.is_cancelled) or math.nan

    @classmethod
    def execute(cls, model, folder, images=None, images_mask=None) -> io.NodeOutput:
        from ..drc.data.folder import nothing_usable
        from ..drc.data.history import picture_names, report, require_few, squares_in
        from ..drc.pixels import to_image, to_pixels
        from ..drc.plots.sheet import numbered_sheet

        more = [] if images is None else pictures_of(images, images_mask, "images")
        left_out, lmm, files = [], model.drc.lmm, []
        if folder.strip() or not more:
            root = paths.picture_folder(folder)
            files = picture_names(root, left_out, lambda seen: host.check_interrupt())
        require_few(len(files) + len(more), "the history")
        progress, found = Progress(len(files) + len(more)), []
        read = squares_in(root, files, lmm.image_size, lmm.prepare, left_out, host.check_interrupt) if files else []
        for one in read:
            found.append(one)
            progress.step_to(len(found))
        given = squares_of(model, more, "images")
        found += [(f"picture {number} of images", square) for number, square in enumerate(given, 1)]
        progress.step_to(progress.total)
        if not found:
            raise ValueError(nothing_usable(root, "*", left_out))
        names, squares = [name for name, _ in found], torch.stack([square for _, square in found])
        labels = [f"{number} {name.rpartition('/')[2]}" for number, name in enumerate(names, 1)]
        shown = host.show_text(cls.hidden, report(names, squares, left_out)).as_dict()
        shown |= host.show_picture(numbered_sheet(to_pixels(squares), labels)).as_dict()
        return io.NodeOutput(to_image(squares), ui=shown)
