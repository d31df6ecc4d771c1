"""Load DRC Model."""

import logging
from pathlib import Path

from . import host, paths
from .host import io
from .sockets import Model, ModelSocket, errors_of

log = logging.getLogger("drc")


class DRC_LoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_LoadModel",
            display_name="Load DRC Model",
            category="DRC",
            description="Loads a DRC model: the part that looks at pictures, the two towers, and the part that draws.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=paths.model_names(),
                    default=paths.EMBEDDED,
                    tooltip="'embedded' is the small model that comes with this pack. "
                    "Other models are files in the folder models/drc.",
                )
            ],
            outputs=[
                ModelSocket.Output(
                    "drc_model", display_name="model", tooltip="Connect it to every DRC node of the graph."
                )
            ],
            **host.newer(search_aliases=["personalised", "personalized", "checkpoint loader"]),
        )

    @classmethod
    def validate_inputs(cls, model_name):
        try:
            with errors_of("Load DRC Model"):
                paths.model_file(model_name)
        except ValueError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, model_name):
        status = paths.model_file(model_name).stat()
        return status.st_mtime_ns, status.st_size

    @classmethod
    def execute(cls, model_name) -> io.NodeOutput:
        with errors_of("Load DRC Model"):
            return io.NodeOutput(load(model_name))


def load(name: str) -> Model:
    return load_file(paths.model_file(name), name)


def load_file(path: Path, name: str) -> Model:
    """A checkpoint as a model whose weights belong to the host; `name` is what messages call it."""
    from ..drc.checkpoint import build, read_header, read_weights

    device = host.load_device()
    dtype = host.weight_dtype(device)
    drc = build(read_header(path), host.operations(device, dtype))
    parts = drc.parts()
    for part in ("language", "disentangler"):  # vision stays in float32: a code is the nearest of many directions
        parts[part].to(dtype)
    model = Model(drc=drc, name=name, path=path, **{part: host.patcher(module) for part, module in parts.items()})
    read_weights(drc, path, assign=host.is_dynamic(model.vision))
    size = sum(patcher.model_size() for patcher in model.get_models())
    log.info("%s: %s on %s, %.0f MB, stage %d", path.name, dtype, model.device, size / 2**20, drc.stage)
    return model
