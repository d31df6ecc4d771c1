"""The meanings of the emoji benchmark: one meaning is one code point, described by the Unicode CLDR.

A code point key is upper-case hex joined by `-`, without the variation selector FE0F: `1F468-200D-1F680`.
Source of labels, tags and groups: the npm package emojibase-data (MIT; Unicode CLDR).
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from pathlib import Path

from drc.data.emoji import Meaning

DROPPED_GROUPS = {"component", "symbols", "flags"}
CLOCK_FACES = {f"{code:X}" for code in range(0x1F550, 0x1F568)}
DISPUTED = {"1F52B"}  # pistol: a revolver in some sets, a water pistol in others
KEYED_PACKAGES = ("twemoji", "noto", "fluent-emoji-flat", "fluent-emoji-high-contrast")


def key(code: str) -> str:
    """The code point key of any common spelling (`1f468-200d-1f680`, `2716-fe0f`)."""
    return "-".join(part.lstrip("0") for part in code.upper().split("-") if part != "FE0F")


def read_json(path: Path) -> dict | list:
    return json.loads(path.read_text(encoding="utf-8"))


def meanings(packages: Path) -> dict[str, Meaning]:
    """Every CLDR emoji without skin tones, flags, components, symbols, clock faces and disputed meanings, by code."""
    folder = packages / "emojibase-data" / "en"
    messages = read_json(folder / "messages.json")
    groups, subgroups = ({row["order"]: row["key"] for row in messages[name]} for name in ("groups", "subgroups"))
    result = {}
    for row in read_json(folder / "data.json"):
        code, group = key(row["hexcode"]), groups.get(row.get("group"), "component")
        if group not in DROPPED_GROUPS and code not in CLOCK_FACES | DISPUTED:
            result[code] = Meaning(code, row["label"], tuple(row.get("tags", ())), group, subgroups[row["subgroup"]])
    return result


def labels(packages: Path) -> dict[str, str]:
    """Code to CLDR label of every emoji, with the dropped groups: names are told apart before anything is dropped."""
    return {key(row["hexcode"]): row["label"] for row in read_json(packages / "emojibase-data" / "en" / "data.json")}


def versions(packages: Path) -> dict[str, float]:
    """Code to the emoji version that brought it."""
    return {key(row["hexcode"]): row["version"] for row in read_json(packages / "emojibase-data" / "en" / "data.json")}


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")


def unicode_name(code: str) -> str:
    """Unicode name of a single code point, empty for a sequence."""
    return "" if "-" in code else unicodedata.name(chr(int(code, 16)), "")


def name_votes(packages: Path) -> dict[str, Counter]:
    """For each slug how strongly it stands for each code: CLDR label 3, Unicode name 1, each keyed icon set 1."""
    votes = defaultdict(Counter)
    for code, label in labels(packages).items():
        votes[slug(label)][code] += 3
        votes[slug(unicode_name(code))][code] += 1
    for package in KEYED_PACKAGES:
        names = defaultdict(list)
        for alias, entry in read_json(packages / package / "icons.json").get("aliases", {}).items():
            if len(entry) == 1:  # more than a parent means a mirrored or turned drawing, another meaning
                names[entry["parent"]].append(alias)
        for code, name in read_json(packages / package / "chars.json").items():
            for spelling in (name, *names[name]):
                votes[spelling][key(code)] += 1
    votes.pop("", None)
    return votes


def codes_of_names(names: dict[str, Iterable[str]], votes: dict[str, Counter], known: Container[str]) -> dict[str, str]:
    """Code to icon name by majority over each icon's own name and aliases; the better supported icon wins a code.

    Args:
        names: icon name to its aliases.
        votes: of `name_votes`.
        known: the codes that the icon set can mean.
    """
    claims = {}
    for name, aliases in sorted(names.items()):
        tally = sum((votes.get(spelling, Counter()) for spelling in (name, *aliases)), Counter())
        tally = {code: count for code, count in tally.items() if code in known}
        if tally:
            code, count = max(tally.items(), key=lambda item: (item[1], item[0]))
            if count > claims.get(code, ("", 0))[1]:
                claims[code] = (name, count)
    return {code: name for code, (name, _) in claims.items()}
