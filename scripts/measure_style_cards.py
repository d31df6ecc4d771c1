"""What a style card and a folder of pictures take, with the embedded model and the example icons.

    build/venv/bin/python -m scripts.measure_style_cards

Sizes of cards of 8 and of 200 pictures; whether the card draws the bytes that its history draws; processor time of
loading the one of 8, the model being there, median of 20; and what reading 200 pictures of a folder takes of memory
at most against 10, by itself and of the whole process.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

import drc
from drc import card_file
from drc.data.history import picture_names, squares_in
from drc.model import DRC
from drc.style_card import card_of, style_of, with_pictures

from .lib.environment import ROOT
from .lib.memory import begin_peak, peak

ICONS = ROOT / "nodes" / "examples" / "icons-1"
SIDE, FEW, MANY = 1024, 10, 200  # pixels of the pictures of the folder, and how many there are


@torch.no_grad()
def cards(model: DRC, folder: Path) -> None:
    codes = model.tokenize(drc.read(*sorted(ICONS.glob("icon-*.png"))), "history")
    style, path = model.style(codes), folder / "style.safetensors"
    card = with_pictures(card_of(style, name="icons 1", licence="MIT"), model.lmm.detokenize(codes))
    times = MANY // len(codes)
    shown = {"thumbnails": card.thumbnails.repeat(times, axis=0), "traits": card.traits * times}
    card_file.save(type(card)(codes.repeat(times, 1), torch.ones(MANY), card.model, **shown), path)
    print(f"{MANY} pictures: {path.stat().st_size} bytes")
    card_file.save(card, path)
    print(f"{len(codes)} pictures: {path.stat().st_size} bytes")
    seconds = []
    for _ in range(20):
        start = time.process_time()
        found = style_of(model, card_file.load(path))
        seconds.append(time.process_time() - start)
    print(f"loading it: {1000 * statistics.median(seconds):.0f} ms")
    reference = model.semantics(model.tokenize(drc.read(ICONS / "reference.png"), "reference")[0])
    drawn = [model.draw(one, reference, seeds=[1]) for one in (style, found)]
    print(f"draws the same bytes: {torch.equal(*drawn)}")


def taken(model: DRC, folder: Path, count: int) -> tuple[int, int]:
    """Bytes that reading so many pictures takes at most, their squares among them; and what the process held then."""
    folder.mkdir()
    Image.effect_noise((SIDE, SIDE), 40).convert("RGB").save(folder / "0.jpg")
    for number in range(1, count):
        (folder / f"{number}.jpg").write_bytes((folder / "0.jpg").read_bytes())
    before = begin_peak()
    names = picture_names(folder, [], lambda seen: None)
    lmm, squares = model.lmm, []
    for _, square in squares_in(folder, names, lmm.image_size, lmm.prepare, [], lambda: None):
        squares.append(square)
    return (most := peak()) - before, most


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    model = drc.load()
    with tempfile.TemporaryDirectory() as folder:
        cards(model, Path(folder))
        few, many = (taken(model, Path(folder) / str(count), count) for count in (FEW, MANY))
    squares = (MANY - FEW) * model.lmm.image_size**2 * 12
    print(f"{FEW} pictures of a folder: {few[0] / 2**20:.0f} MB, {MANY}: {many[0] / 2**20:.0f} MB")
    print(f"of the whole process at most: {many[1] / few[1]:.2f} times")
    print(f"of that the squares of {MANY - FEW} more: {squares / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
