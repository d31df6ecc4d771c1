"""One training from its settings to its weights: the same for a node, for `python -m drc.train` and for many
processes."""

import dataclasses
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..checkpoint import OF_AUXILIARY_HEAD, header_of, load, own_state
from ..data.built import BUILT, Built
from ..data.folder import ImageFolder, scan
from ..interrupt import call_between_layers
from ..lmm.learned import joined
from ..model import DRC
from ..progress import OnPart, OnShare, Tell
from ..tensor_file import require_shapes
from .advice import advice, check_learning
from .checkpoints import WEIGHTS, Checkpoint, RunFolder, part, settle
from .config import Config, ModelConfig, check
from .config_file import to_toml
from .data.built import built_data
from .data.codes import CodeCache, chunk_on
from .data.training_data import TrainingData, folder_data
from .errors import TrainingError
from .gradients import GradientStep
from .loop import Trainer, as_stored
from .machine.compiler import require_compiler
from .machine.memory import QUICKEST, Memory, estimate, quick_attention, recompute
from .machine.precision import precision_of
from .machine.processes import OneProcess
from .objectives.importance import ImportanceSampler
from .objectives.stages import STAGES, Objective
from .training_batches import TrainingBatches
from .validation import Validation, read_samples

log = logging.getLogger("drc")

LMM = "lmm."  # how the names of its weights begin in a DRC


def to_device(module: nn.Module, device: torch.device, memory: int) -> None:
    """Brings weights to a device; a host that keeps memory for others does it its own way."""
    module.to(device)


@dataclass
class Hooks:
    """What whoever starts a training wants to know and to decide. Each call may raise to stop; nothing is lost.

    place(module, device, bytes): bring weights to the device, where the work takes so many bytes beside them.
    on_file, on_pair and on_picture(done, total): while pictures are read, paired and turned into codes.
    on_step(trainer): before every step. on_part(): often, between two pictures or two layers of a pass.
    on_validation(what, done, total): while it validates.
    on_samples(sheet): pictures drawn at a validation, uint8 [H, W, 3].
    on_note(text): what is to be known of the settings and the pictures; the log says it, too.
    """

    place: Callable[[nn.Module, torch.device, int], None] = to_device
    on_file: OnShare | None = None
    on_pair: OnShare | None = None
    on_picture: OnShare | None = None
    on_step: Callable[[Trainer], None] | None = None
    on_part: OnPart | None = None
    on_validation: Tell | None = None
    on_samples: Callable[[np.ndarray], None] | None = None
    on_note: Callable[[str], None] | None = None

    def note(self, text: str) -> None:
        log.info("%s", text)
        if self.on_note is not None:
            self.on_note(text)


@dataclass(frozen=True)
class Result:
    """`file` holds the trained model. `records` are those of the log; `samples` the sheets of all validations that look
    like the last one, uint8 [H, W, 3]."""

    file: Path
    step: int
    records: list[dict]
    memory: Memory
    samples: list[np.ndarray]


Dataset = ImageFolder | Built | Callable[[DRC], TrainingData]


def open_data(config: Config, base: DRC, hooks: Hooks, dataset: Dataset | None) -> TrainingData:
    """The pictures that the settings name, paired, for a model like `base`; `dataset` if they are opened already."""
    if callable(dataset):
        return dataset(base)
    data, lmm = config.data, base.lmm
    if data.source in BUILT:
        if data.augmentations:
            raise TrainingError(
                f"augmentations are for folders of pictures, but the dataset is the {data.source}, which brings "
                "redrawn references of its own; disconnect them"
            )
        built = dataset or BUILT[data.source].open(Path(data.folder))
        return built_data(built, data.own_share, base.words, lmm.text_slots, data.pair_seed)
    folder = dataset or scan(data.folder, data.table or None, data.pattern, hooks.on_file)
    return folder_data(folder, data, lmm.image_size, base.words, lmm.text_slots, hooks.on_pair, hooks.on_part)


def train(
    config: Config,
    folder: Path,
    cache: Path,
    processes: OneProcess | None = None,
    hooks: Hooks | None = None,
    dataset: Dataset | None = None,
) -> Result:
    """Trains in `folder`, on from its last checkpoint if it has one; codes are kept in `cache`.

    `dataset` is the settings' data set where it is opened already, or makes the data for the model. Raises
    TrainingError, in one sentence, for settings, pictures or checkpoints that do not serve.
    """
    processes, hooks = processes or OneProcess(), hooks or Hooks()
    settle(folder, hooks.on_part)
    check(config.training)
    check(config.model)
    check(config.data)
    if config.training.batch % processes.count:
        raise TrainingError(
            f"batch is {config.training.batch}, which {processes.count} processes cannot share evenly; choose a "
            "multiple of them"
        )
    with processes.together():
        base = load(Path(config.model.file), lmm=Path(config.model.lmm) if config.model.lmm else None)
        if config.training.stage == 2 and base.stage == 0 and config.model.start == "from the model":
            raise TrainingError("the towers of this model were never trained; train stage 1 first")
        if hooks.on_part is not None:
            call_between_layers(base, hooks.on_part)
        parts = base.lmm.trainable_parts(config.model.train_language)
        base.lmm.require_instructions(base.config.fusion.instructions)
        if config.training.compile:
            require_compiler(processes.device)
            hooks.note(
                "compile is on: the first step and the first validation take a minute or more longer, as code is "
                "built for them"
            )
        check_learning(config, parts)
        data = open_data(config, base, hooks, dataset)
    if not processes.agree(f"{config.training} {base.hash} {data.fingerprint}"):
        raise TrainingError("machines have different settings, models or pictures; give all of them the same files")
    for text in advice(config, parts, base.lmm, data):
        hooks.note(text)
    vision = base.lmm.vision
    precision = precision_of(config.training.code_precision, processes.device)
    codes = encoded(data, CodeCache(cache, vision, precision), processes, hooks)
    trained = Training(config, base, parts, data, codes, processes, hooks)
    base.lmm.drop_vision()  # what it takes is free while the rest learns; samples are decoded on the CPU
    return trained.train(RunFolder(folder), vision)


def encoded(data: TrainingData, store: CodeCache, processes: OneProcess, hooks: Hooks) -> torch.Tensor:
    """The codes of every picture; on each machine one process encodes, the others read what it kept."""
    vision = store.vision
    for turn in range(processes.turns):
        with processes.together():
            if turn == processes.turn:
                memory = vision.memory(2 * chunk_on(processes.device, store.precision))
                hooks.place(vision.float(), processes.device, memory)
                codes = store.codes(data.pictures, processes.device, hooks.on_picture, hooks.on_part)
                vision.to("cpu")
    return codes


class Training:
    """A model, what it learns from, and what it is validated on."""

    def __init__(
        self,
        config: Config,
        base: DRC,
        parts: str,
        data: TrainingData,
        codes: torch.Tensor,
        processes: OneProcess,
        hooks: Hooks,
    ):
        training = config.training
        self.config, self.drc, self.parts, self.processes, self.hooks = config, base, parts, processes, hooks
        self.identity = {
            "architecture": f"{header_of(base)['architecture']} {base.config.to_json()}",
            "model": base.hash,
            "data set": data.fingerprint,
            "stage": str(training.stage),
            "way to train the language model": way_of(config.model, parts),
        }
        self.former = data.former_fingerprint
        self.sampler = None
        if training.stage == 1:
            self.sampler = ImportanceSampler(training.sampling, warm_up=training.sampling_warm_up)
        base.about = dataclasses.replace(base.about, learned=self.learned(data))
        self.objective = self.begin()
        disturbances = {"second_view_share": training.second_view, "mirrored": training.mirrored}
        batches, self.held_back = data.batches(codes, training.batch, training.seed, **disturbances)
        self.batches = TrainingBatches(training, batches, self.objective, self.sampler)

    def learned(self, data: TrainingData) -> frozenset[str] | None:
        """The words that the model has learned once it is trained; what texts say is learned by its language model."""
        training = self.config.training
        reads = self.parts != "frozen" and (training.keep_text or training.text_alone)
        former = frozenset() if self.config.model.start == "from nothing" else self.drc.about.learned
        return joined(None if self.drc.lmm.pretrained else former, data.words if reads else frozenset())

    def begin(self) -> Objective:
        """The model at the start of the training; its start values follow from the seed."""
        drc, settings, training = self.drc, self.config.model, self.config.training
        kind, precision = STAGES[training.stage], precision_of(training.precision, self.processes.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            if settings.start == "from nothing":
                drc.lmm.initialise()
                drc.disentangler.initialise(drc.lmm.embedding_scale())
            drc.train().requires_grad_(True)
            drc.lmm.learn(self.parts, settings.lora_rank, settings.lora_alpha, precision)
            drc.config = dataclasses.replace(drc.config, lmm=drc.lmm.config)
            drc.about = dataclasses.replace(drc.about, stage=training.stage)
            objective = kind(drc, precision, training.compile)
        if self.hooks.on_part is not None:
            call_between_layers(objective.auxiliary_head, self.hooks.on_part)
        if settings.start == "from the model" and drc.about.auxiliary_head:
            load_auxiliary_head(objective, drc.about.auxiliary_head, Path(settings.file))
        if training.recompute:
            recompute(drc.lmm.layers())
        return objective

    def rate_of(self, name: str) -> float:
        training = self.config.training
        return training.language_rate if name.startswith("drc.lmm.") else training.rate

    def train(self, run: RunFolder, vision: nn.Module) -> Result:
        training, processes, drc = self.config.training, self.processes, self.drc
        self.vision = vision
        tied = self.parts == "everything"
        with quick_attention(processes.device):
            micro_batch = training.micro_batch or QUICKEST.get(processes.device.type, 0)
            share = math.ceil(training.batch / processes.count)
            samples = min(micro_batch or share, share)
            memory = estimate(self.objective, self.batches(0), samples, processes.device)
        log.info("training takes about %s", memory)
        self.hooks.place(self.objective, processes.device, memory.beside_weights)
        if tied:
            drc.lmm.tie()
        trainer = Trainer(
            self.objective,
            training,
            run,
            self.rate_of,
            self.sampler,
            self.weights,
            self.identity,
            processes,
            former={"data set": self.former},
        )
        complete = trainer.finished()
        if complete:
            self.hooks.note(f"nothing was trained, as the run {run.folder.name} is complete: {trainer.why_finished()}")
        else:
            if processes.main:
                run.write("config.toml", lambda path: path.write_text(to_toml(self.config), "utf-8"))
            gradient_step = GradientStep(trainer.model, self.batches, processes, self.sampler, micro_batch)
            validation = Validation(
                self.held_back,
                self.batches,
                drc,
                vision,
                run,
                processes,
                self.hooks.on_validation,
                self.hooks.on_samples,
            )
            with quick_attention(processes.device):
                trainer.run(gradient_step, self.hooks.on_step, validation, self.hooks.on_part)
        processes.wait()
        step = trainer.best_step if training.patience and trainer.best_step in run.steps() else trainer.step
        file = run.model(step) if complete else run.path(step) / WEIGHTS  # what was just written needs no look
        samples = read_samples(run, self.hooks.on_part)
        return Result(file, step, run.read_log(), memory, samples)

    def weights(self, trainer: Trainer) -> Checkpoint:
        """The file of the averaged weights: a model like any other, and the auxiliary head for a training to come."""
        drc = self.drc
        state = trainer.averages_in(drc, own_state(drc))
        learned = drc.lmm.exported(part(state, LMM), self.vision)
        state = {name: tensor for name, tensor in state.items() if not name.startswith(LMM)}
        state |= {f"{LMM}{name}": tensor for name, tensor in learned.items()}
        head = self.objective.auxiliary_head
        state |= {OF_AUXILIARY_HEAD + name: one for name, one in trainer.averages_in(head, head.state_dict()).items()}
        header = header_of(drc) | {"step": str(trainer.step), "base": drc.hash}
        return Checkpoint(as_stored(state), header)


def load_auxiliary_head(objective: Objective, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """ValueError where the model's file holds those of another model."""
    own = objective.auxiliary_head.state_dict()
    found, expected = ({name: tuple(one.shape) for name, one in state.items()} for state in (tensors, own))
    require_shapes(path, "the auxiliary head of its own sizes", found, expected)
    objective.auxiliary_head.load_state_dict(tensors)


def way_of(settings: ModelConfig, parts: str) -> str:
    lora = f" {settings.lora_rank} {settings.lora_alpha}" if parts == "LoRA" else ""
    return f"{settings.start}, {parts}{lora}"
