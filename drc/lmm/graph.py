"""One step of a model as one CUDA graph: a small batch spends more time on starting kernels than in them."""

import logging
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor, nn

from ..parsing import brief_error

log = logging.getLogger("drc")

WARM_UP = 3  # libraries choose their kernels and take their memory before anything is recorded

Step = Callable[..., Tensor]


def record(step: Step, examples: tuple[Tensor, ...], rewind: Callable[[], None], compiles: bool = False) -> Step:
    """`step` as a replay of what it does to `examples`, with the same results.

    A step must do the same with tensors of the same shapes every time and keep its state in tensors on the device,
    which `rewind` puts back to what it is now. The next replay overwrites the result of the last. With `compiles` it is
    `compiled` first.
    """
    if compiles:
        step = compiled(step, examples, rewind)
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            step(*examples)
            rewind()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # other threads may go on using the device
        result = step(*examples)

    def replay(*given: Tensor) -> Tensor:
        for example, one in zip(examples, given, strict=True):
            example.copy_(one)
        graph.replay()
        return result

    return replay


def compiled(step: Step, examples: tuple[Tensor, ...], rewind: Callable[[], None]) -> Step:
    """`step` by torch's compiler, which makes fewer kernels of it and may round otherwise; as it is, and a line in the
    log, where no code can be built on this machine. That takes a minute or more, in which nothing else is heard."""
    said = ""
    for _ in range(2):
        try:
            quicker = torch.compile(step, fullgraph=True, dynamic=False)
            quicker(*examples)
            return quicker
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # torch has many, and no common one
            said = brief_error(error)
            torch.compiler.reset()  # it compiles the same lines for a few sizes only
        finally:
            rewind()
    log.warning("compile_step is on, but torch cannot build code on this machine (%s): it changes nothing", said)
    return step


class Recording:
    """The last recording of a model's steps, kept from one drawing to the next with all that it reads and writes.

    Who draws on with another key, or whose weights lie elsewhere, gets nothing, and what was kept is let go first: it
    takes memory, and reads weights where they lay. A copy of the model has none.
    """

    def __init__(self):
        self.key: Hashable = None
        self.kept: Any = None

    def __reduce__(self):  # of copies, too
        return Recording, ()

    def find(self, model: nn.Module, key: Hashable) -> Any:
        """What was kept by `keep` for that key, or None."""
        if self.key != (key, places(model)):
            self.drop()
        return self.kept

    def keep(self, model: nn.Module, key: Hashable, kept: Any) -> None:
        self.key, self.kept = (key, places(model)), kept

    def drop(self) -> None:
        self.key = self.kept = None


def places(model: nn.Module) -> tuple[int, ...]:
    """Where in memory the weights lie."""
    return tuple(weight.data_ptr() for weight in (*model.parameters(), *model.buffers()))
