"""A decoder that draws twice the size of the tokeniser's pictures from the same codes: what the sharpener is compared
with."""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from drc.lmm.mini.tokenizer import Decoder, VisualTokenizer

WIDTH = 32  # of the features at the tokeniser's own size


class LargeDecoder(nn.Module):
    """Enlarges what `decoder` draws and adds what it learned is missing, nothing at first."""

    def __init__(self, decoder: Decoder):
        super().__init__()
        self.decoder = decoder
        self.finer = nn.Conv2d(decoder.out.in_channels, WIDTH * 4, 3, padding=1)
        self.out = nn.Conv2d(WIDTH, 3 * 4, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """[B, code_size, grid, grid] -> pictures [B, 3, 16 grid, 16 grid] in 0..1."""
        features = self.decoder.features(vectors)  # B, pixel_width, 4 grid, 4 grid
        drawn = (F.pixel_shuffle(self.decoder.out(features), 2) + 1) / 2
        finer = F.silu(F.pixel_shuffle(self.finer(features), 2))  # B, WIDTH, 8 grid, 8 grid
        enlarged = F.interpolate(drawn.float(), scale_factor=2, mode="bicubic", antialias=False)
        return enlarged + F.pixel_shuffle(self.out(finer), 2)


def load_large_decoder(file: Path, tokenizer: VisualTokenizer) -> LargeDecoder:
    """What scripts/train_large_decoder.py wrote for this tokeniser, whose own decoder stays as it is."""
    decoder = LargeDecoder(Decoder(tokenizer.config, nn))
    decoder.load_state_dict(load_file(file))
    return decoder.eval()


def decode_large(decoder: LargeDecoder, tokenizer: VisualTokenizer, codes: Tensor) -> Tensor:
    """Codes [B, N] -> pictures [B, 3, 2 size, 2 size] in 0..1."""
    with torch.no_grad():
        return decoder(tokenizer.vectors(codes)).clamp(0, 1)
