"""The networks that Pigeon's metrics look with (METHOD.md, 8), from files that a user has: nothing is fetched.

CLIP and DINO are folders as transformers saves them, with their weights in safetensors and the settings of their
processor, which scales and crops as it did in training. LPIPS and Inception are one safetensors file each.
"""

from pathlib import Path

import torch
from torch import Tensor

from ...files import file_hash
from ...pixels import to_pixels
from .inception import load_inception
from .lpips import load_lpips
from .pigeon import Networks, remembering

WEIGHTS = "model.safetensors"


def open_networks(
    clip: Path | None,
    dino: Path | None,
    lpips: Path | None,
    inception: Path | None,
    device: torch.device | str = "cpu",
) -> Networks:
    """Those that are given. ValueError, in one sentence, for what cannot be read."""
    both = CLIP(clip, device) if clip else None
    distance = load_lpips(lpips).to(device) if lpips else None
    return Networks(
        clip=remembering(both.pictures) if both else None,
        clip_text=both.captions if both else None,
        dino=remembering(DINO(dino, device).pictures) if dino else None,
        lpips=(lambda first, second: distance(first.to(device), second.to(device))) if distance else None,
        inception=remembering(load_inception(inception).to(device)) if inception else None,
    )


def digests(encoders: dict[str, Path | None]) -> dict[str, str]:
    """SHA-256 of the weights of those that are given."""
    files = {name: path / WEIGHTS if path.is_dir() else path for name, path in encoders.items() if path}
    return {name: file_hash(file) if file.is_file() else "in several files" for name, file in files.items()}


class CLIP:
    def __init__(self, folder: Path, device: torch.device | str):
        self.device, self.processor = device, opened("AutoImageProcessor", folder, "CLIP")
        self.words = opened("AutoTokenizer", folder, "CLIP")
        self.model = opened("CLIPModel", folder, "CLIP").to(device).eval()

    def pictures(self, pictures: Tensor) -> Tensor:
        given = processed(self.processor, pictures, self.device)
        return self.model.visual_projection(self.model.vision_model(given).pooler_output)

    def captions(self, captions: list[str]) -> Tensor:
        given = self.words(captions, padding=True, truncation=True, return_tensors="pt").to(self.device)
        return self.model.text_projection(self.model.text_model(**given).pooler_output)


class DINO:
    def __init__(self, folder: Path, device: torch.device | str):
        self.device, self.processor = device, opened("AutoImageProcessor", folder, "DINO")
        self.model = opened("Dinov2Model", folder, "DINO").to(device).eval()

    def pictures(self, pictures: Tensor) -> Tensor:
        return self.model(processed(self.processor, pictures, self.device)).pooler_output


def processed(processor, pictures: Tensor, device: torch.device | str) -> Tensor:
    """Pictures [n, 3, S, S] in 0..1 -> what a model reads."""
    return processor(images=list(to_pixels(pictures)), return_tensors="pt")["pixel_values"].to(device)


def opened(kind: str, folder: Path, what: str):
    """An object of a class of transformers, from a folder alone; `what` it is for."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{what} needs the package transformers, which is not installed; install it, or leave {what} out"
        ) from error
    weights = {} if kind.startswith("Auto") else {"use_safetensors": True}
    try:
        if not folder.is_dir():
            raise OSError("there is no such folder")
        return getattr(transformers, kind).from_pretrained(folder, local_files_only=True, **weights)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        told = " ".join(str(error).split())[:200]
        raise ValueError(
            f"'{folder}' is no folder of {what} that can be read ({told}); give one as transformers saves it, with "
            "its weights in safetensors"
        ) from error
