"""What the towers found, and its composition into instructions.

Guidance with two weights gives the language model up to three prompts at once, the streams, and adds up their logits
(METHOD.md, 6):

    logits = nothing + w_semantic (semantics - nothing) + w_style (both - semantics)
           = (1 - w_semantic) nothing + (w_semantic - w_style) semantics + w_style both

so an instruction is a list of streams with one coefficient each. Coefficients of zero are left out: both strengths 1
is plain conditional drawing in one stream, and a strength of 0 is its condition dropped, exactly.

With a negative style, the style guidance starts from it in place of from no style, in one stream more:

    logits = nothing + w_semantic (semantics - nothing) + w_style (both - negative and semantics)

so a style that is its own negative cancels out, and at w_style 0 both are dropped.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

STRONGEST = 5.0  # of a dial; from 2 to 4 little is gained: see the help page of ComposeInstruction
HANDS = 3  # pictures of one thing that are put together as semantics, at most, each by another hand
MOST_STREAMS = 4  # of an instruction: nothing, semantics, and both with the style and with the negative one
NEGATIVE = "negative"  # in the place of whether a style is given: the style to keep away from
HOTTEST = 2.0  # of temperatures
AUTOMATIC = -1.0  # in the place of a temperature: that of the instruction
TEMPERATURE, OPEN_TEMPERATURE = 0.3, 1.0  # where a picture says what to draw, and where none does


@dataclass(frozen=True)
class Dials:
    """What a user turns, and where it stands untouched, chosen on validation cases.

    Guidance sharpens what the conditions say; a temperature below 1 also sharpens what they leave open, and where no
    reference says what to draw leaves little but empty ground. So untouched it follows from what is given.
    """

    style_strength: float = 2.0
    semantic_strength: float = 4.0
    temperature: float = AUTOMATIC

    @classmethod
    def among(cls, options: object) -> "Dials":
        """Those among the attributes of something, such as the options of a command."""
        return cls(**{name: getattr(options, name) for name in vars(cls())})

    @property
    def strengths(self) -> tuple[float, float]:
        return self.style_strength, self.semantic_strength


@dataclass(frozen=True)
class Style:
    """Style of a history: rows [n, R, d] of the StyleTower and the pictures' weights [n] >= 0, not all zero.

    padding_mask [n, R] is true where a picture has fewer rows than R. `codes` [n, N] of the pictures are what the rows
    were found in, -1 behind the last of a picture.
    """

    rows: Tensor
    weights: Tensor
    model: str  # hash of the model that made it
    padding_mask: Tensor | None = None
    codes: Tensor | None = None

    def bias(self) -> Tensor:
        """Attention bias [n * R] of the fusion: the logarithm of each picture's share.

        Shares add up to 1, so a long history weighs no more against the semantics than a short one.
        """
        return share_bias(self.weights, self.rows.shape[1], self.padding_mask)


def share_bias(weights: Tensor, rows: int, padding_mask: Tensor | None) -> Tensor:
    """Weights [..., n] of pictures and padding_mask [..., n, R] -> the bias [..., n * R] of their rows, a logarithm.

    A picture's share is its weight among all weights, however many rows it has: where some are padding, the others
    weigh more.
    """
    share = (weights / weights.sum(dim=-1, keepdim=True)).log().repeat_interleave(rows, dim=-1)
    if padding_mask is None:
        return share
    count = rows - padding_mask.sum(dim=-1)
    fewer = (rows / count.clamp(min=1)).log().repeat_interleave(rows, dim=-1)
    return (share + fewer).masked_fill(padding_mask.flatten(-2), float("-inf"))


@dataclass(frozen=True)
class Semantics:
    """Semantics of a reference: rows [R, d] of the SemanticTower."""

    rows: Tensor
    model: str

    def bias(self, mask: float) -> Tensor:
        """Attention bias [R] that hides the share `mask` (0..1) of the rows, spread evenly over the canvas.

        The order is fixed, so hiding more always hides what less hid; at least one row stays unless mask is 1.
        """
        count = len(self.rows)
        hidden = count if mask >= 1 else min(count - 1, round(mask * count))
        golden = torch.arange(count, dtype=torch.float64) * 0.6180339887498949 % 1.0
        bias = torch.zeros(count)
        bias[golden.argsort()[:hidden]] = float("-inf")
        return bias


@dataclass(frozen=True)
class Instruction:
    """Streams of one composed instruction: vectors [S, K, d], text ids [S, T], coefficients [S] that sum to 1.

    It is drawn at `temperature` unless another is asked for; of several side by side that is a tensor [B, 1] where they
    differ.
    """

    vectors: Tensor
    text: Tensor
    coefficients: Tensor
    model: str
    temperature: float | Tensor = TEMPERATURE


def side_by_side(instructions: list[Instruction]) -> Instruction:
    """Instructions of one model for as many pictures of one batch: vectors [B, S, K, d], text [B, S, T], coefficients
    [B, S]; one with fewer streams gets some of coefficient 0."""
    most = max(len(one.coefficients) for one in instructions)

    def stacked(name: str) -> Tensor:
        parts = [getattr(one, name) for one in instructions]
        return torch.stack([torch.cat((part, part[:1].expand(most - len(part), *part.shape[1:]))) for part in parts])

    coefficients = stacked("coefficients")
    for row, one in zip(coefficients, instructions, strict=True):
        row[len(one.coefficients) :] = 0
    temperature, *others = temperatures = [one.temperature for one in instructions]
    if any(other != temperature for other in others):
        temperature = torch.tensor(temperatures, device=coefficients.device)[:, None]
    return Instruction(stacked("vectors"), stacked("text"), coefficients, instructions[0].model, temperature)


@dataclass(frozen=True)
class InContext:
    """Pictures and words one after another, as a pretrained language model takes them: ids [T] int64, and how firmly it
    holds to them. Style and meaning are not told apart here. It is drawn at temperature 1, as such models' authors
    draw."""

    ids: Tensor
    guidance: float
    model: str
    temperature: float = 1.0


def streams(
    style_strength: float, semantic_strength: float, style: bool, semantics: bool, negative: bool = False
) -> dict[tuple[bool | str, bool], float]:
    """(style given, semantics given) -> coefficient, for every stream that counts.

    `style`, `semantics` and `negative` say which conditions exist at all; a strength of 0 drops its condition
    everywhere. In the place of a style NEGATIVE stands for the negative one.
    """
    w_style = style_strength if style or negative else 0.0
    w_semantic = semantic_strength if semantics else 0.0
    meaning = w_semantic != 0
    chain: dict[tuple[bool | str, bool], float] = {(False, False): 1 - w_semantic}
    if meaning:
        chain[False, True] = w_semantic
    base, top = (NEGATIVE if negative else False, meaning), (style, meaning)
    chain[base] = chain.get(base, 0.0) - w_style
    chain[top] = chain.get(top, 0.0) + w_style
    return {given: coefficient for given, coefficient in chain.items() if coefficient != 0}
