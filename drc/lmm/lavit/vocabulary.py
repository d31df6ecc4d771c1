"""What a SentencePiece file holds, read off its fields before the library makes anything of it.

The file is a protocol buffer (sentencepiece_model.proto): its pieces one by one, then how they were trained, then how
text is normalised. That of LLaMA normalises nothing; a table for it is followed unchecked, so none is taken.
"""

from collections.abc import Iterator

PIECE, TRAINER, NORMALISER = 1, 2, 3  # fields of the file
VOCABULARY_SIZE, TABLE = 4, 2  # fields of the trainer and of the normaliser
LONGEST = 1000  # bytes of a piece
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def check_vocabulary(data: bytes, most: int) -> None:
    """ValueError with the rest of a sentence unless `data` is a whole vocabulary of at most `most` pieces."""
    pieces, parts = 0, {}
    for field, value in fields(data):
        if field == PIECE:
            pieces += 1
            if isinstance(value, int) or len(value) > LONGEST:
                raise ValueError(f"has a piece that is none, expected up to {LONGEST} bytes")
        elif isinstance(value, bytes):
            parts[field] = dict(fields(value))
    if TRAINER not in parts or NORMALISER not in parts or parts[TRAINER].get(VOCABULARY_SIZE) != pieces:
        raise ValueError("is not a whole SentencePiece vocabulary")
    if pieces > most:
        raise ValueError(f"has {pieces} entries, expected at most {most}")
    if parts[NORMALISER].get(TABLE):
        raise ValueError("has a table to normalise text with, expected that of LLaMA, which has none")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field of a message; ValueError for what is none."""
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        field, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = varint(data, place)
            yield field, value
            continue
        size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(kind)
        if kind == LENGTH:
            size, place = varint(data, place)
        if not field or size is None or place + size > len(data):
            raise ValueError("is not a whole SentencePiece vocabulary")
        yield field, data[place : place + size]
        place += size


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    number = 0
    for index, byte in enumerate(data[place : place + 10]):
        number |= (byte & 127) << 7 * index
        if byte < 128:
            return number, place + index + 1
    raise ValueError("is not a whole SentencePiece vocabulary")
