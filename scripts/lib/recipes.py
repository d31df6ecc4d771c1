"""How the embedded model was trained: scripts/recipes/NAME.toml, each a CONFIG.toml of `python -m drc.train`."""

from drc.train.config import Config, DataConfig, ModelConfig, TrainingConfig
from drc.train.config_file import read_toml
from scripts.lib.environment import ROOT

FOLDER = ROOT / "scripts" / "recipes"
WIDGETS = {
    "steps": "steps",
    "batch_size": "batch",
    "learning_rate": "rate",
    "language_learning_rate": "language_rate",
    "seed": "seed",
    "warm_up": "warm_up",
    "instructions_first": "instructions_first",
    "validate_every": "validate_every",
    "samples": "samples",
}
"""Of a training node, and what the settings call them."""


def recipe(name: str) -> dict[str, dict]:
    """What stands in it, by table."""
    return read_toml(FOLDER / f"{name}.toml")


def settings_of(name: str, data: dict, model: dict, training: dict) -> Config:
    """Those of a recipe, but for what is given; what both leave out follows from the rest."""
    tables = recipe(name)
    return Config(
        DataConfig(**tables["data"] | data),
        ModelConfig(**tables["model"] | model),
        TrainingConfig(**tables["training"] | training),
    )


def widgets_of(config: Config) -> dict:
    """What makes a training node train so."""
    training, of_stage_2 = config.training, {"history": "history"} if config.training.stage == 2 else {}
    return {"start": config.model.start} | {
        widget: getattr(training, name) for widget, name in (WIDGETS | of_stage_2).items()
    }
