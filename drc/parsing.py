"""Values that come in a file from somebody else: names, types and bounds are checked before anything is built.

A dataclass says in its type hints what a value may be: `Count` and `Size` are whole numbers with bounds, and hints may
be nested. What a file says is shown in messages by `brief`, as it may be long or unprintable.
"""

import dataclasses
import json
import math
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from .visible import told, visible


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds of a number that need not be whole, where `range` is those of one that must."""

    least: float
    most: float
    step: ClassVar = 1

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most

    def __getitem__(self, index: int) -> float:
        return (self.least, self.most)[index]


Count = Annotated[int, range(1, 128 + 1)]  # of what is built one by one, such as layers
Size = Annotated[int, range(1, 2**18 + 1)]
Epsilon = Annotated[float, Between(1e-12, 1.0)]  # of a norm, which it keeps from dividing by nothing
Deviation = Annotated[float, Between(1e-3, 1e3)]  # by which pixels are divided
OptionalSize = Annotated[int, range(2**18 + 1)]  # 0: none
LONGEST = 2**16  # entries of a list
MOST_BYTES = 2**20  # of a file with settings
STORED_AS = "stored_as"  # key of a field's metadata

T = TypeVar("T")


def brief(found: Any, most: int = 80) -> str:
    r"""What a file says, in one short line; letters that show nothing are written out, such as \u202e."""
    text = visible(str(found)[: most + 1]).replace("\n", told("\n"))
    return text if len(text) <= most else f"{text[:most]}..."


def brief_error(error: Exception) -> str:
    """What an error of a library says, which may be many lines, in one short one."""
    return brief(" ".join(str(error).split()), 120)


@contextmanager
def between(before: str, after: str = "") -> Iterator[None]:
    """A ValueError with a sentence, or the rest of one, becomes one with these words around it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{before}{error}{after}") from error


def parse(text: str | bytes) -> dict:
    """JSON that holds names and values; ValueError with the rest of a sentence for anything else."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deep, expected names and values") from error
    except ValueError as error:  # also bytes that are no text, and numbers of thousands of digits
        raise ValueError(f"is not readable JSON ({brief(error)})") from error
    if not isinstance(found, dict):
        raise ValueError(f"holds {type(found).__name__}, expected names and values")
    return found


def read(kind: type[T], values: Any, where: str = "") -> T:
    """A dataclass, or a TypedDict, of values as JSON keeps them: lists are tuples.

    ValueError with the rest of a sentence, such as "has lmm.width 0, expected 1 to 262144", where a value is missing,
    unknown to a dataclass, of another type or out of bounds.
    """
    if not isinstance(values, dict):
        raise ValueError(f"has {where or 'settings'} {brief(repr(values))}, expected names and values")
    hints = get_type_hints(kind, include_extras=True)
    former = former_names(kind)
    values = {former.get(name, name): value for name, value in values.items()}
    prefix = f"{where}." if where else ""
    missing = sorted(required(kind) - values.keys())
    if missing:
        raise ValueError(f"lacks {prefix}{missing[0]}")
    if is_typeddict(kind):
        values = {name: values[name] for name in hints.keys() & values.keys()}
    unknown = sorted(values.keys() - hints.keys())
    if unknown:
        raise ValueError(f"has {brief(prefix + unknown[0])}, which is no setting")
    return kind(**{name: fit(hints[name], value, prefix + name) for name, value in values.items()})


def stored_as(name: str, default: Any) -> Any:
    """A field of a dataclass that files know by another name, which it had when the first of them were written."""
    return dataclasses.field(default=default, metadata={STORED_AS: name})


def former_names(kind: type) -> dict[str, str]:
    """Name in files -> name of the field, where they differ."""
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return {one.metadata[STORED_AS]: one.name for one in fields if STORED_AS in one.metadata}


def stored(config: Any) -> dict:
    """The values of a dataclass by the names that `read` finds them by; other dataclasses in it are dicts, too."""
    values = {}
    for one in dataclasses.fields(config):
        value = getattr(config, one.name)
        values[one.metadata.get(STORED_AS, one.name)] = stored(value) if dataclasses.is_dataclass(value) else value
    return values


def required(kind: type) -> set[str]:
    if is_typeddict(kind):
        return set(kind.__required_keys__)
    nothing = dataclasses.MISSING
    return {one.name for one in dataclasses.fields(kind) if one.default is one.default_factory is nothing}


def fit(hint: Any, value: Any, where: str) -> Any:
    """A value as its hint has it; ValueError where it is none of that."""
    origin, inner = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) or is_typeddict(hint):
        return read(hint, value, where)
    if origin in (Union, types.UnionType):
        return fit_one_of(inner, value, where)
    if origin is tuple:
        return fit_tuple(inner, value, where)
    if origin is Annotated:
        kind, bounds = inner
        steps = f" in steps of {bounds.step}" if bounds.step > 1 else ""
        require(fits(kind, value) and value in bounds, value, f"{bounds[0]} to {bounds[-1]}{steps}", where)
        return kind(value)
    require(fits(hint, value), value, KINDS[hint], where)
    return hint(value)


KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "nothing"}


def fits(kind: type, value: Any) -> bool:
    """Whole numbers are numbers, true and false are none; infinity is no number."""
    if isinstance(value, bool) or kind is not float:
        return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return isinstance(value, (int, float)) and abs(value) < 2**64 and math.isfinite(value)


def fit_one_of(hints: tuple, value: Any, where: str) -> Any:
    if value is None and types.NoneType in hints:
        return None
    hints = [hint for hint in hints if hint is not types.NoneType]
    matching = [hint for hint in hints if isinstance(value, list) == (get_origin(hint) is tuple)]
    return fit((matching or hints)[0], value, where)


def fit_tuple(hints: tuple, value: Any, where: str) -> tuple:
    require(isinstance(value, (list, tuple)) and len(value) <= LONGEST, value, "a list", where)
    if hints[-1] is Ellipsis:
        return tuple(fit(hints[0], item, f"an entry of {where}") for item in value)
    require(len(value) == len(hints), value, f"{len(hints)} entries", where)
    return tuple(fit(hint, item, f"an entry of {where}") for hint, item in zip(hints, value, strict=True))


def require(holds: bool, value: Any, expected: str, where: str) -> None:
    if not holds:
        raise ValueError(f"has {where} {brief(repr(value))}, expected {expected}")


def agree(pairs: dict[str, tuple[int, int]]) -> None:
    """ValueError for the first pair of sizes, by name, that differ."""
    for name, (found, expected) in pairs.items():
        if found != expected:
            raise ValueError(f"has {name} {found}, expected {expected}")


def divides(pairs: dict[str, tuple[int, int]]) -> None:
    """ValueError for the first pair, by name, whose second number is no divisor of the first."""
    for name, (whole, part) in pairs.items():
        if whole % part:
            raise ValueError(f"has {name} {whole}, expected a multiple of {part}")
