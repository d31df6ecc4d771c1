"""Cross-entropy over a table of codes, on a CPU without the table of all logits: it is several times as large as its
caches, is written and read again at every operation, and costs more time than the products that make it."""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 256  # rows whose logits over some thousand codes stay in a cache


def code_losses(rows: Tensor, table: Tensor, target: Tensor) -> Tensor:
    """Rows [n, d], table [codes, d] and target codes [n] -> cross-entropy [n] of the logits rows @ table.T, float32."""
    if rows.device.type != "cpu" or torch.compiler.is_compiling():  # a compiler cuts it up by itself
        return F.cross_entropy(F.linear(rows, table).float(), target, reduction="none")
    if torch.is_autocast_enabled("cpu"):
        return ChunkedLosses.apply(rows, table, target, torch.get_autocast_dtype("cpu"))
    return ChunkedLosses.apply(rows, table, target, rows.dtype)


class ChunkedLosses(torch.autograd.Function):
    """Products are in `dtype`, all else in float32; on the way back the logits of a chunk are computed again."""

    @staticmethod
    def forward(ctx, rows: Tensor, table: Tensor, target: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.dtypes = rows.dtype, table.dtype
        rows, table = rows.to(dtype), table.to(dtype)
        losses, norms = torch.empty(len(rows)), torch.empty(len(rows))
        for first in range(0, len(rows), CHUNK):
            some = slice(first, first + CHUNK)
            logits = (rows[some] @ table.T).float()
            norms[some] = logits.logsumexp(dim=1)
            losses[some] = norms[some] - logits.gather(1, target[some, None])[:, 0]
        ctx.save_for_backward(rows, table, target, norms)
        return losses

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        rows, table, target, norms = ctx.saved_tensors
        of_rows, of_table = torch.empty_like(rows), torch.zeros(table.shape)
        for first in range(0, len(rows), CHUNK):
            some = slice(first, first + CHUNK)
            of_logits = (rows[some] @ table.T).float().sub_(norms[some, None]).exp_()
            of_logits[torch.arange(len(of_logits)), target[some]] -= 1
            of_logits = of_logits.mul_(gradient[some, None]).to(rows.dtype)
            of_rows[some] = of_logits @ table
            of_table += of_logits.T @ rows[some]
        return of_rows.to(ctx.dtypes[0]), of_table.to(ctx.dtypes[1]), None, None
