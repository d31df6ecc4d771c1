"""A DRC checkpoint of the smallest size: random, so it draws noise, but through every part of the method."""

import dataclasses
from pathlib import Path

import torch

from drc.checkpoint import save
from drc.fusion import FusionConfig
from drc.lmm.mini.model import MiniConfig
from drc.lmm.mini.text import train_words
from drc.lmm.mini.tokenizer import TokenizerConfig
from drc.model import DRC, About, DRCConfig
from drc.towers import TowerConfig
from drc.train.config import Config, DataConfig, ModelConfig, TrainingConfig

VISION = TokenizerConfig(
    image_size=32, codes=24, code_size=4, coarse_width=32, fine_width=16, pixel_width=8, coarse_blocks=1, fine_blocks=1
)
CONFIG = DRCConfig(
    lmm=MiniConfig(vision=VISION, words=80, text_slots=6, width=32, feed_forward=64, layers=2, heads=2),
    tower=TowerConfig(width=32, heads=2, feed_forward=64, grid=4),
    fusion=FusionConfig(width=32, heads=2, feed_forward=64, layers=2, instructions=4),
)
LABELS = ["red apple", "green apple", "blue car", "yellow sun", "sad cat"]


def write_tiny(path: Path, stage: int = 2, seed: int = 0, config: DRCConfig = CONFIG) -> Path:
    """Writes a checkpoint as training does; another seed gives another model, another config another size."""
    torch.manual_seed(seed)
    words = train_words(LABELS, config.lmm.words)
    model = DRC(config, words, about=About(stage=stage, licence="CC0-1.0"))
    model.lmm.initialise()
    model.disentangler.initialise(model.lmm.embedding_scale())
    save(model, path)
    return path


def config_of(settings: dict) -> Config:
    """The settings of a training, each by its name in whichever of the tables has it."""
    rest, tables = dict(settings), []
    for kind in (DataConfig, ModelConfig, TrainingConfig):
        names = {field.name for field in dataclasses.fields(kind)}
        tables.append(kind(**{name: rest.pop(name) for name in list(rest) if name in names}))
    assert not rest, rest
    return Config(*tables)
