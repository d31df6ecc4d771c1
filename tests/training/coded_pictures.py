"""Pictures of 12 meanings in 10 styles, told by codes: what a batch holds can be read off it."""

import dataclasses

import torch

from drc.data.pictures import Picture
from drc.model import DRC
from drc.train.config import Conditioning
from drc.train.data.batches import Batches, Index
from drc.train.data.conditioning import TrainingBatch, draw_batch
from drc.train.objectives.importance import ImportanceSampler
from drc.train.objectives.stages import STAGES, Objective
from scripts.lib.tiny import CONFIG

N, CODES, SLOTS = CONFIG.lmm.vision.grid**2, CONFIG.lmm.vision.codes, CONFIG.lmm.text_slots
ROWS, BLANK = CONFIG.tower.rows, CODES + 1
PROGRAMS, VENDORS, MEANINGS = 6, 4, 12
CLUSTER = {f"m{meaning}": f"c{meaning // 2}" for meaning in range(MEANINGS)}  # two meanings look alike
FAMILY = {f"vendor{vendor}": f"family{vendor // 2}" for vendor in range(VENDORS)}  # two sets of one maker
EVEN = torch.full((4,), 0.25)


def make_batches(
    size: int = 64, own_share: float = 0.5, seed: int = 0, **disturbances: float
) -> tuple[Batches, list[Picture]]:
    """Codes that say what they show: 0..11 the meaning, 12.. the style, mirrored ones in the other order."""
    records = [
        Picture(f"program/{program}", f"vendor{meaning % VENDORS}/m{meaning}", f"m{meaning}")
        for program in range(PROGRAMS)
        for meaning in range(MEANINGS)
    ] + [
        Picture(f"vendor{vendor}", f"vendor{vendor}/m{meaning}", f"m{meaning}")
        for vendor in range(VENDORS)
        for meaning in range(MEANINGS)
    ]
    styles = sorted({record.style for record in records})
    shown = torch.tensor([[int(r.meaning[1:]), MEANINGS + styles.index(r.style)] for r in records])
    codes = torch.stack((shown, shown.flip(1)), dim=1).repeat(1, 1, N // 2).to(torch.int16)
    text = torch.arange(1, MEANINGS + 1).view(-1, 1, 1).expand(-1, 2, SLOTS)
    text_row = torch.tensor([int(record.meaning[1:]) for record in records])
    index = Index(records, CLUSTER, FAMILY)
    return Batches(codes, index, text, text_row, size, own_share, seed, **disturbances), records


def shown_by(codes: torch.Tensor, records: list[Picture]) -> list[tuple[str, str, bool]]:
    """The (style, meaning, mirrored) that codes [..., N] show."""
    styles = sorted({record.style for record in records})
    pairs = codes[..., :2].flatten(0, -2).tolist()
    return [(styles[max(pair) - MEANINGS], f"m{min(pair)}", pair[0] > pair[1]) for pair in pairs]


def make_drc(seed: int = 0) -> DRC:
    torch.manual_seed(seed)
    drc = DRC(CONFIG)
    drc.lmm.initialise()
    drc.disentangler.initialise(drc.lmm.embedding_scale())
    drc.lmm.vision.requires_grad_(False)
    return drc


def make_objective(stage: int, **keywords) -> Objective:
    """An objective whose language model may learn, with the same start values every time."""
    drc = make_drc()
    drc.lmm.vision = None
    return STAGES[stage](drc, **keywords)


def make_batch(
    step: int,
    stage: int = 2,
    batches: Batches | None = None,
    conditioning: Conditioning | None = None,
    share: float = 1.0,
    sampler: ImportanceSampler | None = None,
) -> TrainingBatch:
    batches = batches or make_batches(size=8)[0]
    codes = batches.triplets(step) if stage == 1 else batches.personal(step, 3)
    chances = EVEN if sampler is None else sampler.chances(step)
    generator = torch.Generator().manual_seed(step)
    return draw_batch(codes, conditioning or Conditioning(), BLANK, ROWS, chances, share, generator)


def changed(batch: TrainingBatch, **tensors: torch.Tensor) -> TrainingBatch:
    return dataclasses.replace(batch, **tensors)
