"""Convert LaVIT: the published weights, once, into files that are safe to load."""

from . import host, paths
from .guard import guarded
from .host import io
from .progress import Bar
from .widgets import line


@guarded
class DRC_ConvertLaVIT(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_ConvertLaVIT",
            display_name="Convert LaVIT",
            category="DRC/LaVIT, Janus",
            description="Turns the download of LaVIT-7B-v2 into safetensors in ComfyUI's model folders. Once is "
            "enough. All is checked before anything is written, and a conversion that was stopped goes on.",
            inputs=[
                line(
                    "folder",
                    "",
                    "The full path of the folder that you downloaded rain1011/LaVIT-7B-v2 to. It must lie "
                    "below ComfyUI's input, output or models folder, or where extra_model_paths.yaml lists it as "
                    "datasets.",
                ),
                line("name", "LaVIT-7B-v2", "What the model will be called in Load DRC Model."),
            ],
            outputs=[io.String.Output("report_out", display_name="report", tooltip="What was written, and where.")],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
            not_idempotent=True,
            **host.newer(search_aliases=["LaVIT", "import model", "convert weights"]),
        )

    @classmethod
    def execute(cls, folder, name) -> io.NodeOutput:
        from ..drc.lmm.lavit.convert import convert, table

        name = name.strip()
        paths.check_converted_name(name)
        report = table(convert(paths.published_folder(folder), paths.models(), name, Bar()))
        text = f"Done. Press R, then choose {name} in Load DRC Model.\n{report}"
        return io.NodeOutput(report, ui=host.show_text(cls.hidden, text))
