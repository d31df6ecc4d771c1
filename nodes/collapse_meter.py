"""Collapse Meter: did a picture keep the style, did it keep the meaning, or is it a copy?"""

import torch

from . import host
from .encode import squares_of, tokenize
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of, require_one
from .progress import Later, Progress
from .sockets import Model
from .widgets import SQUARE_TOOLTIP, lines, model_input

CONDITIONS = 4  # under which a picture may be likely: both, history only, reference only, neither


@guarded
class DRC_CollapseMeter(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_CollapseMeter",
            display_name="Collapse Meter",
            category="DRC/looking closer",
            description="Tells of drawn pictures how much of the style and of the meaning they kept, and whether they "
            "are copies, against two controls: the history alone and the reference alone.",
            inputs=[
                model_input(),
                io.Image.Input("images", tooltip="The drawn pictures, from DRC Decode."),
                io.Image.Input("history", tooltip="The pictures that you gave to StyleTower. " + SQUARE_TOOLTIP),
                io.Image.Input("reference", tooltip="The picture that you gave to SemanticTower."),
                lines("text", "The text of ComposeInstruction, if any.", optional=True),
                *map(mask, ("images", "history", "reference")),
            ],
            outputs=[
                io.Image.Output("meter_out", display_name="meter", tooltip="Three dials and the verdict."),
                io.Float.Output(
                    "style_kept_out", display_name="style kept", tooltip="0 to 1, the mean of all pictures."
                ),
                io.Float.Output(
                    "meaning_kept_out", display_name="meaning kept", tooltip="0 to 1, the mean of all pictures."
                ),
                io.Float.Output("copying_out", display_name="copying", tooltip="0 to 1, the mean. More is worse."),
                io.String.Output("verdict_out", display_name="verdict", tooltip="In words, one line for each picture."),
            ],
            is_input_list=True,
            **host.newer(search_aliases=["guidance collapse", "measure", "score"]),
        )

    @classmethod
    def execute(
        cls, model, images, history, reference, text="", images_mask=None, history_mask=None, reference_mask=None
    ) -> io.NodeOutput:
        from ..drc.bench.collapse.dial import dial_picture
        from ..drc.bench.collapse.meter import read

        model.drc.require_trained_towers()
        model.require_own_pictures()
        images = pictures_of(images, images_mask, "images")
        history = pictures_of(history, history_mask, "history")
        reference = pictures_of(reference, reference_mask, "reference")
        require_one(reference)
        readings = read(measure(model, images, history, reference, text))
        mean = [sum(getattr(one, name) for one in readings) / len(readings) for name in ("style", "meaning", "copying")]
        verdicts = "\n".join(one.verdict for one in readings)
        return io.NodeOutput(host.as_images([dial_picture(readings)]), *mean, verdicts)


def measure(model: Model, images, history, reference, text: str):
    """`drc.bench.collapse.likelihood.CollapseScores` of pictures, with progress."""
    from ..drc.bench.collapse.likelihood import scores_of_codes

    drc, before = model.drc, len(images) + len(history) + 1
    progress = Progress(before + CONDITIONS * len(images))
    squares, codes = [], []
    for given, name in (images, "images"), (history, "history"), (reference, "reference"):
        some, later = list(squares_of(model, given, name)), Later(progress, len(squares))
        codes.append(tokenize(model, some, later))
        squares += some
    host.load([*model.seeing, model.disentangler], 0)
    given = torch.stack(squares), torch.cat(codes), len(images), text
    return scores_of_codes(drc, *given, lambda done: progress.step_to(before + done))
