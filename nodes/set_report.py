"""Set Report: which of many new icons do not fit a set, and why."""

from functools import partial

from ..drc.interrupt import heard
from . import host
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .widgets import SQUARE_TOOLTIP, lines, listed


@guarded
class DRC_SetReport(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_SetReport",
            display_name="Set Report",
            category="DRC/sets",
            description="Measures every new icon against a set: width of lines, visual weight, padding, corners, "
            "colours. Says which do not fit, what is wrong with them, and which to redraw first.",
            inputs=[
                io.Image.Input("images", tooltip="The new icons, as many as you like. " + SQUARE_TOOLTIP),
                io.Image.Input("history", tooltip="Pictures of the set, 1 to 200. Eight or more tell well."),
                lines(
                    "names",
                    "What each new icon is called, one a line, in their order, or the names from Complete "
                    "Icon Set. Empty: they are numbered.",
                    optional=True,
                ),
                *map(mask, ("images", "history")),
            ],
            outputs=[
                io.Image.Output(
                    "sheet_out", display_name="sheet", tooltip="The set, and below it the new icons, the worst first."
                ),
                io.String.Output("report_out", display_name="report", tooltip="The same in words, one line an icon."),
                io.String.Output(
                    "order_out",
                    display_name="order",
                    tooltip="The names of the icons that do not fit, one a line, in the order in which to redraw them. "
                    "Empty when all fit.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            is_output_node=True,  # so that it can be run alone, to look at the report
            **host.newer(search_aliases=["consistency", "outliers", "icon set", "measure", "z-score"]),
        )

    @classmethod
    def execute(cls, images, history, names="", images_mask=None, history_mask=None) -> io.NodeOutput:
        from ..drc.complete.report import known_count, numbered, report
        from ..drc.complete.report_sheet import report_sheet

        images = pictures_of(images, images_mask, "images")
        history = pictures_of(history, history_mask, "history")
        known_count(len(history))
        names = numbered(listed(names), len(images))
        progress = Progress(len(images) + len(history))
        squares, measured = measure_all(history, "history", progress, 0)
        drawn, found = measure_all(images, "images", progress, len(history))
        result = report(found, measured, names, on_row=host.check_interrupt)
        text = result.text()
        sheet = host.as_images([report_sheet(result, drawn, squares)])
        return io.NodeOutput(sheet, text, "\n".join(result.redraw), ui=host.show_text(cls.hidden, text))


def measure_all(pictures: list, name: str, progress: Progress, before: int) -> tuple[list, list]:
    """The pictures as small squares, uint8 [128, 128, 3] each, and their numbers."""
    from ..drc.complete.marks import SIDE
    from ..drc.complete.report import measure
    from ..drc.pixels import square, to_pixels

    squares, measured = [], []
    for number, picture in enumerate(pictures, 1):
        work = partial(square, picture, SIDE, f"picture {number} of {name}")
        squares.append(to_pixels(heard(work, host.check_interrupt)))
        measured.append(measure(squares[-1]))
        progress.step_to(before + number)
    return squares, measured
