"""Widgets and inputs that several nodes have, each made and worded once."""

from ..drc.instruction import AUTOMATIC, HOTTEST, STRONGEST, Dials
from ..drc.seeds import SEEDS
from .host import io
from .sockets import ModelSocket, StyleSocket

SQUARE_TOOLTIP = "A picture that is not square is centred on the colour of its own border."
AS_COMPOSED = "As in ComposeInstruction."


def model_input(note: str = "") -> io.Input:
    """`note` says what this node wants of the model beside."""
    tooltip = "The model from Load DRC Model. Use the same one in all nodes of a graph."
    return ModelSocket.Input("model", tooltip=f"{tooltip} {note}".strip())


def negative_style() -> io.Input:
    return StyleSocket.Input(
        "negative_style",
        optional=True,
        tooltip="A style to keep away from, from StyleTower: style_strength then leads from it to the style, or only "
        "away from it where there is no style.",
    )


def style_strength(tooltip: str = AS_COMPOSED) -> io.WidgetInput:
    return strength("style_strength", Dials.style_strength, tooltip)


def semantic_strength(tooltip: str = AS_COMPOSED) -> io.WidgetInput:
    return strength("semantic_strength", Dials.semantic_strength, tooltip)


def strength(name: str, default: float, tooltip: str) -> io.WidgetInput:
    return io.Float.Input(name, default=default, min=0.0, max=STRONGEST, step=0.05, tooltip=tooltip)


def read_strengths(text: str, name: str) -> list[float]:
    """The numbers at the input `name`, such as a `strength` takes; ValueError otherwise."""
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        strengths = [float(word) for word in words]
    except ValueError:
        strengths = []
    if not strengths or not all(0 <= strength <= STRONGEST for strength in strengths):
        raise ValueError(f"{name} is '{text}', expected numbers from 0 to {STRONGEST:g} such as 0, 1, 3; correct it")
    return strengths


def temperature(tooltip: str = "As in DRC-LMM-Generate.") -> io.WidgetInput:
    bounds = {"min": AUTOMATIC, "max": HOTTEST, "step": 0.05}
    return io.Float.Input("temperature", default=Dials.temperature, tooltip=tooltip, **bounds)


def fixed_seed(tooltip: str) -> io.WidgetInput:
    """A seed that stays: the page draws another one after every run, unless it is told not to."""
    return io.Int.Input("seed", default=0, min=0, max=SEEDS - 1, control_after_generate=False, tooltip=tooltip)


def line(name: str, default: str, tooltip: str, optional: bool = False) -> io.WidgetInput:
    """A text of one line."""
    return io.String.Input(name, default=default, optional=optional, tooltip=tooltip)


def lines(name: str, tooltip: str, optional: bool = False) -> io.WidgetInput:
    """A text of many lines, empty at first."""
    return io.String.Input(name, multiline=True, default="", optional=optional, tooltip=tooltip)


def names_from(tooltip: str) -> io.WidgetInput:
    """Names from another node, in a list or as lines; nothing to type into."""
    return io.String.Input("names", multiline=True, force_input=True, optional=True, tooltip=tooltip)


def listed(text: str) -> list[str]:
    """The lines of such a text, or of the list that was connected to it."""
    return text.strip("\n").split("\n") if text.strip() else []


def whole_number(name: str, default: int, least: int, most: int, tooltip: str) -> io.WidgetInput:
    return io.Int.Input(name, default=default, min=least, max=most, tooltip=tooltip)


def number(name: str, default: float, most: float, step: float, tooltip: str) -> io.WidgetInput:
    """From 0, kept as it was typed: the page would round it to a whole number of steps."""
    return io.Float.Input(name, default=default, min=0.0, max=most, step=step, round=False, tooltip=tooltip)


def choice(name: str, options: tuple[str, ...], tooltip: str) -> io.WidgetInput:
    return io.Combo.Input(name, options=list(options), default=options[0], tooltip=tooltip)


def share(name: str, default: float, tooltip: str) -> io.WidgetInput:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.05, tooltip=tooltip)


def fine_share(name: str, default: float, tooltip: str) -> io.WidgetInput:
    return number(name, default, 1.0, 0.01, tooltip)
