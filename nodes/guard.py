"""What stands before every node: each value that reaches it is checked against its schema, whoever sent it.

The host checks widgets alone, and older ones no choices: a value that came by a link is checked by nobody.
"""

import functools
import math
from collections.abc import Callable
from numbers import Integral, Real

from . import host, sockets
from .errors import errors_of, told
from .host import io
from .pictures import Several, out_of_lists

LONGEST, LONGEST_LINE = 2**20, 2**16  # letters of a text, in which there is room for 10,000 lines, and of one line
MOST_FILES = 10_000


def guarded(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The node with its inputs checked before it runs; what fails in it is one sentence that begins with its name."""
    run = node.execute.__func__

    @functools.wraps(run)
    def execute(cls, **inputs) -> io.NodeOutput:
        schema = node.define_schema()
        with errors_of(schema.display_name):
            if schema.is_input_list:
                inputs = out_of_lists(schema.inputs, inputs)
            try:
                return run(cls, **checked(schema.inputs, inputs, chosen_by(node)))
            finally:
                host.give_back_memory()

    node.execute = classmethod(execute)
    if "fingerprint_inputs" in vars(node):
        node.fingerprint_inputs = classmethod(quiet(node.fingerprint_inputs.__func__))
    return node


def quiet(fingerprint: Callable) -> Callable:
    """A fingerprint that never fails: where it would, the node runs and says what is wrong.

    The host writes down what a fingerprint raises, outside of any node, and its one worker ends for good at a letter
    that it cannot write.
    """

    @functools.wraps(fingerprint)
    def look(cls, *inputs, **named) -> object:
        try:
            return fingerprint(cls, *inputs, **named)
        except (AttributeError, OSError, TypeError, ValueError):
            return math.nan

    return look


def chosen_by(node: type[io.ComfyNode]) -> set[str]:
    """The inputs whose choices the node itself looks up, as it does before a prompt is queued."""
    validate = node.validate_inputs.__func__
    return set(validate.__code__.co_varnames[: validate.__code__.co_argcount])


def checked(declared: list[io.Input], inputs: dict, free: set[str] = frozenset()) -> dict:
    """The values as the schema declares them; ValueError for one that does not fit, or that no input takes.

    An optional input that gets nothing is left out, so that it has its default. Of those in `free` any text is taken,
    and any texts of those into which a page uploads. What a model made must be of the one that is to use it.
    """
    known = {one.id: one for one in declared}
    if unknown := inputs.keys() - known.keys():
        raise ValueError(f"it has no input {min(unknown)}; take away what is connected to it, or update this pack")
    given = {name: value for name, value in inputs.items() if value is not None or not known[name].optional}
    fitting = {name: check_of(known[name], name in free)(known[name], value) for name, value in given.items()}
    model = fitting.get("model")
    return {
        name: value if model is None else sockets.usable(model, known[name], value) for name, value in fitting.items()
    }


def check_of(one: io.Input, free: bool) -> Callable:
    if getattr(one, "upload", None):
        return files
    return text if free else CHECKS.get(one.get_io_type(), sockets.record)


def refused(one: io.Input, value: object, expected: str) -> ValueError:
    return ValueError(f"{one.id} is {told(value)}, expected {expected}; correct it where it comes from")


def whole_number(one: io.Int.Input, value: object) -> int:
    whole = isinstance(value, Integral) or isinstance(value, Real) and float(value).is_integer()
    if isinstance(value, bool) or not whole or not one.min <= value <= one.max:
        raise refused(one, value, f"a whole number from {one.min} to {one.max}")
    return int(value)


def number(one: io.Float.Input, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not one.min <= value <= one.max:  # nor NaN
        raise refused(one, value, f"a number from {one.min:g} to {one.max:g}")
    return float(value)


def switch(one: io.Boolean.Input, value: object) -> bool:
    if not isinstance(value, bool):
        raise refused(one, value, "true or false")
    return value


def text(one: io.Input, value: object) -> str:
    if not isinstance(value, str):
        raise refused(one, value, "a text")
    if len(value) > (most := LONGEST if getattr(one, "multiline", False) else LONGEST_LINE):
        raise ValueError(f"{one.id} has {len(value):,} letters, expected at most {most:,}; shorten it")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{one.id} is {told(value)}, which has a letter that cannot be written; type it again")
    return value


def choice(one: io.Combo.Input, value: object) -> str:
    if not isinstance(value, str) or value not in one.options:
        raise refused(one, value, f"one of {', '.join(map(repr, one.options))}")
    return value


def files(one: io.Combo.Input, value: object) -> list[str]:
    """One name or many, none where it is empty: a page may have uploaded them since the choices were told."""
    names = value if isinstance(value, (list, tuple)) else [value]
    if len(names) > MOST_FILES:
        raise ValueError(f"{one.id} has {len(names):,} names, expected at most {MOST_FILES:,}; choose fewer")
    return [name for name in names if text(one, name)]


def pictures(one: io.Image.Input, value: object):
    from ..drc.pixels import check

    for batch in value if isinstance(value, Several) else [value]:
        check(batch, one.id)
    return value


def masks(one: io.Mask.Input, value: object):
    from ..drc.pixels import check_masks

    if isinstance(value, Several):
        return Several(check_masks(batch, one.id) for batch in value)
    return check_masks(value, one.id)


def svg(one: io.SVG.Input, value: object) -> list[bytes]:
    files = host.files_of_svg(value)
    if not files:
        raise refused(one, value, "files of SVG")
    return files


def diffusion_model(one: io.Model.Input, value: object):
    if not host.is_patcher(value):
        raise refused(one, value, "a diffusion model")
    return value


CHECKS: dict[str, Callable] = {
    "INT": whole_number,
    "FLOAT": number,
    "BOOLEAN": switch,
    "STRING": text,
    "COMBO": choice,
    "IMAGE": pictures,
    "MASK": masks,
    "MODEL": diffusion_model,
    "SVG": svg,
}
