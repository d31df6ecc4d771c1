"""The language side of Janus-Pro: a LLaMA that reads codes through an aligner and draws through a head of its own.

The table of codes is learned for reading and is not the codebook of the tokeniser. The head for words is left out: it
serves answers in words alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..llama import Cache, LlamaConfig, LlamaForCausalLM
from .config import TokenizerConfig
from .siglip import Aligner


class GenerationHead(nn.Module):
    """Last hidden states [..., d] -> logits [..., codes]."""

    def __init__(self, width: int, codes: int, operations):
        super().__init__()
        self.proj_out = operations.Linear(width, width)
        self.vision_head = operations.Linear(width, codes)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.vision_head(F.gelu(self.proj_out(hidden)))


class JanusLanguage(LlamaForCausalLM):
    dtype: torch.dtype | None = None
    """What it computes in, with layers that cast their weights; None: what the weights are kept in."""

    def __init__(self, config: LlamaConfig, tokenizer: TokenizerConfig, operations=nn):
        super().__init__(config, operations, outputs=1)
        self.lm_head = GenerationHead(config.hidden_size, tokenizer.codes, operations)
        self.generation_embeddings = operations.Embedding(tokenizer.codes, tokenizer.code_size)
        self.generation_aligner = Aligner(tokenizer.code_size, config.hidden_size, operations)

    def words(self, ids: Tensor) -> Tensor:
        """Ids of words, of any shape -> their rows of the input table [..., d]."""
        return self.model.embed_tokens(ids).to(self.dtype)

    def codes(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> what is read of them [..., d]."""
        return self.generation_aligner(self.generation_embeddings(codes).to(self.dtype))

    def logits(self, embeddings: Tensor, cache: Cache | None = None) -> Tensor:
        """Embeddings [B, n, d] -> logits [B, codes] of the code that follows them."""
        return self.lm_head(self.hidden(embeddings, cache)[:, -1])
