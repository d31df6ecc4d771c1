"""Complete Icon Set: a picture for each line of a list, in the style of a history."""

import math
from collections import deque

import torch
from torch import Tensor

from ..drc.complete.settings import MOST_CANDIDATES, Settings
from ..drc.instruction import HANDS, Dials
from ..drc.pixels import from_pixels, resized, to_pixels
from . import host, paths
from .encode import drawing_memory
from .guard import guarded
from .host import io
from .pictures import mask, pictures_of
from .progress import Progress
from .sockets import StyleSocket, Tokens, TokensSocket, to
from .widgets import (
    SQUARE_TOOLTIP,
    fixed_seed,
    lines,
    model_input,
    negative_style,
    semantic_strength,
    style_strength,
    temperature,
    whole_number,
)

USUAL = Settings()  # what the widgets stand at
WIDTH, MOST_COLUMNS = 512, 8  # of the grid on the node: pixels, and pictures in a row
GROUND = 0.13
MOST_LINES = 3  # of text below it
WEAKEST, MOST_TOLD = 5, 100  # pictures that are told in the end: such as hardly have a meaning, and with their scores


def outputs() -> list[io.Output]:
    return [
        TokensSocket.Output("tokens_out", display_name="tokens", tooltip="All pictures as codes, for DRC Decode."),
        io.String.Output(
            "names_out",
            display_name="names",
            tooltip="What each picture is called: its words, as a name that a file can have. A list.",
            is_output_list=True,
        ),
        io.Float.Output(
            "scores_out",
            display_name="scores",
            tooltip="How much likelier style and meaning together make each picture. Below 0 it has lost one "
            "of the two. A list.",
            is_output_list=True,
        ),
    ]


@guarded
class DRC_CompleteSet(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="DRC_CompleteSet",
            display_name="Complete Icon Set",
            category="DRC/sets",
            description="Draws what is missing from a set: one picture for each line of a list, or for each reference, "
            "all in one style.",
            inputs=[
                model_input(),
                StyleSocket.Input("style", tooltip="The style of the set, from StyleTower."),
                lines("words", "What is missing, one thing on each line, such as bicycle: up to 10,000 lines."),
                io.Image.Input(
                    "references",
                    optional=True,
                    tooltip="Pictures of what is missing, drawn by anybody, as one batch or one list. They serve the "
                    "words that they are called by; the others are drawn, too. " + SQUARE_TOOLTIP,
                ),
                lines(
                    "reference_names",
                    "What the references are called, one name on each line. Empty: they are numbered.",
                    optional=True,
                ),
                whole_number(
                    "drawings",
                    USUAL.drawings,
                    0,
                    HANDS,
                    "How many drawings of other hands say what a word means, as in Reference from Words. 0: the word "
                    "alone does, as where there is no drawing, or where the model is not the embedded one or its kin.",
                ),
                whole_number(
                    "best_of",
                    USUAL.best_of,
                    1,
                    MOST_CANDIDATES,
                    "How many pictures of each thing to draw; the one is kept that the model itself finds likeliest to "
                    "have both style and meaning. Twice as many take twice as long.",
                ),
                fixed_seed("The same seed draws the same set. A picture stays when you add or move lines."),
                style_strength(),
                semantic_strength(),
                host.advanced(temperature()),
                mask("references"),
                negative_style(),
            ],
            outputs=outputs(),
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
            **host.newer(search_aliases=["icon set", "batch prompts", "list of words", "best of"]),
        )

    @classmethod
    def execute(
        cls,
        model,
        style,
        words,
        drawings,
        best_of,
        seed,
        style_strength,
        semantic_strength,
        temperature,
        references=None,
        reference_names="",
        references_mask=None,
        negative_style=None,
    ) -> io.NodeOutput:
        from ..drc.complete.cache import DrawnCache
        from ..drc.complete.names import items_of
        from ..drc.complete.run import AT_ONCE, Completion

        pictures = [] if references is None else pictures_of(references, references_mask, "references")
        items, notes = items_of(words, list(zip(names_of(reference_names, len(pictures)), pictures, strict=True)))
        settings = Settings(seed, best_of, drawings, Dials(style_strength, semantic_strength, temperature))
        parts = [*model.seeing, model.disentangler]
        if (pictures or model.drc.lmm.draws_pixels) and model.vision not in parts:
            parts.append(model.vision)
        host.load(parts, drawing_memory(model, AT_ONCE))
        styles = [None if one is None else to(one, model.device) for one in (style, negative_style)]
        completion = Completion(model.drc, styles[0], settings, DrawnCache(paths.code_cache() / "sets"), styles[1])
        notes += completion.meanings.notes(items)
        drawn = draw(completion, items, cls.hidden, notes)
        codes = torch.stack([one.codes for one in drawn]).to(host.intermediate_device())
        names, scores = [item.name for item in items], [float(one.scores.sum()) for one in drawn]
        return io.NodeOutput(Tokens(codes, model.drc.hash), names, scores)


def names_of(text: str, count: int) -> list[str]:
    """The names of so many references; ValueError for another number of them."""
    from ..drc.data.folder import counted

    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        return [f"reference {number}" for number in range(1, count + 1)]
    if len(names) != count:
        raise ValueError(
            f"reference_names has {counted(len(names), 'name')}, but references has {counted(count, 'picture')}; write "
            "one name for each on a line of its own, or leave it empty"
        )
    return names


def draw(completion, items: list, hidden, notes: list[str]) -> list:
    """`drc.complete.run.Drawn` of every item, shown as they come."""
    from ..drc.data.folder import counted

    def say(text: str) -> None:
        host.show_text(hidden, "\n".join([text, *notes]))

    watcher, done = Watcher(completion, len(items)), []
    try:
        for drawn in completion.draw(items, watcher.on_code):
            done.append(drawn)
            watcher.on_drawn(drawn)
    except host.Interrupted:
        say(f"stopped after {len(done)} of {len(items)} pictures; Run goes on from there")
        raise
    if completion.refused:
        notes.append(f"what was drawn could not be kept for another run ({completion.refused.strerror})")
    vague = vague_told(done)
    watcher.tell([*vague, *notes])
    say("\n".join([*vague, counted(len(done), "picture"), *scores_told(done)]))
    return done


def vague_told(done: list) -> list[str]:
    """Which to look at first, in a line, if there are any."""
    from ..drc.complete.summary import VAGUE

    vague = [name for name, (_, meaning) in scored(done) if meaning <= VAGUE]
    return [f"hardly show what they are called: {named(vague, WEAKEST)}"] if vague else []


def scores_told(done: list) -> list[str]:
    told = [f"{name} {scores.sum():.2f}" for name, scores in scored(done)]
    return [f"scores: {named(told, MOST_TOLD)}"] if told else []


def scored(done: list) -> list[tuple[str, Tensor]]:
    return [(one.asked.item.name, one.scores) for one in done if one.scores.isfinite().all()]


def named(names: list[str], most: int) -> str:
    """Up to so many of them in one line."""
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


class Watcher:
    """Bar and picture of a list that is being drawn."""

    def __init__(self, completion, count: int):
        self.lmm, self.best_of = completion.drc.lmm, completion.settings.best_of
        self.progress, self.grid = (
            Progress(count * self.lmm.picture_codes),
            Grid(self.lmm, completion.drc.device, count),
        )
        self.done = self.reached = 0

    def on_code(self, drawn: int, candidates: Tensor) -> None:
        together = candidates[:: self.best_of]
        self.step_to(self.done * self.lmm.picture_codes + drawn * len(together), together)

    def on_drawn(self, drawn) -> None:
        self.done += 1
        self.grid.done.append(drawn.codes)
        self.step_to(self.done * self.lmm.picture_codes)

    def tell(self, lines: list[str]) -> None:
        """Below the picture, as page 1.32.9 in its newer way shows no other text on a node with a field of several
        lines."""
        if self.lmm.draws_pixels and lines:
            self.progress.step_to(self.progress.total, lambda: self.grid.with_lines(lines[:MOST_LINES]))

    def step_to(self, value: int, together: Tensor | None = None) -> None:
        """Never back: what is drawn together is done before the first of it is."""
        self.reached = max(self.reached, value)
        self.progress.step_to(self.reached, (lambda: self.grid.picture(together)) if self.lmm.draws_pixels else None)


class Grid:
    """The pictures of a list so far as one picture; where there are many, the last of them."""

    def __init__(self, lmm, device: torch.device, count: int):
        self.lmm, self.device = lmm, device
        self.columns = min(MOST_COLUMNS, math.ceil(math.sqrt(count)))
        self.done: deque[Tensor] = deque(maxlen=self.columns**2)

    def picture(self, together: Tensor | None) -> Tensor:
        """[3, H, W] in 0..1, with those whose codes [B, n] are being drawn behind."""
        cell = WIDTH // self.columns
        cells = [self.lmm.detokenize(torch.stack(list(self.done)).to(self.device))] if self.done else []
        cells += [] if together is None else [self.lmm.preview(together)]
        cells = resized(torch.cat(cells), cell)[-(self.columns**2) :]
        sheet = torch.full((self.columns**2, 3, cell, cell), GROUND)
        sheet[: len(cells)] = cells
        rows = sheet.unflatten(0, (self.columns, self.columns)).permute(2, 0, 3, 1, 4)
        return rows.flatten(3, 4).flatten(1, 2)

    def with_lines(self, lines: list[str]) -> Tensor:
        """The picture [3, H, W] with lines of text below it."""
        from ..drc.plots.sheet import status_strip

        (shown,) = to_pixels(self.picture(None)[None])
        for line in lines:
            shown = status_strip(shown, line)
        return from_pixels([shown])[0]
