"""Load DRC Model."""

import logging
from pathlib import Path

import torch

from . import host, paths
from .errors import errors_of
from .guard import guarded
from .host import io
from .sockets import Model, ModelSocket

log = logging.getLogger("drc")

STORED = {"automatic": None, "float32": "float32", "bfloat16": "bfloat16", "float8": "float8_e4m3fn", "int8": "int8"}
STORAGES = tuple(STORED)


@guarded
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
                    "Other models are files in the folder models/drc, a LaVIT that Convert LaVIT made, or a folder of "
                    "Janus-Pro as it was downloaded.",
                ),
                host.advanced(
                    io.Combo.Input(
                        "storage",
                        options=list(STORAGES),
                        default=STORAGES[0],
                        optional=True,
                        tooltip="For LaVIT and Janus: how the language model is kept in memory. automatic: as the file "
                        "has it, 16 bits a number. int8 and float8 take half of that, are less exact, int8 much the "
                        "less so, and draw slower on a graphics card where 16 bits would fit.",
                    )
                ),
                host.advanced(
                    io.Boolean.Input(
                        "cuda_graph",
                        default=False,
                        optional=True,
                        tooltip="On an NVIDIA card that holds the whole language model: records a step of drawing once "
                        "and replays it, which is quicker. Turn it off if drawing fails.",
                    )
                ),
                host.advanced(
                    io.Boolean.Input(
                        "compile_step",
                        default=False,
                        optional=True,
                        tooltip="With cuda_graph: also builds quicker code for that step. This takes a minute or more "
                        "before the first drawing and before one of another size, and Cancel waits for it. The same "
                        "seed may draw a slightly different picture. Needs triton and a C++ compiler; without them it "
                        "changes nothing.",
                    )
                ),
            ],
            outputs=[
                ModelSocket.Output(
                    "model_out", display_name="model", tooltip="Connect it to every DRC node of the graph."
                )
            ],
            **host.newer(search_aliases=["personalised", "personalized", "checkpoint loader"]),
        )

    @classmethod
    def validate_inputs(cls, model_name):
        if model_name is None:
            return True  # another node says which, so it is looked for when this one runs
        try:
            with errors_of("Load DRC Model"):
                paths.model_file(str(model_name))
        except ValueError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, model_name, **settings):
        """Of all files that it reads; where another node says which, of every file that it could be."""
        if model_name is None:
            found = map(paths.model_file, paths.model_names())
        else:
            found = with_sets(paths.model_file(model_name))
        read = [(path, path.stat()) for one in found for path in files_of(one)]
        return tuple((str(path), status.st_mtime_ns, status.st_size) for path, status in read)

    @classmethod
    def execute(cls, model_name, storage=STORAGES[0], cuda_graph=False, compile_step=False) -> io.NodeOutput:
        model = load_file(paths.model_file(model_name), model_name, storage, cuda_graph, compile_step)
        return io.NodeOutput(model)


def load_file(path: Path, name: str, storage: str = STORAGES[0], graph: bool = False, compiles: bool = False) -> Model:
    """A checkpoint as a model whose weights belong to the host; `name` is what messages call it."""
    from ..drc.checkpoint import build, is_pretrained, read_header, read_weights
    from ..drc.interrupt import call_between_layers

    device, header = host.load_device(), read_header(path)
    pretrained = is_pretrained(header)
    dtype = host.large_dtype(device) if pretrained else host.weight_dtype(device)
    drc = build(header, host.operations(device, dtype, casting=pretrained))
    call_between_layers(drc, host.check_interrupt)
    lmm_folder = lmm_of(path, header) if pretrained else None
    stored = dtype
    if pretrained:
        read_weights(drc, path, lmm=lmm_folder, on_part=host.check_interrupt)
        drc.lmm.merge(host.check_interrupt)  # saving and training read it from its file
        drc.lmm.compute_in(dtype)
        stored = drc.lmm.store_in(
            None if STORED[storage] is None else getattr(torch, STORED[storage]), host.check_interrupt
        )
    parts = drc.parts()
    for part in ("language", "disentangler"):  # vision stays in float32: a code is the nearest of many directions
        if not (pretrained and part == "language"):
            parts[part].to(dtype)
    # A recording reads weights where they lay.
    patchers = {part: host.patcher(module, whole=graph and part == "language") for part, module in parts.items()}
    model = Model(
        drc=drc,
        name=name,
        path=path,
        lmm_folder=lmm_folder,
        storage=storage,
        graph=graph,
        compiles=compiles,
        **patchers,
    )
    host.give_back_after(drc)
    if not pretrained:
        read_weights(drc, path, assign=host.is_dynamic(model.vision), on_part=host.check_interrupt)
    size = sum(patcher.model_size() for patcher in model.get_models())
    log.info("%s: %s on %s, %.0f MB, stage %d", path.name, stored, model.device, size / 2**20, drc.stage)
    return model


def with_sets(path: Path) -> list[Path]:
    """A model, and where it was trained over a large one all of those that there are: which one it needs is known by
    the weights in them."""
    from ..drc.pretrained import is_set
    from ..drc.tensor_file import header_in, look

    trained = not is_set(path) and "lmm" in header_in(path, look(path).metadata)
    return [path, *(paths.pretrained().values() if trained else ())]


def files_of(path: Path) -> list[Path]:
    """The file of a model, or all of a set, which its description stands for, but for hidden ones."""
    from ..drc.pretrained import is_set

    if not is_set(path):
        return [path]
    return sorted(one for one in path.parent.iterdir() if one.is_file() and not one.name.startswith("."))


def lmm_of(path: Path, header: dict[str, str]) -> Path:
    """The folder of the LMM that a file needs; ValueError where it is not among the models."""
    from ..drc.pretrained import is_set, set_at

    if is_set(path):
        return path.parent
    known, own, faults = paths.pretrained(), header["lmm_name"], {}
    names = sorted(known, key=lambda name: name != own)  # most likely under its own name
    for name in names:
        try:
            if set_at(known[name]).hash == header["lmm"]:
                return known[name].parent
        except (OSError, ValueError) as error:  # of one that may be no concern of this model
            faults[name] = f"; {name} cannot be used: {error}"
    where, whole = f"models/{paths.FOLDER}", [name for name in names if name not in faults]
    fault, remedy = f"none in {where} is that one", "put it there, a LaVIT with Convert LaVIT"
    if own in whole:
        fault, remedy = f"the folder of that name in {where} holds other weights now", "put its own back there"
    raise ValueError(
        f"{path.name} was trained over '{own}', but {fault} (found: {', '.join(whole) or 'none'}"
        f"{''.join(faults.values())}); {remedy}, or choose another model"
    )
