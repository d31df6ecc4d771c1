"""Large multimodal models behind one small interface."""

from typing import Protocol

from torch import Tensor

from .llama import Cache


class LMM(Protocol):
    """What DRC asks of a large multimodal model.

    Pictures are float [B, 3, size, size] in 0..1, codes are int64 [B, N], d is the width of the language model.
    """

    image_size: int
    picture_codes: int  # N

    def tokenize(self, images: Tensor) -> Tensor:
        """Pictures -> codes [B, N]."""

    def detokenize(self, codes: Tensor) -> Tensor:
        """Codes [B, N] -> pictures."""

    def embed(self, codes: Tensor) -> Tensor:
        """Codes [...] -> rows of the input table [..., d]."""

    def prompt(self, text: Tensor, instructions: Tensor) -> Tensor:
        """Text ids [B, T] and instruction vectors [B, K, d] -> embeddings [B, T + K + 1, d], image start last."""

    def follow(self, codes: Tensor, first: int, instructions: Tensor) -> Tensor:
        """Codes [B, n] drawn at first, first + 1, ... -> the embeddings [B, n, d] that ask for the next ones."""

    def cache(self, batch: int, length: int, like: Tensor) -> Cache:
        """A key-value cache for `length` positions on the device and in the dtype of `like`."""

    def logits(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Embeddings [B, n, d] -> logits [B, codes] of the code that follows them."""
