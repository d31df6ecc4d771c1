"""The only file that asks what the host can do: schemas, devices, patchers, progress, interrupt."""

import contextlib
import contextvars
import dataclasses
import threading
import weakref
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.utils
import numpy as np
import psutil
import torch
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor, nn

from ..drc.interrupt import on_a_thread
from ..drc.pixels import from_pixels, to_image
from ..drc.visible import visible
from .shown import as_markup

HALF = (torch.float16, torch.bfloat16)
SOON = 2.0  # seconds, in which the host has long let go of all that belongs to a model
Done = TypeVar("Done")
Interrupted = comfy.model_management.InterruptProcessingException

__all__ = ["io"]


def newer(**keywords) -> dict:
    """Those schema keywords that this host knows."""
    known = {field.name for field in dataclasses.fields(io.Schema)}
    return {name: value for name, value in keywords.items() if name in known}


def advanced(widget: io.WidgetInput) -> io.WidgetInput:
    """Marks a widget for the folded part of a node; hosts before 0.10 ignore the mark and refuse the keyword."""
    widget.extra_dict = {"advanced": True}
    return widget


def files_of_pictures(name: str, known: list[str], tooltip: str) -> io.WidgetInput:
    """A choice of files of pictures, one or many, into which a page uploads what is dropped onto the node."""
    widget = io.Combo.Input(
        name,
        options=known,
        default=known[0],
        upload=io.UploadType.image,
        image_folder=io.FolderType.input,
        tooltip=tooltip,
    )
    widget.extra_dict = {"allow_batch": True}  # to which the host has no keyword
    return widget


def load_device() -> torch.device:
    return comfy.model_management.get_torch_device()


def intermediate_device() -> torch.device:
    return comfy.model_management.intermediate_device()


def weight_dtype(device: torch.device) -> torch.dtype:
    """float32 unless the host was started with half precision: small as the model is, halves would save little, and
    in float32 a picture does not depend on what else is in its batch."""
    if comfy.model_management.is_device_cpu(device):
        return torch.float32
    dtype = comfy.model_management.unet_dtype(device=device, supported_dtypes=[torch.float32])
    return dtype if dtype in HALF else torch.float32


def large_dtype(device: torch.device) -> torch.dtype:
    """What a pretrained language model computes in, whatever its weights are kept in."""
    if comfy.model_management.is_device_cpu(device):
        return torch.float32
    return torch.bfloat16 if comfy.model_management.should_use_bf16(device) else torch.float16


def operations(device: torch.device, dtype: torch.dtype, casting: bool = False):
    """The host's layers. In float32 on the CPU weights neither move nor change, so nothing is cast at every code,
    unless weights are kept in another type."""
    plain = not casting and comfy.model_management.is_device_cpu(device) and dtype == torch.float32
    return comfy.ops.disable_weight_init if plain else comfy.ops.manual_cast


def patcher(module: nn.Module, whole: bool = False) -> comfy.model_patcher.ModelPatcher:
    """Hands a module to the host's memory management; `whole` where it is a language model whose steps are recorded,
    so that weights that lie on the device shall stay there while it works, also on a host that else pages single
    ones."""
    # Looked up at each call: newer hosts rebind the name at start-up.
    paged = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    kind = RecordedPatcher if whole else paged
    return kind(module, load_device(), comfy.model_management.unet_offload_device())


class RecordedPatcher(comfy.model_patcher.ModelPatcher):
    """Lets go of what is kept of a drawing where some of the weights make room; where all do, the module does."""

    def partially_unload(self, *given, **named) -> int:
        for module in self.model.modules():
            if hasattr(module, "recording"):
                module.recording.drop()
        return super().partially_unload(*given, **named)


def is_patcher(value: object) -> bool:
    """Whether it is what travels on a MODEL socket."""
    return isinstance(value, comfy.model_patcher.ModelPatcher)


def context_width(diffusion_model: comfy.model_patcher.ModelPatcher) -> int | None:
    """How many numbers a row has that the cross-attention of a MODEL reads."""
    return diffusion_model.model.model_config.unet_config.get("context_dim")


def is_dynamic(owner: comfy.model_patcher.ModelPatcher) -> bool:
    """Whether the host pages single weights, which it can do only with tensors that belong to it (0.16 and newer)."""
    return hasattr(owner, "is_dynamic") and owner.is_dynamic()


def load(patchers: list[comfy.model_patcher.ModelPatcher], memory: int) -> None:
    """Brings weights to the device they run on, with `memory` bytes to spare."""
    comfy.model_management.load_models_gpu(patchers, memory_required=memory)


def is_resident(owner: comfy.model_patcher.ModelPatcher) -> bool:
    """Whether all weights lie on an NVIDIA card at this moment."""
    device = owner.load_device
    return device.type == "cuda" and owner.loaded_size() >= owner.model_size() and not is_dynamic(owner)


def place(module: nn.Module, device: torch.device, memory: int) -> comfy.model_patcher.ModelPatcher:
    """Hands a module to the host and brings the whole of it to its device, with `memory` bytes to spare; it stays
    there as long as the patcher is kept."""
    owner = patcher(module)
    comfy.model_management.load_models_gpu([owner], memory_required=memory, force_full_load=True)
    return owner


def learn(work: Callable[[], Done]) -> Done:
    """What `work` returns or raises on a thread of its own: there are gradients, which the host runs its nodes without,
    and what libraries keep for a thread goes with it, such as 50 MB of oneDNN's for the shapes of a training."""
    context = contextvars.copy_context()  # by which the host knows whose progress it is
    thread, done = on_a_thread(lambda: context.run(work))
    thread.join()  # so that it is gone, and what is kept for it, when this returns
    return done.result()


def give_back_memory() -> None:
    """Gives to the system what is free: the C library keeps most of what a training took for whatever may come, which
    is hundreds of MB. Nothing where psutil is older than 7.2 or the system has no such call."""
    trim = getattr(psutil, "heap_trim", None)
    if trim is not None:
        with contextlib.suppress(OSError, NotImplementedError):
            trim()


def give_back_after(owner: object) -> None:
    """Has it done soon after `owner` is gone, too: the host forgets models between prompts, where no node runs."""
    weakref.finalize(owner, give_back_soon).atexit = False


def give_back_soon() -> None:
    timer = threading.Timer(SOON, give_back_memory)
    timer.daemon = True
    timer.start()


def check_interrupt() -> None:
    comfy.model_management.throw_exception_if_processing_interrupted()


def is_cancelled() -> bool:
    """Whether the user pressed cancel and nobody has ended the prompt yet."""
    return comfy.model_management.processing_interrupted()


def bar(total: int) -> comfy.utils.ProgressBar:
    """The bar on the running node."""
    return comfy.utils.ProgressBar(total)


def source_of(hidden: io.HiddenHolder | None, name: str) -> str | None:
    """The kind of the node whose output is linked to an input of the running one; None where the prompt does not tell,
    of a node that another one put in its place."""
    if hidden is None or hidden.prompt is None:
        return None
    link = hidden.prompt.get(hidden.unique_id, {}).get("inputs", {}).get(name)
    return hidden.prompt.get(link[0], {}).get("class_type") if isinstance(link, list) else None


def show_text(hidden: io.HiddenHolder | None, text: str) -> ui.PreviewText:
    """Writes text into the running node, in the pages of whoever sent the prompt and in no other's.

    Returns it for the node's `ui`, from where the host keeps it in its history; a page shows that of the host's own
    nodes only. The one place where text of this pack reaches a page; see `shown`.
    """
    if hidden is not None and hidden.unique_id is not None:
        from server import PromptServer

        server = PromptServer.instance
        if server.client_id is not None:  # without a name the host would send it to all
            server.send_progress_text(as_markup(text), hidden.unique_id, server.client_id)
    return ui.PreviewText(visible(text))


def show_lines(hidden: io.HiddenHolder | None, *lines: str) -> ui.PreviewText | None:
    """Those lines that say something, as `show_text`; none of them, nothing."""
    said = [line for line in lines if line]
    return show_text(hidden, "\n".join(said)) if said else None


def show_picture(pixels: np.ndarray) -> ui.PreviewImage:
    """A picture uint8 [H, W, 3] for a node's `ui`, which a page shows on it."""
    return ui.PreviewImage(as_images([pixels]))


def show_saved(hidden: io.HiddenHolder | None, text: str, folder: Path, names: list[str]) -> dict:
    """Text and pictures for a node's `ui`: files of those names in a folder right below that of results."""
    images = [ui.SavedResult(name, folder.name, io.FolderType.output) for name in names]
    return {**ui.SavedImages(images).as_dict(), **show_text(hidden, text).as_dict()}


def nothing(outputs: int) -> io.NodeOutput:
    """What ends the graph at this node without an error."""
    return io.NodeOutput(*[ExecutionBlocker(None)] * outputs)


def as_svg(files: list[str]):
    """Texts of SVG files -> what travels on a SVG socket; newer hosts keep its class in their API."""
    kind = io.SVG.Type
    if not hasattr(kind, "combine"):
        from comfy_extras.nodes_images import SVG as kind  # noqa: N811
    return kind([BytesIO(text.encode()) for text in files])


def files_of_svg(value: object) -> list[bytes] | None:
    """What travels on a SVG socket -> the files; None for what is none."""
    files = getattr(value, "data", None)
    if not isinstance(files, list) or not all(isinstance(file, BytesIO) for file in files):
        return None
    return [file.getvalue() for file in files]


def as_images(pictures: list) -> Tensor:
    """uint8 arrays [H, W, 3] of one size -> IMAGE [n, H, W, 3] in 0..1."""
    return to_image(from_pixels(pictures))
