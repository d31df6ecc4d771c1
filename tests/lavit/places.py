"""Where the conversion of a published folder into a set called tiny puts its files."""

from pathlib import Path

from scripts.lib.disk import names

BECOMES = {
    "language_model/pytorch_model-00001-of-00003.bin": "drc/tiny/language-00001-of-00003.safetensors",
    "language_model/pytorch_model-00002-of-00003.bin": "drc/tiny/language-00002-of-00003.safetensors",
    "language_model/pytorch_model-00003-of-00003.bin": "drc/tiny/language-00003-of-00003.safetensors",
    "visual_tokenizer/eva_vitg_psz14.bin": "drc/tiny/vision.safetensors",
    "visual_tokenizer/tokenizer_encoder.bin": "drc/tiny/tokenizer.safetensors",
    "visual_tokenizer/highres_tokenizer_decoder.bin": "drc/tiny/decoder.safetensors",
    "highres_pixel_decoding/unet/diffusion_pytorch_model.bin": "diffusion_models/tiny-unet.safetensors",
}
LOW_BECOMES = {
    "visual_tokenizer/tokenizer_decoder.bin": "drc/tiny/low_resolution_decoder.safetensors",
    "pixel_decoding/unet/diffusion_pytorch_model.bin": "diffusion_models/tiny-low-resolution-unet.safetensors",
}
COPIED = {
    "language_model/config.json": "drc/tiny/config.json",
    "language_model/tokenizer.model": "drc/tiny/tokenizer.model",
    "highres_pixel_decoding/vae/diffusion_pytorch_model.safetensors": "vae/tiny-vae.safetensors",
}
LOW_COPIED = {"pixel_decoding/vae/diffusion_pytorch_model.safetensors": "vae/tiny-low-resolution-vae.safetensors"}
EMPTY_PROMPT = "drc/tiny/empty_prompt.safetensors"
DESCRIPTION = "drc/tiny/lavit.json"
HIGH_ONLY = {*BECOMES.values(), *COPIED.values(), DESCRIPTION}
EVERYTHING = {*HIGH_ONLY, *LOW_BECOMES.values(), *LOW_COPIED.values(), EMPTY_PROMPT}


def files_in(folder: Path) -> set[str]:
    return {name for name in names(folder) if (folder / name).is_file()}
