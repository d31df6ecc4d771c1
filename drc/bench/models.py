"""What draws a picture from a history and a reference: DRC, or what it is compared with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from .. import EMBEDDED
from ..checkpoint import load_to_draw, takes_lmm
from ..data.folder import counted
from ..drawings import Drawings, semantics
from ..files import file_hash
from ..instruction import HANDS, Instruction, Semantics
from ..lmm import OnCode, PixelLMM
from ..lmm.fused import apart, fused_weights
from ..lmm.generate import Sampling
from ..lmm.pictures import codes_of
from ..model import DRC
from ..parsing import between
from ..pixels import from_image, resized
from ..pretrained import description_in
from ..tensor_file import look, read_plain, tensors_hash
from ..train.checkpoints import STATE, WEIGHTS, RunFolder, part
from ..train.objectives.entangled import EntangledDRC
from .judges.judge import Judge


class Model(Protocol):
    key: str  # changes when what it draws does

    def draw(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        """Histories [B, n, 3, S, S], references [B, 3, S, S] in 0..1 and what they show in words -> one picture each
        [B, 3, S, S]."""


class LMMModel:
    """Draws with a large multimodal model; pictures are made to fit it.

    `digest` is the SHA-256 of the file of its weights, `way` how they are used. `on_code` is told of every code of a
    batch, see `generate`.
    """

    on_code: OnCode | None = None

    def __init__(self, lmm: PixelLMM, sampling: Sampling, digest: str, way: str):
        self.lmm, self.sampling, self.digest = lmm, sampling, digest
        self.key = f"{way}, {sampling}, {digest}"

    def draw_squares(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        """Codes [B, n, N] and [B, N] -> a picture each [B, 3, size, size]."""
        raise NotImplementedError

    @torch.no_grad()
    def draw(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        given = torch.cat((history, reference[:, None]), dim=1)
        codes = codes_of(self.lmm, resized(given.flatten(0, 1), self.lmm.image_size), given.device)
        codes = codes.unflatten(0, given.shape[:2])
        return resized(self.draw_squares(codes[:, :-1], codes[:, -1], words, seeds), reference.shape[-1])


class DRCModel(LMMModel):
    """Draws from history and reference; those derived from it have something else in place of the reference."""

    instead = ""

    def __init__(self, drc: DRC, style_strength: float, semantic_strength: float, sampling: Sampling):
        way = f"DRC at {style_strength:g} and {semantic_strength:g}{self.instead}"
        super().__init__(drc.lmm, sampling, drc.hash, way)
        self.drc, self.strengths = drc, (style_strength, semantic_strength)

    def meaning(self, reference: Tensor, words: list[str]) -> tuple[list[Semantics] | None, list[str] | str]:
        """Semantics and text of a batch."""
        return list(map(self.drc.semantics, reference)), ""

    def draw_squares(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        style, meaning = list(map(self.drc.style, history)), self.meaning(reference, words)
        drawn = self.drc.draw(style, *meaning, *self.strengths, seeds, self.sampling, self.on_code)
        return from_image(drawn).contiguous()


class WordModel(DRCModel):
    """Is told what to draw in words alone."""

    instead = ", by word"

    def meaning(self, reference: Tensor, words: list[str]) -> tuple[list[Semantics] | None, list[str] | str]:
        return None, words


class DrawingModel(DRCModel):
    """Sees what up to `count` other hands drew of the word; ValueError for a model that the index is not for."""

    def __init__(self, drc: DRC, style_strength: float, semantic_strength: float, sampling: Sampling, count: int):
        self.index, self.count = Drawings(), count
        self.instead = f", by {count} drawings of {file_hash(self.index.path)[:16]}"
        super().__init__(drc, style_strength, semantic_strength, sampling)
        if not self.index.is_read_by(drc):
            raise ValueError(
                "by_drawing is on, but a model has another tokeniser than the index of drawings; turn it off"
            )

    def meaning(self, reference: Tensor, words: list[str]) -> tuple[list[Semantics] | None, list[str] | str]:
        found = (self.index.find(word).codes[: self.count].to(reference.device) for word in words)
        return [semantics(self.drc, codes) for codes in found], ""


class EntangledModel(LMMModel):
    """The comparison has no dials: one stream, plain conditional drawing."""

    def __init__(self, entangled: EntangledDRC, sampling: Sampling, digest: str):
        super().__init__(entangled.lmm, sampling, digest, "entangled")
        self.entangled = entangled

    def draw_squares(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        vectors = self.entangled.instruct(history, reference)[:, None]
        text = torch.zeros(len(reference), 1, self.lmm.text_slots, dtype=torch.long, device=reference.device)
        instruction = Instruction(vectors, text, torch.ones(1, device=reference.device), self.digest)
        return self.lmm.detokenize(self.lmm.draw(instruction, seeds, self.sampling.of(instruction), self.on_code))


class ThroughTokeniser:
    """Sends its reference through a model's tokeniser and back: nothing that the model draws can be nearer."""

    def __init__(self, lmm: PixelLMM):
        self.lmm, self.key = lmm, f"tokeniser {tensors_hash(lmm.vision.state_dict())}"

    @torch.no_grad()
    def draw(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        images = resized(reference, self.lmm.image_size)
        return resized(self.lmm.detokenize(self.lmm.tokenize(images)), reference.shape[-1])


class Chooser:
    """Lets a model draw several candidates and keeps the one that a judge finds likest to history and reference.

    The judge that chooses must not score.
    """

    def __init__(self, model: Model, judge: Judge, candidates: int):
        self.model, self.judge, self.candidates = model, judge, candidates
        self.key = f"{model.key}, best of {candidates} for {judge.name} {judge.version}"

    def draw(self, history: Tensor, reference: Tensor, words: list[str], seeds: list[int]) -> Tensor:
        style = self.judge(history.flatten(0, 1)).style.unflatten(0, history.shape[:2]).mean(dim=1)
        meaning = self.judge(reference).meaning
        drawn, likeness = [], []
        for candidate in range(self.candidates):
            drawn.append(self.model.draw(history, reference, words, [seed + candidate for seed in seeds]))
            found = self.judge(drawn[-1])
            likeness.append((found.style * style).sum(dim=1) + (found.meaning * meaning).sum(dim=1))
        best = torch.stack(likeness).argmax(dim=0)
        return torch.stack(drawn)[best, torch.arange(len(seeds))]


def open_models(
    models: Mapping[str, str],
    strengths: tuple[float, float],
    sampling: Sampling,
    controls: bool = False,
    by_word: bool = False,
    by_drawing: bool = False,
    device: torch.device | str = "cpu",
    lmm: Path | None = None,
) -> dict[str, LMMModel]:
    """The models of the given files, by name: DRC models, and entangled ones, which borrow the tokeniser of the first.

    A file is a DRC checkpoint or the state of an entangled training; a folder is that of a training, whose last
    checkpoint counts; "embedded" is the model that ships. Beside an entangled model, which has no dials, every DRC
    model also draws with both strengths 1. `controls` lets every DRC model draw from history alone and from reference
    alone, too, `by_word` from history and word alone, `by_drawing` from history and one, two and three drawings of the
    word. `lmm` is the folder of the pretrained model that some were trained over. Raises ValueError, in one sentence,
    for what is no model, and for an `lmm` that none of them needs.
    """
    files = {name: find_file(path) for name, path in models.items()}
    given = {name: (models[name], file) for name, file in files.items() if file.name != STATE}
    over = {name for name, one in given.items() if lmm is not None and is_over(*one)}
    drcs = {name: load_drc(*one, lmm if name in over or not over else None) for name, one in given.items()}
    if not drcs:
        raise ValueError(
            f"{', '.join(models)} draws with the tokeniser of a DRC model, but none was given; give one with --model"
        )
    ours, found = next(iter(drcs.values())), {}
    for name, file in files.items():
        if name not in drcs:
            found[name] = EntangledModel(load_entangled(file, ours).to(device), sampling, file_hash(file))
            continue
        drc = drcs[name].to(device)
        found[name] = DRCModel(drc, *strengths, sampling)
        if len(drcs) < len(models) and strengths != (1.0, 1.0):
            found[f"{name}, strengths 1"] = DRCModel(drc, 1.0, 1.0, sampling)
        if controls:
            found[f"{name}, history only"] = DRCModel(drc, strengths[0], 0.0, sampling)
            found[f"{name}, reference only"] = DRCModel(drc, 0.0, strengths[1], sampling)
        if by_word:
            found[f"{name}, word only"] = WordModel(drc, *strengths, sampling)
        for count in range(1, HANDS + 1) if by_drawing else ():
            found[f"{name}, {counted(count, 'drawing')}"] = DrawingModel(drc, *strengths, sampling, count)
    return found


def load_drc(given: str, file: Path, lmm: Path | None) -> DRC:
    """The model in a file, which was `given` as such; ValueError, which says so, for what is none."""
    with between(f"--model is '{given}', but "):
        return load_to_draw(file, lmm)


def is_over(given: str, file: Path) -> bool:
    """Whether that was trained over an LMM whose folder is to be given."""
    with between(f"--model is '{given}', but "):
        return takes_lmm(file)


def find_file(path: str) -> Path:
    """The file of a model, which for the folder of a training is in its last checkpoint."""
    if path == "embedded":
        return EMBEDDED
    if not Path(path).exists():
        raise ValueError(f"there is no model at '{path}'; give a DRC model, the folder of a training, or 'embedded'")
    if Path(path).is_file():
        return Path(path)
    if description := description_in(Path(path)):  # of a pretrained model with nothing trained on top
        return description
    run = RunFolder(Path(path))
    weights = run.last(WEIGHTS)
    return weights if weights.is_file() else run.last(STATE)


def load_entangled(state: Path, ours: DRC) -> EntangledDRC:
    """The averages in a training's state, which holds what was trained: neither tokeniser nor the head of codes."""
    if ours.lmm.pretrained:
        raise ValueError(
            f"{state} draws with the tokeniser of an embedded model, but the first of the others is over a pretrained "
            "one; give --model embedded before it"
        )
    look(state)
    entangled, tensors = EntangledDRC(ours.config), part(read_plain(state), "average.model.")
    entangled.lmm.drop_vision()
    entangled.lmm.tie()
    trained = {name: parameter for name, parameter in entangled.named_parameters() if parameter.requires_grad}
    for name in sorted(apart(trained, fused_weights(entangled)).keys() ^ tensors.keys()):
        raise ValueError(
            f"{state} is not the state of an entangled training, {name} is missing or unexpected; give the folder of "
            "one"
        )
    try:
        entangled.load_state_dict(tensors, strict=False)
    except RuntimeError as error:  # of another size
        raise ValueError(
            f"{state} is of other sizes than the DRC model; give the one that it was trained with"
        ) from error
    entangled.lmm.vision = ours.lmm.vision
    return entangled.eval()
