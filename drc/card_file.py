"""Style cards in files: one small safetensors file each, believed in nothing that was not checked."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .colours import Look, Palette
from .parsing import brief
from .pixels import from_pixels, resized, to_pixels
from .records import check_codes, check_weights
from .style_card import LONGEST, SMALLEST, THUMBNAIL, StyleCard, require_count
from .tensor_file import AGAIN, Contents, header_in, look, metadata_of, read_plain, write_safetensors
from .traits import Traits

KIND = "drc style card"
MOST_BYTES = 10**6
HEADER = 2**13  # of them kept free for texts, names and shapes
MOST_COLOURS = 16  # kept of a picture; icons have a few, and of a photograph the number says nothing
MOST_MARKS = 256  # numbers of a picture that another version may have
MOST_UNITS = 2**10  # of a grid
LARGEST_PALETTE = 25  # colours of a history, with its ground
NUMBERS = ("weight", "padding", "stroke", "lines", "corner")  # of `Traits`, as they stand in a row of the file
CODES = ("I16", "I32")
COMPLETED = {"palette", "marks"}  # tensors that a card has both or none of
AGAIN_DRAWN, FLAT = "drawn_again", "flat"  # in a header


def save(card: StyleCard, path: Path) -> None:
    """Writes a card of at most MOST_BYTES, with thumbnails as large as then fit; ValueError where none do."""
    count, small = len(card.codes), torch.int16 if int(card.codes.max()) < 2**15 else torch.int32
    tensors = {"codes": card.codes.to(small), "weights": card.weights}
    if card.thumbnails is not None:
        tensors |= {"numbers": numbers_of(card.traits), "colours": colours_of(card.traits)}
    if card.look is not None:
        tensors |= {"palette": torch.from_numpy(card.look.palette.colours), "marks": torch.from_numpy(card.marks)}
        tensors |= {name: tensors[name].float() for name in COMPLETED}
    room = MOST_BYTES - HEADER - sum(tensor.nbytes for tensor in tensors.values())
    needed = 0 if card.thumbnails is None else SMALLEST
    if room < 3 * count * needed**2:
        raise ValueError(f"the codes of {count} pictures do not fit into {MOST_BYTES} bytes; leave some out")
    if card.thumbnails is not None:
        side = min(card.thumbnails.shape[1], int((room / count / 3) ** 0.5))
        tensors["thumbnails"] = torch.from_numpy(to_pixels(resized(from_pixels(card.thumbnails), side)))
    texts = {name: getattr(card, name) for name in LONGEST} | texts_of(card)
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_safetensors(tensors, path, metadata_of({"kind": KIND, "model": card.model} | texts))


def load(path: Path) -> StyleCard:
    """The card in a file from anywhere; whose codes they are `style_of` finds out. ValueError in one sentence for a
    file that is none, for one that is larger than any, and for numbers that no card has."""
    if path.is_file() and (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(
            f"{path.name} is {size} bytes long, but a style card has at most {MOST_BYTES}; choose a file that Save "
            "Style Card wrote"
        )
    contents = look(path)
    header = header_in(path, contents.metadata)
    if header.get("kind") != KIND:
        raise ValueError(f"{path.name} is not a style card; choose a file that Save Style Card wrote")
    try:
        if not re.fullmatch("[0-9a-f]{64}", header.get("model", "")):
            raise ValueError(f"has the model {brief(repr(header.get('model')))}, which is none")
        check_shapes(contents)
        tensors = read_plain(path, contents.shapes)
        check_codes(tensors["codes"])
        check_weights(tensors["weights"])
        card = card_in(tensors, header)
        card.check()
        return card
    except ValueError as error:
        raise ValueError(f"{path.name} is no whole style card: it {error}; {AGAIN}") from error


def check_shapes(contents: Contents) -> None:
    """ValueError with the rest of a sentence unless all tensors are there and speak of as many pictures."""
    shapes = contents.shapes
    codes, thumbnails = shapes.get("codes", ()), shapes.get("thumbnails")
    if len(codes) != 2 or codes[1] == 0:
        raise ValueError(f"has codes of the shape {codes}, expected pictures x codes")
    count = codes[0]
    require_count(count)
    expected = {"codes": codes, "weights": (count,)}
    if COMPLETED & shapes.keys():
        expected["palette"] = (within(shapes.get("palette", ())[:1], LARGEST_PALETTE), 3)
        expected["marks"] = (count, within(shapes.get("marks", ())[1:2], MOST_MARKS))
    if shapes.keys() - {"codes", "weights"}:
        sides = {(count, side, side, 3) for side in range(SMALLEST, THUMBNAIL + 1)}
        expected |= {"numbers": (count, len(NUMBERS)), "colours": (count, MOST_COLOURS, 3)}
        expected["thumbnails"] = thumbnails if thumbnails in sides else (count, THUMBNAIL, THUMBNAIL, 3)
    kinds = {"codes": CODES, "thumbnails": ("U8",)}
    for name in sorted(expected.keys() | shapes.keys()):
        found = shapes.get(name), contents.dtypes.get(name)
        if found[0] != expected.get(name) or found[1] not in kinds.get(name, ("F32",)):
            raise ValueError(f"has {brief(name)} as {found[1]} of the shape {found[0]}, expected {expected.get(name)}")


def within(length: tuple[int, ...], most: int) -> int:
    return min(max((1, *length)), most)


def card_in(tensors: dict[str, Tensor], header: dict[str, str]) -> StyleCard:
    texts = {name: header.get(name, "") for name in LONGEST}
    given = tensors["codes"].long(), tensors["weights"], header["model"]
    if "thumbnails" not in tensors:
        return StyleCard(*given, **texts)
    measured = traits_in(tensors["numbers"], tensors["colours"].double().numpy())
    shown = {"thumbnails": tensors["thumbnails"].numpy(), "traits": measured, "drawn_again": AGAIN_DRAWN in header}
    if "palette" in tensors:
        shown |= {"look": look_in(tensors["palette"], header), "marks": marks_in(tensors["marks"])}
    return StyleCard(*given, **texts, **shown)


def texts_of(card: StyleCard) -> dict[str, str]:
    """What a header tells beside the texts of a card."""
    again = {AGAIN_DRAWN: "true"} if card.drawn_again else {}
    if card.look is None:
        return again
    palette = card.look.palette
    return again | {"count": str(palette.count), "ground": FLAT if palette.flat else "", "grid": str(card.look.grid)}


def look_in(colours: Tensor, header: dict[str, str]) -> Look:
    """ValueError with the rest of a sentence where there is none."""
    found = colours.double().numpy()
    if not (np.abs(found) <= 2).all():
        raise ValueError("has a palette that is none")
    count, grid = number_in(header, "count", LARGEST_PALETTE), number_in(header, "grid", MOST_UNITS)
    return Look(Palette(found, count, header.get("ground") == FLAT), grid)


def marks_in(found: Tensor) -> np.ndarray:
    """ValueError with the rest of a sentence where they are none; what was not read is nan."""
    if found.isinf().any():
        raise ValueError("has marks that are none")
    return found.double().numpy()


def number_in(header: dict[str, str], name: str, most: int) -> int:
    text = header.get(name, "")
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"has the {name} {brief(repr(text))}, expected 1 to {most}")
    return int(text)


def numbers_of(measured: tuple[Traits, ...]) -> Tensor:
    return torch.tensor([[float(getattr(one, name)) for name in NUMBERS] for one in measured])


def colours_of(measured: tuple[Traits, ...]) -> Tensor:
    """[n, MOST_COLOURS, 3], nan where a picture has fewer; the ground first, then the largest."""
    colours = torch.full((len(measured), MOST_COLOURS, 3), float("nan"))
    for row, one in zip(colours, measured, strict=True):
        kept = torch.from_numpy(one.colours[:MOST_COLOURS])
        row[: len(kept)] = kept
    return colours


def traits_in(numbers: Tensor, colours: np.ndarray) -> tuple[Traits, ...]:
    """ValueError with the rest of a sentence where they are none."""
    known = ~np.isnan(colours).any(axis=-1)
    counts = known.sum(axis=-1)
    if not (known == (np.arange(MOST_COLOURS) < counts[:, None])).all() or not counts.all():
        raise ValueError("has colours that are none")
    shares = numbers[:, :-1], numbers[:, -1].nan_to_num(0.0, 2.0, 2.0)
    if not all(((some >= 0) & (some <= 1)).all() for some in shares) or not (np.abs(colours[known]) <= 2).all():
        raise ValueError("has numbers that are none")
    found = []
    for row, colour, count in zip(numbers.tolist(), colours, counts, strict=True):
        given = dict(zip(NUMBERS, row, strict=True))
        found.append(Traits(colour[:count], **given | {"lines": given["lines"] > 0.5}))
    return tuple(found)
