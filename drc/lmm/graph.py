"""One step of a model as one CUDA graph: a small batch spends more time on starting kernels than in them."""

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3  # libraries choose their kernels and take their memory before anything is recorded


def record(step: Callable[[Tensor], Tensor], example: Tensor, rewind: Callable[[], None]) -> Callable[[Tensor], Tensor]:
    """`step` as a replay of what it does to `example`, with the same results.

    A step must do the same with tensors of the same shapes every time and keep its state in tensors on the device,
    which `rewind` puts back to what it is now. The next replay overwrites the result of the last.
    """
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            step(example)
            rewind()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # other threads may go on using the device
        result = step(example)

    def replay(given: Tensor) -> Tensor:
        example.copy_(given)
        graph.replay()
        return result

    return replay
