"""Train Disentanglement and Train Personalisation: the two stages as nodes.

They are no output nodes. Among those the host takes any first, and a training would begin before the sheets of pairs
are shown, in which the user looks for a reason not to pay for it.
"""

import dataclasses
import logging

from ..drc.train.config import (
    AT_LEAST_1,
    LANGUAGES,
    MOST,
    PRECISIONS,
    SAMPLINGS,
    STARTS,
    Config,
    ModelConfig,
    TrainingConfig,
)
from . import host, paths
from .guard import guarded
from .host import io
from .sockets import AugmentationsSocket, Model, ModelSocket, Triplets, TripletsSocket
from .training import Watcher
from .widgets import choice, fine_share, fixed_seed, line, model_input, number, whole_number

log = logging.getLogger("drc")

USUAL = TrainingConfig()  # what the widgets stand at
RUNS = ("train", "write the settings only")


def count(name: str, most: int, tooltip: str, of: str = "") -> io.WidgetInput:
    """A whole number of the settings, which call it `of`, or `name` as the widget."""
    of = of or name
    return whole_number(name, getattr(USUAL, of), int(of in AT_LEAST_1), most, tooltip)


def length() -> list[io.WidgetInput]:
    """What everybody turns."""
    return [
        count("steps", 10_000_000, "How long it learns. The loss curve tells if more would help."),
        count(
            "batch_size",
            MOST["batch"],
            "How many pictures a step learns from. More are steadier and slower; memory does not matter, see "
            "micro_batch.",
            of="batch",
        ),
        number(
            "learning_rate",
            USUAL.rate,
            1.0,
            1e-5,
            "How big a step is for the towers and the fusion network. Lower it if the loss jumps or is lost.",
        ),
        number(
            "language_learning_rate",
            USUAL.language_rate,
            1.0,
            1e-5,
            "The same for the language model, or its LoRA.",
        ),
        fixed_seed("Decides everything random: the same seed trains the same model."),
    ]


def place_of_run(name: str) -> list[io.WidgetInput]:
    return [
        line(
            "run_name",
            name,
            "The training is kept in a folder of this name in output/drc: checkpoints, log, sample pictures.",
        ),
        io.Boolean.Input(
            "resume",
            default=True,
            tooltip="Go on from the last checkpoint of the last training of this name. Off: begin a new one; the "
            "former stays.",
        ),
        choice(
            "what_to_do",
            RUNS,
            "train: here and now. write the settings only: makes config.toml in the run's folder, for training without "
            "ComfyUI or on many machines with: python -m drc.train config.toml",
        ),
    ]


def fine_settings() -> list[io.WidgetInput]:
    """What may stay as it is."""
    return [host.advanced(widget) for widget in (*what_learns(), *how_often(), *how_it_is_computed())]


def what_learns() -> list[io.WidgetInput]:
    return [
        choice(
            "start",
            STARTS,
            "from the model: what it knows is kept and bent to your pictures. from nothing: only its tokeniser and "
            "words are kept, and the language model of a LaVIT or a Janus, which takes many pictures and hours.",
        ),
        choice(
            "train_language",
            LANGUAGES,
            "Which part of the language model learns. automatic: all of the small embedded one, of a LaVIT or a Janus "
            "a LoRA beside its frozen weights. everything: not for those two. frozen: only towers and fusion learn.",
        ),
        count("warm_up", 100_000, "Steps in which the learning rate grows to its full size."),
        number(
            "weight_decay",
            USUAL.weight_decay,
            1.0,
            0.005,
            "Pulls weights towards zero; against overfitting, when pictures are few.",
        ),
        number("gradient_norm", USUAL.gradient_norm, 100.0, 0.1, "A step that would be longer is shortened to this."),
    ]


def how_often() -> list[io.WidgetInput]:
    return [
        count("save_every", 1_000_000, "Steps between two checkpoints. Cancelling always makes one."),
        count("validate_every", 1_000_000, "Steps between two validations on the pictures held back."),
        count(
            "patience",
            1000,
            "End early when so many validations in a row brought no better loss, and take the best model. 0: never.",
        ),
        count(
            "samples",
            16,
            "Pictures drawn at every validation. 0: none, which is faster. Over a LaVIT none are drawn, as its "
            "pictures come from KSampler; draw with the trained model instead.",
        ),
        fine_share(
            "instructions_first",
            USUAL.instructions_first,
            "The first share of the steps in which the language model reads only a quarter of twice as many pictures. "
            "0.4 is right when starting from nothing.",
        ),
    ]


def how_it_is_computed() -> list[io.WidgetInput]:
    return [
        count(
            "micro_batch",
            MOST["micro_batch"],
            "Pictures in memory at once. 0: all of a step on a graphics card, 4 on a processor, as is quickest. "
            "When memory runs out it halves by itself; the result stays the same.",
        ),
        io.Boolean.Input(
            "recompute",
            default=USUAL.recompute,
            tooltip="Computes parts twice in place of keeping them: less memory, about a third more time.",
        ),
        choice(
            "precision",
            PRECISIONS,
            "bfloat16 takes less memory, float32 is exact. automatic: bfloat16 where this machine is built for it.",
        ),
        io.Boolean.Input(
            "compile",
            default=USUAL.compile,
            optional=True,
            tooltip="Fuses the computation of the loss: the first steps take a minute, the others are quicker. Needs a "
            "C++ compiler on the machine.",
        ),
    ]


def outputs() -> list[io.Output]:
    return [
        ModelSocket.Output(
            "model_out", display_name="model", tooltip="The trained model, for Save DRC Model and all other nodes."
        ),
        io.Image.Output(
            "loss_curve_out",
            display_name="loss curve",
            tooltip="Loss while training and on pictures held back; how much style and meaning count.",
        ),
        io.Image.Output(
            "samples_out",
            display_name="samples",
            tooltip="One sheet for every validation: history, reference, what the model drew, and the true picture.",
        ),
    ]


@guarded
class DRC_TrainDisentanglement(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_TrainDisentanglement",
            display_name="Train Disentanglement",
            category="DRC/training",
            description="Stage 1: teaches the two towers to tell style from meaning, by rebuilding pictures from one "
            "picture of the same style and one of the same meaning.",
            inputs=[
                model_input("The training begins from it."),
                TripletsSocket.Input("triplets", tooltip="From DRC Triplets."),
                *length(),
                choice(
                    "sampling",
                    SAMPLINGS,
                    "How often each of the four ways to rebuild a picture is practised. difficulty-aware: the harder, "
                    "the more often. static: by a fixed rule. uniform: all the same.",
                ),
                *place_of_run("disentanglement"),
                *fine_settings(),
            ],
            outputs=outputs(),
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["train", "stage 1", "fine-tune", "disentangle"]),
        )

    @classmethod
    def execute(cls, model, triplets, sampling, **widgets) -> io.NodeOutput:
        return train(cls.hidden, model, triplets, None, {"stage": 1, "sampling": sampling}, **widgets)


@guarded
class DRC_TrainPersonalisation(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        drops = [
            fine_share(
                "drop_style", USUAL.drop_style, "How often it must do without the history. Makes style_strength a dial."
            ),
            fine_share(
                "drop_semantics",
                USUAL.drop_semantics,
                "How often without the reference. Makes semantic_strength a dial.",
            ),
            fine_share("drop_both", USUAL.drop_both, "How often without both."),
            fine_share("semantic_mask", USUAL.mask, "How often a random part of the reference is hidden."),
            count("history", 64, "The longest history that it practises with."),
        ]
        return io.Schema(
            node_id="DRC_TrainPersonalisation",
            display_name="Train Personalisation",
            category="DRC/training",
            description="Stage 2: teaches the model to draw a user's own picture from the style of other pictures of "
            "the user and the meaning of a reference.",
            inputs=[
                model_input("The training begins from it."),
                TripletsSocket.Input("triplets", tooltip="From DRC Triplets."),
                AugmentationsSocket.Input(
                    "augmentations",
                    optional=True,
                    tooltip="From Augmentations: the reference with its look disturbed. Not with the emoji benchmark "
                    "or the icon matrix.",
                ),
                *length(),
                *place_of_run("personalisation"),
                *map(host.advanced, drops),
                *fine_settings(),
            ],
            outputs=outputs(),
            hidden=[io.Hidden.unique_id],
            **host.newer(search_aliases=["train", "stage 2", "fine-tune", "personalise"]),
        )

    @classmethod
    def execute(
        cls, model, triplets, drop_style, drop_semantics, drop_both, semantic_mask, history, augmentations=None,
        **widgets,
    ) -> io.NodeOutput:  # fmt: skip
        stage = {
            "stage": 2,
            "drop_style": drop_style,
            "drop_semantics": drop_semantics,
            "drop_both": drop_both,
            "mask": semantic_mask,
            "history": history,
        }
        return train(cls.hidden, model, triplets, augmentations, stage, **widgets)


def train(
    hidden,
    model: Model,
    triplets: Triplets,
    augmentations,
    stage: dict,
    *,
    batch_size: int,
    learning_rate: float,
    language_learning_rate: float,
    run_name: str,
    resume: bool,
    what_to_do: str,
    start: str,
    train_language: str,
    warm_up: int,
    **widgets,
) -> io.NodeOutput:
    from ..drc.train.checkpoints import RunFolder
    from ..drc.train.config_file import to_toml
    from ..drc.train.machine.processes import OneProcess
    from ..drc.train.run import train as run

    if not learning_rate:
        raise ValueError("learning_rate is 0, with which nothing is learned; set it to 0.0001 or so")
    if not language_learning_rate and train_language != "frozen":
        raise ValueError(
            "language_learning_rate is 0, with which the language model learns nothing; set it to 0.0001 or so, or "
            "train_language to 'frozen'"
        )
    training = TrainingConfig(
        batch=batch_size,
        rate=learning_rate,
        language_rate=language_learning_rate,
        warm_up=warm_up,
        **stage,
        **widgets,
    )
    settings = dataclasses.replace(triplets.settings, augmentations=augmentations)
    origin = ModelConfig(str(model.path), start, train_language, lmm=str(model.lmm_folder or ""))
    config = Config(settings, origin, training)
    folder = paths.run_folder(run_name, resume)
    if what_to_do == RUNS[1]:
        file = RunFolder(folder).write("config.toml", lambda path: path.write_text(to_toml(config), "utf-8"))
        host.show_text(hidden, f"Nothing was trained; the settings are in {file}")
        return host.nothing(len(outputs()))
    watcher = Watcher(hidden, training.steps)
    with watcher.of(folder, resume):
        device, hooks = OneProcess(host.load_device()), watcher.hooks()
        result = host.learn(lambda: run(config, folder, paths.code_cache(), device, hooks, triplets.dataset))
    from .load import load_file

    name = paths.called(str(result.file.relative_to(paths.trainings())), paths.trainings())
    trained = load_file(result.file, name, model.storage, model.graph, model.compiles)
    watcher.finish(result, paths.below_comfyui(result.file))
    return io.NodeOutput(trained, watcher.curve(result.records), watcher.sheets(result.samples))
