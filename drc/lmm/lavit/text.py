"""Words for LaVIT: the SentencePiece vocabulary of LLaMA, from the tokenizer.model that lies beside the weights.

LaVIT reads it through transformers' LlamaTokenizer and lets that add no special tokens; what is left is this. From its
version 5 on transformers converts the file first, for which it needs protobuf, and that the host does not bring.
"""

from pathlib import Path
from types import SimpleNamespace

from sentencepiece import SentencePieceProcessor


def load_text_tokenizer(folder: Path) -> SentencePieceProcessor:
    """Raises ValueError when the folder has no tokenizer.model."""
    path = folder / "tokenizer.model"
    if not path.is_file():
        raise ValueError(
            f"{folder.name} holds no tokenizer.model, expected beside the language model; download it again"
        )
    return SentencePieceProcessor(model_proto=path.read_bytes())


class Words:
    """A SentencePiece vocabulary with as much of the interface of `tokenizers.Tokenizer` as DRC uses."""

    def __init__(self, pieces: SentencePieceProcessor):
        self.pieces = pieces

    def encode(self, text: str) -> SimpleNamespace:
        """`ids` without beginning or end of sequence; no text is no ids, and none is ever 0.

        Special tokens cannot be written: what looks like one is spelled out.
        """
        return SimpleNamespace(ids=self.pieces.encode(text))
