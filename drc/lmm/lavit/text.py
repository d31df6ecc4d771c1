"""Words for LaVIT: the SentencePiece vocabulary of LLaMA, from the tokenizer.model that lies beside the weights.

LaVIT reads it through transformers' LlamaTokenizer and lets that add no special tokens; what is left is this. From its
version 5 on transformers converts the file first, for which it needs protobuf, and that the host does not bring.
"""

from pathlib import Path

import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor


def load_text_tokenizer(folder: Path) -> SentencePieceProcessor:
    """Raises ValueError when the folder has no tokenizer.model."""
    path = folder / "tokenizer.model"
    if not path.is_file():
        raise ValueError(
            f"{folder.name} holds no tokenizer.model, expected beside the language model; download it again"
        )
    return SentencePieceProcessor(model_proto=path.read_bytes())


def encode_text(tokenizer: SentencePieceProcessor, text: str) -> Tensor:
    """Text -> ids [T] int64 without beginning or end of sequence; no text is no ids.

    Special tokens cannot be written: what looks like one is spelled out.
    """
    return torch.tensor(tokenizer.encode(text), dtype=torch.long)
