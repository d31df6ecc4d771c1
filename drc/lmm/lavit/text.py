"""Words for LaVIT: the SentencePiece vocabulary of LLaMA, from the tokenizer.model that lies beside the weights.

LaVIT reads it through transformers' LlamaTokenizer and lets that add no special tokens; what is left is this. From its
version 5 on transformers converts the file first, for which it needs protobuf, and that the host does not bring.
"""

from pathlib import Path

from sentencepiece import SentencePieceProcessor

from ...files import bytes_of
from ..words import AnyWords
from .language import IMAGE_START
from .vocabulary import check_vocabulary

WORDS = "tokenizer.model"
MOST_BYTES = 2**23  # that of LLaMA has half a million


def load_text_tokenizer(folder: Path, again: str = "download it again") -> SentencePieceProcessor:
    """Raises ValueError when the folder has no tokenizer.model, or one that is not whole or not of LLaMA's kind."""
    path = folder / WORDS
    if not path.is_file():
        raise ValueError(f"{folder.name} holds no {WORDS}, expected beside the language model; {again}")
    try:
        data = bytes_of(path, MOST_BYTES)
        check_vocabulary(data, IMAGE_START)
        return SentencePieceProcessor(model_proto=data)
    except RuntimeError as error:
        raise ValueError(f"{path} is not a whole SentencePiece vocabulary; {again}") from error
    except ValueError as error:
        raise ValueError(f"{path} {error}; {again}") from error


class LavitWords(AnyWords):
    """A `drc.lmm.Words`: a SentencePiece vocabulary."""

    def __init__(self, pieces: SentencePieceProcessor):
        self.pieces = pieces

    def encode(self, text: str) -> list[int]:
        """Ids without beginning or end of sequence; no text is no ids, and none is ever 0.

        Special tokens cannot be written: what looks like one is spelled out.
        """
        return self.pieces.encode(text)
