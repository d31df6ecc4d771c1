"""What settings keep from being learned, said before a training begins: refused where nothing is left, told where a
part of it goes."""

from collections.abc import Iterator

from ..lmm import LMM
from .config import Config, ModelConfig, TrainingConfig
from .data.training_data import TrainingData
from .errors import TrainingError

LEAST_STEP = 1e-8
"""Of a learning rate, ours: a step of Adam is about as long, and a weight of 0.1 has its neighbours in float32 7.5e-9
away."""
LEAST_NORM = 1e-7
"""Of gradients, ours: each of a million weights has about a thousandth of it, far below the epsilon of Adam, 1e-8."""


def check_learning(config: Config, way: str) -> None:
    """TrainingError for settings with which all that learns, or a language model that is to learn in this `way`, stays
    as it is."""
    training, nothing, no_language = config.training, "nothing is learned", "the language model learns nothing"
    freeze = ", or train_language to 'frozen'"
    zeros = [
        ("rate", training.rate, nothing, "0.0001", ""),
        ("gradient_norm", training.gradient_norm, nothing, "1", ""),
    ]
    if way != "frozen":
        zeros.append(("language_rate", training.language_rate, no_language, "0.0001", freeze))
    if way == "LoRA":
        zeros.append(("lora_alpha", config.model.lora_alpha, no_language, "16", freeze))
    for name, value, what, usual, otherwise in zeros:
        if not value:
            raise TrainingError(f"{name} is 0, with which {what}; set it to {usual} or so{otherwise}")


def advice(config: Config, way: str, lmm: LMM, data: TrainingData) -> list[str]:
    """One clause for everything that this training, in which the language model learns in this `way`, leaves unlearned,
    or does otherwise than its settings say."""
    training = config.training
    return [
        *data.notes,
        *about_lora(config.model, way, lmm),
        *about_targets(data),
        *about_schedule(training),
        *about_steps(training, way),
        *about_conditions(training, data),
    ]


def about_lora(settings: ModelConfig, way: str, lmm: LMM) -> Iterator[str]:
    """One that is there already goes on to learn as it is, see `LMM.learn`."""
    if way == "LoRA" and lmm.pretrained and lmm.config.lora_rank:
        for name in ("lora_rank", "lora_alpha"):
            wished, own = getattr(settings, name), getattr(lmm.config, name)
            if wished != own:
                yield f"{name} is {wished:g}, but the model has a LoRA already, which keeps its own, {own:g}"


def about_targets(data: TrainingData) -> Iterator[str]:
    """Where one kind of target is missing, all are of the other, see `drc.train.data.batches.own_share_of`."""
    index, wished = data.train.index, data.train.own_share
    if wished and not len(index.own):
        yield f"own_share is {wished:g}, but no picture can be learned as it is, so repaintings alone are"
    if not wished and not len(index.repainted):
        yield "own_share is 0, but nothing is repainted, so pictures are learned as they are"


def about_schedule(training: TrainingConfig) -> Iterator[str]:
    steps, warm_up = training.steps, training.warm_up
    if warm_up > steps:
        yield (
            f"warm_up is {warm_up} and steps is {steps}, so the learning rate never grows to more than "
            f"{steps / warm_up:.2%} of its size"
        )
    adaptive = training.stage == 1 and training.sampling == "difficulty-aware"
    if adaptive and training.sampling_warm_up >= steps:
        yield (
            f"sampling_warm_up is {training.sampling_warm_up} and steps is {steps}, so sampling stays uniform to the "
            "end"
        )
    if training.all_blank >= 1:
        yield "all_blank is 1, so the language model never learns to go on from what it has drawn"


def about_steps(training: TrainingConfig, way: str) -> Iterator[str]:
    """Which of them are too small; names no rates, as a node and a CONFIG.toml call them differently."""
    rates = {"towers and fusion network": training.rate}
    if way != "frozen":
        rates["the language model"] = training.language_rate
    for learner, rate in rates.items():
        most = rate * min(1.0, training.steps / training.warm_up)
        if most < LEAST_STEP:
            yield (
                f"the learning rate of {learner} is at most {most:.2g}, and steps below {LEAST_STEP:.0e} are lost in "
                "rounding, so nothing is learned there"
            )
    if training.gradient_norm < LEAST_NORM:
        yield f"gradient_norm is {training.gradient_norm:.2g}, which leaves next to nothing of what is to be learned"


def about_conditions(training: TrainingConfig, data: TrainingData) -> Iterator[str]:
    """Which of them no batch shows, see `drc.train.data.conditioning.draw_batch`; names only what keeps it from there,
    as a node has not all of these settings."""
    style, semantics, both = training.drop_style, training.drop_semantics, training.drop_both
    meaning, total = round(both + semantics, 9), round(both + semantics + style, 9)
    if total > 1:
        counted = f"{min(style, max(0, 1 - meaning)):g}, {min(semantics, 1 - both):g} and {both:g}"
        yield f"drop_style, drop_semantics and drop_both add up to {total:g}, more than 1, so they count as {counted}"
    together, with_meaning = 1 - min(1.0, total), 1 - min(1.0, meaning)
    with_style = together + min(1.0, meaning) - both
    with_reference = with_meaning * (1 - training.text_alone)
    if with_style <= 0:
        yield "by drop_style and drop_both the history is never shown, so no style is learned"
    if with_reference <= 0:
        by = "text_alone" if with_meaning else "drop_semantics and drop_both"
        yield f"by {by} the reference is never shown, so no meaning is learned of it"
    if together <= 0 < min(with_style, with_reference):
        yield "by drop_style, drop_semantics and drop_both history and reference are never shown together"
    if data.text.any() and not with_meaning * (training.text_alone or training.keep_text):
        by = "text_alone and keep_text" if with_meaning else "drop_semantics and drop_both"
        yield f"by {by} captions are never shown, so no words are learned"
