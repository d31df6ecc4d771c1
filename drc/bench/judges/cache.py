"""The feature cache: what judges saw, in files that are named by the pixels, so that no picture is looked at twice."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor

from ...pixels import from_pixels
from ...tensor_file import read_plain, write_safetensors
from ..cases.domain import Domain
from .judge import Features, Judge

CHUNK = 16  # pictures in one file

Chunk = np.ndarray  # uint8 [n, S, S, 3]


def chunks_of(domain: Domain, rows: Sequence[int]) -> Iterator[Chunk]:
    """Pictures of a domain, read a chunk at a time."""
    for first in range(0, len(rows), CHUNK):
        yield domain.pictures.read(np.array(rows[first : first + CHUNK]))


class FeatureCache:
    """Of one judge, in a folder. Each of `count` processes that write together has its share of the chunks."""

    def __init__(self, judge: Judge, folder: Path, rank: int = 0, count: int = 1):
        self.judge, self.rank, self.count = judge, rank, count
        version = hashlib.sha256(judge.version.encode()).hexdigest()[:12]
        self.folder = folder / f"{judge.name}-{version}"

    def look(self, chunk: Chunk) -> None:
        """Has the judge look at some pictures, if they are this process's to show and were not shown before."""
        self.cached("features", (chunk,), self.see, shared=True)

    def compare(self, chunk: Chunk, other: Chunk) -> None:
        """The same for the distances of two chunks, if the judge can tell one."""
        if self.judge.distance:
            self.cached("distance", (chunk, other), self.measure, shared=True)

    def features(self, chunks: Iterable[Chunk]) -> Features:
        found = [self.cached("features", (chunk,), self.see) for chunk in chunks]
        return Features(*(torch.cat([one[name] for one in found]) for name in ("style", "meaning")))

    def distances(self, pairs: Iterable[tuple[Chunk, Chunk]]) -> Tensor:
        return torch.cat([self.cached("distance", pair, self.measure)["distance"] for pair in pairs])

    def see(self, chunk: Chunk) -> dict[str, Tensor]:
        return vars(self.judge(from_pixels(chunk)))

    def measure(self, chunk: Chunk, other: Chunk) -> dict[str, Tensor]:
        return {"distance": self.judge.distance(from_pixels(chunk), from_pixels(other))}

    def cached(self, what: str, chunks: tuple[Chunk, ...], make: Callable, shared: bool = False) -> dict[str, Tensor]:
        """What is in the file of these pictures; made and written first where there is none, unless it is `shared` and
        another process's to write."""
        digest = hashlib.sha256(what.encode())
        for chunk in chunks:
            digest.update(str(chunk.shape).encode() + np.ascontiguousarray(chunk).tobytes())
        digest = digest.hexdigest()
        path = self.folder / digest[:2] / f"{digest[2:18]}.safetensors"
        if path.exists():
            with suppress(SafetensorError):  # of a damaged file, which is made anew
                return {} if shared else read_plain(path)
        if shared and int(digest, 16) % self.count != self.rank:
            return {}
        made = {name: tensor.contiguous() for name, tensor in make(*chunks).items()}
        write_safetensors(made, path, {})
        return made
